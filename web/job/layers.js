// What every layer has recorded, as curves over steps: update ratios with their healthy band, dead and saturated units,
// spread of activations, norms of weights, and the histograms of a layer over time.
import { curl, get } from '../api.js';
import { Chart } from '../chart.js';
import { depth, magnitude } from '../color.js';
import { curlLine, h, problemBox, replace, setText } from '../dom.js';
import { integer, number, percent, shortest } from '../format.js';
import { t } from '../language.js';

const share = { format: percent, axis: (x) => `${shortest(100 * x)} %` };
const statistics = [
  {
    of: 'update_ratio',
    title: t('Update : weight'),
    unit: t('log; the band 10⁻⁴ to 10⁻² is where nets learn well'),
    log: true,
    healthy: [1e-4, 1e-2],
    height: 260,
  },
  { of: 'dead_fraction', title: t('Dead units'), unit: t('share of each layer'), ...share },
  { of: 'saturated_fraction', title: t('Saturated units'), unit: t('share of each layer'), ...share },
  { of: 'activation_std', title: t('Spread of activations'), unit: t('standard deviation, log'), log: true },
  { of: 'activation_mean', title: t('Mean of activations') },
  { of: 'weight_norm', title: t('Weight norm'), unit: t('log'), log: true },
];

export const recorded = statistics.map(({ of }) => of);

export function layerCurves(run) {
  const charts = statistics.map(({ of, ...options }) => ({
    of,
    chart: new Chart(run.bank, {
      height: 180,
      legend: 'table',
      empty: t('A line for each layer appears with the first recorded step.'),
      ...options,
    }),
  }));
  const histograms = histogramSection({ ...run, running: () => run.job.status === 'running' });
  return {
    element: h('div', {}, h('div', { class: 'charts' }, charts.map(({ chart }) => chart.element)), histograms.element),
    draw() {
      const layers = run.layersInOrder();
      for (const { of, chart } of charts) {
        const drawn = layers
          .map((layer, at) => ({ name: layer.name, series: layer.set.get(of), color: () => depth(at, layers.length), peaks: layers.length > 12 }))
          .filter(({ series }) => series.step.length);
        chart.element.hidden = !drawn.length && of !== 'update_ratio';
        chart.update(drawn);
      }
      histograms.offer(layers.map(({ name }) => name));
    },
  };
}

const again = 5000; // milliseconds between looks at the histograms of a running job

/**
 * A column a record in time, a row a range of values, shaded by the share of the column's numbers in it. The values stand on a scale
 * that is linear around zero and logarithmic beyond (asinh), so that a layer whose gradients shrink a thousandfold still has a shape.
 */
function histogramSection({ path, signal, keep, query, ...run }) {
  const held = new URLSearchParams(query);
  const canvas = h('canvas', { role: 'img', class: 'histogram', onpointermove: point, onpointerleave: () => setText(readout, '') });
  const readout = h('span', { class: 'muted' });
  const note = h('p', { class: 'muted' });
  const layer = h('select', { 'aria-label': t('layer') });
  const kind = h(
    'select',
    { 'aria-label': t('of what') },
    [
      ['gradient', t('gradients')],
      ['weight', t('weights')],
      ['activation', t('activations')],
    ].map(([value, text]) => h('option', { value, selected: held.get('of') === value }, text)),
  );
  const scale = [h('span'), h('span'), h('span')];
  const trouble = h('div');
  const element = h(
    'section',
    { class: 'histograms' },
    h('div', { class: 'line' }, h('h2', {}, t('Histograms over time')), layer, kind, readout),
    trouble,
    h('div', { class: 'histogram-frame' }, h('div', { class: 'histogram-scale muted' }, scale), canvas),
    note,
  );
  const command = curlLine('');
  element.append(command);
  const rows = 128;
  let names = '';
  let looked = -again;
  let drawn = null;
  let shown = '';

  async function load() {
    const address = `${path}/histograms?layer=${encodeURIComponent(layer.value)}&kind=${kind.value}`;
    command.show(curl(address));
    looked = performance.now();
    shown = layer.value;
    try {
      const got = await get(address, signal);
      replace(trouble);
      paint(got);
    } catch (error) {
      if (!signal.aborted) replace(trouble, problemBox(error));
    }
  }
  function choose() {
    keep('layer', layer.value);
    keep('of', kind.value);
    load();
  }

  function paint({ steps, edges, counts }) {
    canvas.parentNode.hidden = !steps.length;
    drawn = null;
    if (!steps.length) {
      setText(note, t('No histogram has been recorded of this.'));
      return;
    }
    const ends = edges.map((one) => [Number(one[0]), Number(one.at(-1))]);
    const reach = Math.max(...ends.flat().map(Math.abs)) || 1;
    const sizes = ends.map((pair) => Math.max(...pair.map(Math.abs))).filter((size) => size > 0);
    const unit = sizes.length ? Math.max(Math.min(...sizes) / 4, reach / 1e6) : 1;
    const [low, high] = [Math.min(...ends.map(([first]) => first)), Math.max(...ends.map(([, last]) => last))].map((value) => Math.asinh(value / unit));
    const valueAt = (row) => unit * Math.sinh(high - ((row + 0.5) / rows) * (high - low || 1));
    const binAt = (column, row) => {
      const [first, last] = ends[column];
      const bin = Math.floor(((valueAt(row) - first) / (last - first || 1)) * counts[column].length);
      return bin >= 0 && bin < counts[column].length ? bin : -1;
    };
    const picture = new ImageData(steps.length, rows);
    counts.forEach((bins, column) => {
      const most = Math.max(...bins) || 1;
      for (let row = 0; row < rows; row++) {
        const bin = binAt(column, row);
        picture.data.set([...magnitude(bin < 0 ? 0 : Math.sqrt(bins[bin] / most)), 255], 4 * (row * steps.length + column));
      }
    });
    canvas.width = steps.length;
    canvas.height = rows;
    canvas.getContext('2d').putImageData(picture, 0, 0);
    canvas.setAttribute('aria-label', t('histogram of {layer} over steps', { layer: layer.value }));
    drawn = { steps, counts, valueAt, binAt };
    [0, (rows - 1) / 2, rows - 1].forEach((row, at) => setText(scale[at], number(valueAt(row), 3)));
    setText(
      note,
      t('Steps {first} to {last}, a column each of {count} records; the lighter, the more numbers in the bin.', {
        first: integer(steps[0]),
        last: integer(steps.at(-1)),
        count: integer(steps.length),
      }),
    );
  }

  function point(event) {
    if (!drawn) return;
    const { left, top, width, height } = canvas.getBoundingClientRect();
    const column = Math.min(drawn.steps.length - 1, Math.max(0, Math.floor(((event.clientX - left) / width) * drawn.steps.length)));
    const row = Math.min(rows - 1, Math.max(0, Math.floor(((event.clientY - top) / height) * rows)));
    const bin = drawn.binAt(column, row);
    setText(
      readout,
      `${t('step {step}', { step: integer(drawn.steps[column]) })} · ${t('{count} around {value}', { count: integer(bin < 0 ? 0 : drawn.counts[column][bin]), value: number(drawn.valueAt(row), 3) })}`,
    );
  }

  layer.addEventListener('change', choose);
  kind.addEventListener('change', choose);
  return {
    element,
    offer(all) {
      if (all.join() === names) {
        if (names && run.running() && performance.now() - looked > again) load();
        return;
      }
      names = all.join();
      const chosen = layer.value || held.get('layer');
      replace(
        layer,
        all.map((name) => h('option', { selected: name === chosen }, name)),
      );
      if (all.length && layer.value !== shown) load(); // more layers may come; what is shown stays
    },
  };
}
