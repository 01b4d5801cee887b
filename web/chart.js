// Curves over training steps: uPlot, with what a bank of instruments needs on top. All charts of a bank show the same
// steps, move one crosshair and zoom together: drag to zoom, double click to go back; with the keyboard the arrows move
// the crosshair, + and - zoom, Escape goes back. The legend is the table of values under the crosshair, or the newest.
// A gap is a gap; NaN, an infinity, or a zero on a log scale is a mark at the edge of the plot.
import uPlot from './lib/uplot/uPlot.esm.js';
import { ink, onThemeChange } from './color.js';
import { breath, h, replace, setText } from './dom.js';
import { decade, integer, number, shortest } from './format.js';
import { t } from './language.js';
import { onSteps, unionOfSteps } from './series.js';
import { verdictSigns } from './state.js';

const axisFont = '12px system-ui, sans-serif';

const atFirst = 120; // milliseconds of a task that draws what has not been drawn before

/** What the charts of one page share: the range of steps, the crosshair, and whose turn it is to be drawn. */
export class Bank {
  #zoom = null;
  #extents = new Map();
  #due = new Set();
  #drawn = new WeakSet(); // what has been drawn at all
  #busy = false; // about to draw, or drawing
  #left = false;
  #sight = new IntersectionObserver((entries) => entries.some(({ isIntersecting }) => isIntersecting) && this.#wake(0), { rootMargin: '50%' });
  charts = new Set();
  marks = []; // {step, severity}: what was found when, a line through every chart
  epoch = 0; // steps an epoch: ticks along the upper edge
  key = `bank-${Math.random()}`;

  constructor(signal) {
    onThemeChange(signal, () => {
      this.charts.forEach((chart) => chart.tint?.());
      this.#each((plot) => plot.redraw(false));
    });
    addEventListener('beforeprint', () => this.#drawAll(), { signal });
    signal.addEventListener('abort', () => {
      this.#left = true;
      this.#sight.disconnect();
      this.charts.forEach((chart) => chart.finish());
    });
  }

  /**
   * Draws this (anything with `draw` and `element`) and all else that is due: what has not been drawn yet at once, then 4 times a
   * second. Each redraw has a task of its own, so that no key and no pointer waits for all of them; what is out of sight waits
   * until it comes near.
   */
  ask(chart) {
    this.#due.add(chart);
    this.#sight.observe(chart.element);
    this.#wake(this.#drawn.has(chart) ? 250 : 0);
  }

  #wake(milliseconds) {
    if (this.#busy || !this.#due.size) return;
    this.#busy = true;
    if (milliseconds) setTimeout(() => this.#drawDue(), milliseconds);
    else queueMicrotask(() => this.#drawDue()); // before the next frame
  }

  /** Half a screen above and below count as in sight. */
  #inSight({ element }) {
    const { top, bottom, height } = element.getBoundingClientRect();
    const margin = innerHeight / 2 + 2;
    return height > 0 && bottom > -margin && top < innerHeight + margin;
  }

  async #drawDue() {
    if (this.#left) return;
    const [low, high] = this.range();
    for (const chart of this.charts) if (chart.plot && (chart.plot.scales.x.min !== low || chart.plot.scales.x.max !== high)) this.#due.add(chart);
    const due = [...this.#due].filter((one) => this.#inSight(one));
    for (const one of due) this.#due.delete(one);
    let began = performance.now();
    for (const one of due) {
      const again = this.#drawn.has(one);
      this.#drawn.add(one);
      one.draw();
      await null; // what uPlot puts off until its caller is done
      if (again || performance.now() - began > atFirst) {
        await breath();
        began = performance.now();
      }
      if (this.#left) return;
    }
    this.#busy = false;
    if ([...this.#due].some((one) => this.#inSight(one))) this.#wake(250);
  }

  /** Paper has no sight: all that is due, at once. */
  #drawAll() {
    for (const one of this.#due) {
      this.#drawn.add(one);
      one.draw();
    }
    this.#due.clear();
  }

  /** Does this to the plots in sight; the others are drawn again when they come near. */
  #each(work) {
    for (const chart of this.charts) {
      if (!chart.plot) continue;
      if (this.#inSight(chart)) work(chart.plot);
      else this.#due.add(chart);
    }
  }

  extend(chart, [low, high]) {
    this.#extents.set(chart, [low, high]);
  }

  get zoomed() {
    return this.#zoom !== null;
  }

  range() {
    if (this.#zoom) return this.#zoom;
    const extents = [...this.#extents.values()];
    const low = Math.min(...extents.map(([first]) => first));
    const high = Math.max(...extents.map(([, last]) => last));
    return Number.isFinite(low) ? [low, Math.max(high, low + 1)] : [0, 1];
  }

  drop(chart) {
    chart.finish();
    this.charts.delete(chart);
    this.#extents.delete(chart);
    this.#due.delete(chart);
    this.#sight.unobserve(chart.element);
  }

  mark(marks, epoch) {
    if (JSON.stringify([marks, epoch]) === JSON.stringify([this.marks, this.epoch])) return;
    [this.marks, this.epoch] = [marks, epoch];
    this.#each((plot) => plot.redraw(false));
  }

  zoom(range) {
    this.#zoom = range && range[1] - range[0] >= 1 ? range : null;
    const [min, max] = this.range();
    this.#each((plot) => plot.setScale('x', { min, max }));
  }
}

/** Along the upper edge a tick an epoch, where they can be told apart; through the plot a line for each finding. */
export function drawEvents(bank, { ctx, bbox, valToPos }) {
  const [low, high] = bank.range();
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.lineWidth = ratio;
  ctx.strokeStyle = ink('muted');
  if (bank.epoch > 0 && ((high - low) / bank.epoch) * 6 * ratio < bbox.width) {
    ctx.beginPath();
    for (let step = Math.ceil(low / bank.epoch) * bank.epoch; step <= high; step += bank.epoch) {
      const x = Math.round(valToPos(step, 'x', true)) + 0.5;
      ctx.moveTo(x, bbox.top - 4 * ratio);
      ctx.lineTo(x, bbox.top);
    }
    ctx.stroke();
  }
  ctx.font = `${12 * ratio}px system-ui, sans-serif`;
  ctx.textAlign = 'center';
  for (const { step, severity } of bank.marks) {
    if (step < low || step > high) continue;
    const x = Math.round(valToPos(step, 'x', true)) + 0.5;
    ctx.strokeStyle = ctx.fillStyle = ink(severity === 'info' ? 'muted' : severity);
    ctx.setLineDash([3 * ratio, 3 * ratio]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top + 12 * ratio);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.fillText(verdictSigns[severity] ?? '', x, bbox.top + 9 * ratio);
  }
  ctx.restore();
}

/** What every plot over steps has in common; `rest` are uPlot's own options. */
export function plotOver(bank, figure, { width, height, rest }, data) {
  const { series, scales, axes, hooks, cursor } = rest;
  const plot = new uPlot(
    {
      width,
      height,
      padding: [8, 24, 0, 0],
      legend: { show: false },
      scales: { x: { time: false, range: () => bank.range() }, ...scales },
      series: [{}, ...series],
      axes: [stepAxis(), ...axes],
      hooks: {
        ...hooks,
        setSelect: [
          (u) => {
            if (u.select.width < 4) return;
            const ends = [u.select.left, u.select.left + u.select.width].map((at) => u.posToVal(at, 'x'));
            u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            bank.zoom(ends);
          },
        ],
      },
      cursor: {
        y: false,
        ...cursor,
        drag: { x: true, y: false, setScale: false },
        bind: { dblclick: () => () => (bank.zoom(null), null) },
        sync: { key: bank.key, setSeries: false, filters: { pub: (type) => /^mouse(move|leave)$/.test(type) } },
      },
    },
    data,
    figure,
  );
  figure.onkeydown = (event) => press(bank, plot, event);
  return plot;
}

/** The first and the last step of lines that are not empty. */
export function extent(lines) {
  return [Math.min(...lines.map(({ series }) => series.step[0])), Math.max(...lines.map(({ series }) => series.step.at(-1)))];
}

export function redraw(bank, plot, data) {
  const [min, max] = bank.range();
  plot.setData(data, false);
  plot.setScale('x', { min, max });
}

function press(bank, plot, event) {
  const xs = plot.data[0];
  const at = plot.cursor.idx ?? xs.length - 1;
  const stride = event.shiftKey ? 10 : 1;
  const [low, high] = bank.range();
  const middle = plot.cursor.idx === null || plot.cursor.idx === undefined ? (low + high) / 2 : xs[at];
  const show = (index) => {
    const x = xs[Math.min(xs.length - 1, Math.max(0, index))];
    plot.setCursor({ left: plot.valToPos(x, 'x'), top: plot.cursor.top > 0 ? plot.cursor.top : 1 }, true, true);
  };
  const keys = {
    ArrowLeft: () => show(at - stride),
    ArrowRight: () => show(at + stride),
    Home: () => show(0),
    End: () => show(xs.length - 1),
    '+': () => bank.zoom([middle - (middle - low) / 2, middle + (high - middle) / 2]),
    '-': () => bank.zoomed && bank.zoom([middle - (middle - low) * 2, middle + (high - middle) * 2]),
    Escape: () => bank.zoom(null),
  };
  if (!keys[event.key]) return;
  event.preventDefault();
  keys[event.key]();
}

function stepAxis() {
  return {
    stroke: () => ink('muted'),
    font: axisFont,
    size: 28,
    gap: 4,
    space: 60,
    grid: { stroke: () => ink('grid'), width: 1 },
    ticks: { show: false },
    values: (_, splits) => splits.map((step) => (Number.isInteger(step) ? integer(step) : '')),
  };
}

/** The axis of a plot whose x has a logarithmic scale. */
export function logAxis() {
  return { ...stepAxis(), filter: (_, splits) => splits, values: (_, splits) => splits.map((value) => decade(Math.round(Math.log10(value)))) };
}

export function valueAxis(log, format) {
  const axis = {
    stroke: () => ink('muted'),
    font: axisFont,
    size: 52,
    gap: 4,
    space: 30,
    grid: { stroke: () => ink('grid'), width: 1 },
    ticks: { show: false },
    values: (_, splits) => splits.map(format),
  };
  if (!log) return axis;
  return {
    ...axis,
    splits: (plot, _, low, high) => decades(low, high, plot.bbox.height / devicePixelRatio / 18),
    filter: (_, splits) => splits,
    grid: { ...axis.grid, filter: (_, splits) => splits },
    values: (_, splits) => splits.map((value) => decade(Math.round(Math.log10(value)))),
  };
}

/** Whole decades from low to high, so far apart that at most `most` of them are named. */
export function decades(low, high, most) {
  const [first, last] = [Math.round(Math.log10(low)), Math.round(Math.log10(high))];
  const stride = Math.max(1, Math.ceil((last - first + 1) / Math.max(2, most)));
  const splits = [];
  for (let exponent = Math.ceil(first / stride) * stride; exponent <= last; exponent += stride)
    splits.push(10 ** exponent);
  return splits;
}

const mixed = (color, percent) => `color-mix(in srgb, ${color} ${percent}%, transparent)`;

/** A logarithmic scale ends at whole decades; one without a single positive value shows three of them. */
function decadeRange(_, low, high) {
  if (!(low > 0)) return [1e-3, 1];
  const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  return [10 ** first, 10 ** Math.max(last, first + 1)];
}

/**
 * A chart of named lines. `legend`: 'row' above the plot or 'table' beside it. `update(lines)` takes
 * [{name, color: () => css, series, dots, faint, bare, peaks, best}] and may be called as often as data comes: `faint` is drawn behind, `bare`
 * without the band of extremes, `peaks` by the greatest of each bucket instead, `best` is the step of a record to ring. `healthy` is a band of values [low, high].
 */
export class Chart {
  plot = null;
  #bank;
  #options;
  #lines = [];
  #keys = '';
  #legend;
  #stepText = h('span', { class: 'muted' });
  #figure;
  #resize;

  constructor(
    bank,
    { title, unit = '', log = false, height = 200, axis = shortest, format = number, legend = 'row', empty, controls, healthy },
  ) {
    this.#bank = bank;
    this.#options = { title, unit, log, height, axis, format, legend, healthy };
    this.#figure = h('div', {
      class: 'plot',
      tabindex: 0,
      role: 'group',
      'aria-label': t('{title}: arrows move the crosshair, plus and minus zoom, Escape goes back', { title }),
    });
    this.#legend = h('div', { class: `legend ${legend}` });
    this.empty = h('p', { class: 'empty muted' }, empty);
    replace(this.#figure, this.empty);
    this.element = h(
      'section',
      { class: `chart ${legend}` },
      h('h2', {}, title, ' ', h('span', { class: 'muted' }, unit), ' ', this.#stepText, controls ?? null),
      legend === 'row' ? this.#legend : null,
      this.#figure,
      legend === 'table' ? this.#legend : null,
    );
    this.#figure.style.minHeight = `${height}px`;
    this.#resize = new ResizeObserver(() => this.plot?.setSize({ width: this.#figure.clientWidth, height }));
    this.#resize.observe(this.#figure);
    bank.charts.add(this);
  }

  set log(log) {
    this.#options.log = log;
    this.#keys = '';
    this.update(this.#lines);
  }

  update(lines) {
    this.#lines = lines.filter((line) => line.series.step.length);
    if (!this.#lines.length) return;
    this.#bank.extend(this, extent(this.#lines));
    this.#bank.ask(this);
  }

  finish() {
    this.#resize.disconnect();
    this.plot?.destroy();
    this.plot = null;
  }

  #drawable = (value) => Number.isFinite(value) && (!this.#options.log || value > 0);

  draw() {
    const xs = unionOfSteps(this.#lines.map((line) => line.series));
    const drawn = ({ series, peaks }) => (peaks && series.max ? series.max : series.value);
    const data = [xs, ...this.#lines.map((line) => onSteps(line.series, xs, drawn(line), this.#drawable))];
    for (const { series, bare, peaks } of this.#lines) {
      if (series.min && !bare && !peaks)
        data.push(onSteps(series, xs, series.max, this.#drawable), onSteps(series, xs, series.min, this.#drawable));
    }
    const keys = this.#lines.map((line) => line.name + (line.series.min && !line.bare && !line.peaks ? '*' : '') + (line.faint ? '-' : '')).join();
    if (keys === this.#keys && this.plot) {
      redraw(this.#bank, this.plot, data);
    } else {
      this.#keys = keys;
      this.#build(data);
    }
    this.#showValues();
  }

  #build(data) {
    const { log, height, axis } = this.#options;
    const lines = this.#lines;
    this.plot?.destroy();
    const thinned = lines.filter((line) => line.series.min && !line.bare && !line.peaks);
    // The extremes of each bucket have a line of their own: one step in a hundred thousand is as wide as a pixel.
    const extreme = (line) => ({ stroke: () => mixed(line.color(), line.faint ? 30 : 55), points: { show: false }, width: 1 });
    replace(this.#figure);
    this.plot = plotOver(
      this.#bank,
      this.#figure,
      {
        width: this.#figure.clientWidth,
        height,
        rest: {
          scales: {
            y: log
              ? { distr: 3, range: decadeRange }
              : { range: (_, low, high) => (low === 0 && high === 0 ? [0, 1] : uPlot.rangeNum(low, high, 0.06, false)) },
          },
          series: [
            ...lines.map((line) => ({
              stroke: line.faint ? () => mixed(line.color(), 40) : line.color,
              width: line.dots || line.bare ? 1.75 : line.peaks ? 1 : 1.25, // hair lines are drawn several times faster; of many layers each is one
              spanGaps: false,
              points: { show: this.#showsDots(line), size: 4, fill: line.color, width: 0 },
            })),
            ...thinned.flatMap((line) => [extreme(line), extreme(line)]),
          ],
          axes: [valueAxis(log, axis)],
          cursor: { points: { size: 5 }, focus: { prox: lines.length > 3 ? 12 : -1 } },
          hooks: {
            setCursor: [() => this.#showValues()],
            drawClear: [(plot) => this.#drawHealthy(plot)],
            draw: [(plot) => this.#drawMarks(plot), (plot) => drawEvents(this.#bank, plot)],
          },
        },
      },
      data,
    );
    thinned.forEach((line, at) => {
      const greatest = 1 + lines.length + 2 * at;
      this.plot.addBand({
        series: [greatest, greatest + 1],
        fill: () => mixed(line.color(), line.faint ? 12 : 28),
      });
    });
    this.#buildLegend();
  }

  /** Dots where the eye can tell them apart, and where there is nothing yet to draw a line between. */
  #showsDots({ dots, series }) {
    return (plot, _, first, last) => {
      const [low, high] = [first, last].map((at) => series.indexAt(plot.data[0][at]));
      return high - low < (dots ? plot.bbox.width / devicePixelRatio / 6 : 3);
    };
  }

  #buildLegend() {
    this.cells = this.#lines.map((line, at) => {
      const value = h('td', { class: 'number' });
      const swatch = h('i', { class: line.dots ? 'swatch dot' : 'swatch' });
      swatch.style.setProperty('--swatch', line.color());
      const row = h(
        'tr',
        {
          onmouseenter: () => this.plot?.setSeries(at + 1, { focus: true }),
          onmouseleave: () => this.plot?.setSeries(null, { focus: false }),
        },
        h('th', { scope: 'row' }, swatch, line.name),
        value,
      );
      return { row, value, swatch, line };
    });
    replace(
      this.#legend,
      h(
        'table',
        {},
        h(
          'tbody',
          {},
          this.cells.map((cell) => cell.row),
        ),
      ),
    );
  }

  /** The values under the crosshair, each the last recorded at or before it; without a crosshair the newest. */
  #showValues() {
    if (!this.plot || !this.cells) return;
    const index = this.plot.cursor.idx;
    const step = index === null || index === undefined ? null : this.plot.data[0][index];
    setText(this.#stepText, step === null || step === undefined ? '' : `· ${t('step {step}', { step: integer(step) })}`);
    for (const { value, line } of this.cells) {
      const at = step === null || step === undefined ? line.series.value.length - 1 : line.series.indexAt(step);
      const shown = at < 0 ? null : step === null || step === undefined ? line.series.newest : line.series.value[at];
      setText(value, this.#options.format(shown));
      value.title = at < 0 ? '' : t('{value} at step {step}', { value: shown, step: line.series.step[at] });
    }
  }

  /** The legend in the colours of the theme. */
  tint() {
    this.cells?.forEach(({ swatch, line }) => swatch.style.setProperty('--swatch', line.color()));
  }

  #drawHealthy(plot) {
    const { healthy } = this.#options;
    if (!healthy) return;
    const { ctx, bbox } = plot;
    const edge = (value) => Math.min(bbox.top + bbox.height, Math.max(bbox.top, plot.valToPos(value, 'y', true)));
    const [bottom, high] = healthy.map(edge);
    ctx.save();
    ctx.fillStyle = mixed(ink('healthy'), 12);
    ctx.fillRect(bbox.left, high, bbox.width, bottom - high);
    ctx.restore();
  }

  /** A record that has no place on the scale is a mark at the edge: × for NaN and infinities, a dot below for zero. */
  #drawMarks(plot) {
    const { ctx, bbox } = plot;
    const size = 4 * devicePixelRatio;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left - size, bbox.top, bbox.width + 2 * size, bbox.height);
    ctx.clip();
    ctx.lineWidth = 1.5 * devicePixelRatio;
    for (const { series, color } of this.#lines) {
      series.value.forEach((value, at) => {
        if (this.#drawable(value)) return;
        const x = plot.valToPos(series.step[at], 'x', true);
        if (Number.isFinite(value)) {
          ctx.fillStyle = color();
          ctx.fillRect(x - size / 2, bbox.top + bbox.height - size, size, size);
          return;
        }
        const y = bbox.top + 2 * size;
        ctx.strokeStyle = ink('critical');
        ctx.beginPath();
        ctx.moveTo(x - size, y - size);
        ctx.lineTo(x + size, y + size);
        ctx.moveTo(x + size, y - size);
        ctx.lineTo(x - size, y + size);
        ctx.stroke();
      });
    }
    for (const { series, color, best } of this.#lines) {
      const at = best === undefined ? -1 : series.indexAt(best);
      if (at < 0 || !this.#drawable(series.value[at])) continue;
      ctx.strokeStyle = color();
      ctx.beginPath();
      ctx.arc(plot.valToPos(series.step[at], 'x', true), plot.valToPos(series.value[at], 'y', true), 1.5 * size, 0, 7);
      ctx.stroke();
    }
    ctx.restore();
  }
}
