// What every layer has recorded, as curves over steps: update ratios with their healthy band, dead and saturated units,
// spread of activations, norms of weights, and the histograms of a layer over time.
import { get, offers } from '../api.js';
import { Chart } from '../chart.js';
import { depth, magnitude } from '../color.js';
import { h, problemBox, replace, setText } from '../dom.js';
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
  const histograms = histogramSection(run);
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

/** A column a record in time, a row a bin, shaded by the share of numbers in it; the edges of the newest stand beside it. */
function histogramSection({ path, signal, keep, query }) {
  const held = new URLSearchParams(query);
  const canvas = h('canvas', { role: 'img', class: 'histogram' });
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
  const scale = [h('span'), h('span')];
  const trouble = h('div');
  const element = h(
    'section',
    { class: 'histograms' },
    h('div', { class: 'line' }, h('h2', {}, t('Histograms over time')), layer, kind),
    trouble,
    h('div', { class: 'histogram-frame' }, h('div', { class: 'histogram-scale muted' }, scale), canvas),
    note,
  );
  let names = '';

  async function load() {
    keep('layer', layer.value);
    keep('of', kind.value);
    try {
      const got = await get(
        `${path}/histograms?layer=${encodeURIComponent(layer.value)}&kind=${kind.value}`,
        signal,
      );
      replace(trouble);
      paint(got);
    } catch (error) {
      if (!signal.aborted) replace(trouble, problemBox(error));
    }
  }

  function paint({ steps, edges, counts }) {
    canvas.hidden = !steps.length;
    if (!steps.length) {
      setText(note, t('No histogram has been recorded of this.'));
      return;
    }
    const low = Math.min(...edges.map((one) => one[0]));
    const high = Math.max(...edges.map((one) => one.at(-1)));
    const rows = 96;
    const picture = new ImageData(steps.length, rows);
    counts.forEach((bins, column) => {
      const total = bins.reduce((sum, n) => sum + n, 0) || 1;
      const most = Math.max(...bins) / total;
      for (let row = 0; row < rows; row++) {
        const value = high - ((row + 0.5) / rows) * (high - low);
        let bin = edges[column].findIndex((edge) => edge > value) - 1;
        if (bin < 0 || bin >= bins.length) bin = -1;
        const part = bin < 0 ? 0 : bins[bin] / total / (most || 1);
        picture.data.set([...magnitude(Math.sqrt(part)), 255], 4 * (row * steps.length + column));
      }
    });
    canvas.width = steps.length;
    canvas.height = rows;
    canvas.getContext('2d').putImageData(picture, 0, 0);
    canvas.setAttribute('aria-label', t('histogram of {layer} over steps', { layer: layer.value }));
    setText(scale[0], number(high, 3));
    setText(scale[1], number(low, 3));
    setText(
      note,
      t('Steps {first} to {last}, a column each of {count} records; the lighter, the more numbers in the bin.', {
        first: integer(steps[0]),
        last: integer(steps.at(-1)),
        count: integer(steps.length),
      }),
    );
  }

  layer.addEventListener('change', load);
  kind.addEventListener('change', load);
  return {
    element,
    async offer(all) {
      if (all.join() === names) return;
      element.hidden = !(await offers('/v1/jobs/{id}/histograms'));
      if (element.hidden) return;
      names = all.join();
      replace(
        layer,
        all.map((name) => h('option', { selected: name === held.get('layer') }, name)),
      );
      if (all.length) load();
    },
  };
}
