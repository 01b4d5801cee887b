// Depth × time: a row a layer, input at the top, and over steps the magnitude of its gradient on a log scale. Vanishing
// is a row that goes dark, explosion one that goes light, a layer that stands still one of a single shade. Part of a
// bank of charts: same steps, same crosshair. A pixel that holds several records shows the greatest of them.
import { depth, ink, magnitude } from './color.js';
import { drawEvents, extent, plotOver, redraw } from './chart.js';
import { h, replace, setText } from './dom.js';
import { decade, integer, number } from './format.js';
import { t } from './language.js';
import { unionOfSteps } from './series.js';

const labelWidth = 104;
const leastDecades = 4; // a healthy net is not stretched into an alarming one

export class HeatMap {
  plot = null;
  #bank;
  #layers = [];
  #height;
  #names = '';
  #scale = [-8, 0];
  #figure;
  #readout = h('span', { class: 'muted' });
  #key = h('div', { class: 'key', 'aria-hidden': 'true' });
  #image = document.createElement('canvas');
  #resize;

  constructor(bank, { title, unit, empty, height }) {
    this.#bank = bank;
    this.#height = height;
    this.#figure = h(
      'div',
      { class: 'plot', tabindex: 0, role: 'group', 'aria-label': t('{title}; the values are in the table of layers', { title }) },
      h('p', { class: 'empty muted' }, empty),
    );
    this.#figure.style.minHeight = `${height}px`;
    this.element = h(
      'section',
      { class: 'chart heat' },
      h('h2', {}, title, ' ', h('span', { class: 'muted' }, unit), ' ', this.#readout),
      this.#key,
      this.#figure,
    );
    this.#resize = new ResizeObserver(() => this.plot?.setSize({ width: this.#figure.clientWidth, height }));
    this.#resize.observe(this.#figure);
    bank.charts.add(this);
  }

  update(layers) {
    this.#layers = layers.filter((layer) => layer.series.step.length);
    if (!this.#layers.length) return;
    this.#bank.extend(this, extent(this.#layers));
    this.#bank.ask(this);
  }

  finish() {
    this.#resize.disconnect();
    this.plot?.destroy();
    this.plot = null;
  }

  draw() {
    const xs = unionOfSteps(this.#layers.map((layer) => layer.series));
    const data = [xs, new Array(xs.length).fill(null)];
    this.#measure();
    const names = this.#layers.map((layer) => layer.name).join();
    if (this.plot && names === this.#names) {
      redraw(this.#bank, this.plot, data);
      return;
    }
    this.#names = names;
    this.plot?.destroy();
    replace(this.#figure);
    const count = this.#layers.length;
    this.plot = plotOver(
      this.#bank,
      this.#figure,
      {
        width: this.#figure.clientWidth,
        height: this.#height,
        rest: {
          scales: { y: { range: () => [0, count], dir: -1 } },
          series: [{}],
          axes: [
            {
              size: labelWidth,
              gap: 0,
              grid: { show: false },
              ticks: { show: false },
              splits: () => [],
              values: () => [],
            },
          ],
          cursor: { points: { show: false } },
          hooks: {
            drawAxes: [(plot) => this.#paint(plot)],
            draw: [(plot) => drawEvents(this.#bank, plot)],
            setCursor: [(plot) => this.#read(plot)],
          },
        },
      },
      data,
    );
  }

  /** The shades span what was recorded, in whole decades. */
  #measure() {
    let low = Infinity;
    let high = -Infinity;
    for (const { series } of this.#layers) {
      for (const value of series.value) {
        if (!(value > 0) || value === Infinity) continue;
        if (value < low) low = value;
        if (value > high) high = value;
      }
    }
    if (low > high) return;
    const top = Math.ceil(Math.log10(high));
    this.#scale = [Math.min(Math.floor(Math.log10(low)), top - leastDecades), top];
    this.#showKey();
  }

  #showKey() {
    const [low, high] = this.#scale;
    const shades = Array.from({ length: 24 }, (_, at) => {
      const shade = h('i');
      shade.style.background = `rgb(${magnitude(at / 23).join(' ')})`;
      return shade;
    });
    replace(this.#key, decade(low), h('span', { class: 'shades' }, shades), decade(high));
  }

  #shade(value) {
    const [low, high] = this.#scale;
    return (Math.log10(value) - low) / (high - low);
  }

  #paint(plot) {
    const { ctx, bbox } = plot;
    const columns = Math.max(1, Math.round(bbox.width));
    const rows = this.#layers.length;
    const picture = new ImageData(columns, rows);
    const missing = ink('critical-fill')
      .match(/\w\w/g)
      .map((hex) => parseInt(hex, 16));
    const [low, high] = this.#bank.range();
    this.#layers.forEach(({ series }, row) => {
      let at = Math.max(0, series.indexAt(low));
      for (let column = 0; column < columns; column++) {
        const right = low + (high - low) * ((column + 1) / columns);
        let value = series.value[at];
        let broken = !Number.isFinite(value);
        while (at + 1 < series.step.length && series.step[at + 1] <= right) {
          at++;
          if (!Number.isFinite(series.value[at])) broken = true;
          else if (!(value > series.value[at])) value = series.value[at];
        }
        if (low + (high - low) * (column / columns) > series.step[series.step.length - 1]) break;
        const color = broken ? missing : magnitude(value > 0 ? this.#shade(value) : 0);
        const pixel = 4 * (row * columns + column);
        [picture.data[pixel], picture.data[pixel + 1], picture.data[pixel + 2]] = color;
        picture.data[pixel + 3] = 255;
      }
    });
    this.#image.width = columns;
    this.#image.height = rows;
    this.#image.getContext('2d').putImageData(picture, 0, 0);
    ctx.imageSmoothingEnabled = false;
    ctx.drawImage(this.#image, bbox.left, bbox.top, bbox.width, bbox.height);
    this.#label(plot, ctx, bbox);
  }

  #label(plot, ctx, bbox) {
    const ratio = devicePixelRatio;
    const rows = this.#layers.length;
    const tall = bbox.height / rows;
    const every = Math.ceil((14 * ratio) / tall);
    ctx.save();
    ctx.font = `${12 * ratio}px system-ui, sans-serif`;
    ctx.textBaseline = 'middle';
    ctx.textAlign = 'right';
    this.#layers.forEach(({ name }, row) => {
      const top = bbox.top + row * tall;
      ctx.fillStyle = depth(row, rows);
      ctx.fillRect(bbox.left - 7 * ratio, top, 4 * ratio, Math.max(1, tall - (tall > 6 ? ratio : 0)));
      if (row % every) return;
      ctx.fillStyle = ink('muted');
      ctx.fillText(
        name.length > 14 ? `${name.slice(0, 13)}…` : name,
        bbox.left - 12 * ratio,
        top + Math.min(tall, 200) / 2,
      );
    });
    ctx.restore();
  }

  #read(plot) {
    const { idx, top, left } = plot.cursor;
    const step = idx === null || idx === undefined || left < 0 ? null : plot.data[0][idx];
    if (step === null || step === undefined) {
      setText(this.#readout, '');
      return;
    }
    const row = Math.floor((top / plot.over.clientHeight) * this.#layers.length);
    const layer = plot.over.matches(':hover') || document.activeElement === this.#figure ? this.#layers[row] : null;
    const at = layer ? layer.series.indexAt(step) : -1;
    setText(
      this.#readout,
      at < 0
        ? `· ${t('step {step}', { step: integer(step) })}`
        : `· ${layer.name} · ${t('step {step}', { step: integer(layer.series.step[at]) })} · ${number(layer.series.value[at])}`,
    );
  }
}
