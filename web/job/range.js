// A learning-rate range test: the loss of each step over the rate of that step, the smoothed curve that the service judges by, and
// on it the rate that it suggests, the least loss and where the loss breaks away.
import uPlot from '../lib/uplot/uPlot.esm.js';
import { decades, logAxis, valueAxis } from '../chart.js';
import { ink, onThemeChange } from '../color.js';
import { h, replace, setText } from '../dom.js';
import { number, parse, shortest } from '../format.js';
import { t } from '../language.js';

const height = 260;

export function rangeChart(run) {
  const figure = h('div', { class: 'plot', tabindex: 0, role: 'group', 'aria-label': t('loss over the learning rate: arrows move the crosshair') });
  const cells = [t('rate'), t('loss'), t('smoothed')].map((name) => ({ name, value: h('td', { class: 'number' }) }));
  const said = h('p');
  const legend = h(
    'div',
    { class: 'legend row' },
    h('table', {}, h('tbody', {}, cells.map(({ name, value }) => h('tr', {}, h('th', { scope: 'row' }, name), value)))),
  );
  const element = h('section', { class: 'chart range' }, h('h2', {}, t('Loss'), ' ', h('span', { class: 'muted' }, t('over the learning rate, log'))), said, legend, figure);
  figure.style.minHeight = `${height}px`;
  replace(figure, h('p', { class: 'empty muted' }, t('The loss at each rate appears with the first steps.')));
  let plot = null;
  const resize = new ResizeObserver(() => plot?.setSize({ width: figure.clientWidth, height }));
  resize.observe(figure);
  run.signal.addEventListener('abort', () => {
    resize.disconnect();
    plot?.destroy();
  });
  onThemeChange(run.signal, () => plot?.redraw(false));

  function columns() {
    const rates = run.metrics.get('learning_rate');
    const losses = run.metrics.get('train_loss');
    const smoothed = run.job.result?.curve?.smoothed_loss ?? [];
    const finite = (value) => (Number.isFinite(value) ? value : null);
    const length = Math.min(rates.value.length, losses.value.length);
    return [rates.value.slice(0, length), losses.value.slice(0, length).map(finite), rates.value.slice(0, length).map((_, at) => finite(parse(smoothed[at])))];
  }

  /** A line from top to bottom and what it says, each a line of text lower than the one before. */
  function mark({ ctx, bbox, valToPos }, rate, text, row, color) {
    if (!(rate > 0)) return;
    const ratio = devicePixelRatio;
    const x = Math.round(valToPos(rate, 'x', true)) + 0.5;
    const right = x > bbox.left + bbox.width / 2;
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = ink(color);
    ctx.lineWidth = ratio;
    ctx.setLineDash(row ? [3 * ratio, 3 * ratio] : []);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.font = `${12 * ratio}px system-ui, sans-serif`;
    ctx.textAlign = right ? 'right' : 'left';
    ctx.fillText(text, x + (right ? -5 : 5) * ratio, bbox.top + (12 + 15 * row) * ratio);
    ctx.restore();
  }
  function drawMarks(drawn) {
    const { suggested_learning_rate: suggested, broke_away_at: away, minimum } = run.job.result ?? {};
    mark(drawn, suggested, t('suggested: {rate}', { rate: number(suggested, 3) }), 0, 'ink');
    mark(drawn, minimum?.learning_rate, t('least loss'), 1, 'muted');
    mark(drawn, away, t('breaks away'), 2, 'critical');
  }

  function showValues() {
    const at = plot.cursor.idx ?? null;
    cells.forEach(({ value }, column) => {
      const shown = at === null ? null : plot.data[column][at];
      setText(value, number(shown));
      value.title = shown ?? '';
    });
  }
  figure.addEventListener('keydown', (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step || !plot) return;
    event.preventDefault();
    const last = plot.data[0].length - 1;
    const at = Math.min(last, Math.max(0, (plot.cursor.idx ?? (step > 0 ? -1 : last + 1)) + step * (event.shiftKey ? 10 : 1)));
    plot.setCursor({ left: plot.valToPos(plot.data[0][at], 'x'), top: 1 });
  });

  return {
    element,
    draw() {
      const data = columns();
      setText(said, explained(run.job.result));
      if (data[0].length < 2) return;
      if (plot) {
        plot.setData(data);
        return;
      }
      replace(figure);
      plot = new uPlot(
        {
          width: figure.clientWidth,
          height,
          padding: [8, 24, 0, 0],
          legend: { show: false },
          scales: { x: { time: false, distr: 3 }, y: { range: (_, low, high) => uPlot.rangeNum(low, high, 0.06, false) } },
          series: [
            {},
            { stroke: () => ink('muted'), width: 1, points: { show: false } },
            { stroke: () => ink('train'), width: 2, points: { show: false } },
          ],
          axes: [{ ...logAxis(), splits: (drawn, _, low, high) => decades(low, high, drawn.bbox.width / devicePixelRatio / 60) }, valueAxis(false, shortest)],
          cursor: { y: false, drag: { x: true, y: false }, points: { size: 5 } },
          hooks: { setCursor: [showValues], draw: [drawMarks] },
        },
        data,
        figure,
      );
      showValues();
    },
  };
}

function explained(result) {
  if (!result) return '';
  const { suggested_learning_rate: suggested, broke_away_at: away, minimum } = result;
  if (suggested === null) return t('The loss never fell reliably between these rates: no rate is suggested.');
  const falls = t('The loss falls fastest at a rate of {rate}, which is the one suggested; it is least at {least}.', { rate: number(suggested, 3), least: number(minimum.learning_rate, 3) });
  return away === null ? falls : `${falls} ${t('It breaks away at {rate}.', { rate: number(away, 3) })}`;
}
