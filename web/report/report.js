// Draws a run from the JSON that stands in its own file (#run): state, figures, curves, the depth × time map of gradient
// norms, what was found, the layers, the spec. It imports nothing and asks for nothing: the file is whole by itself.
// Before it, in the same script, stands the page's table of its language as `japanese`; in English an empty one.
const { job, metrics, gradients, diagnosis } = JSON.parse(document.getElementById('run').textContent);
const { findings } = diagnosis;
const series = metrics.series;

function t(text, values) {
  const said = japanese[text] ?? text;
  return values ? said.replace(/\{(\w+)\}/g, (_, name) => values[name]) : said;
}
const named = {
  train_loss: t('train loss'),
  val_loss: t('validation loss'),
  train_accuracy: t('training accuracy'),
  val_accuracy: t('validation accuracy'),
  val_mae: t('Mean absolute error'),
  val_rmse: t('RMSE'),
  val_r2: t('R²'),
  val_perplexity: t('Perplexity'),
  learning_rate: t('Learning rate'),
  samples_per_second: t('Rows/s'),
  gradient_norm: t('Gradient norm'),
  clipped_gradient_norm: t('gradient norm after clipping'),
  test_loss: t('test loss'),
  test_accuracy: t('test accuracy'),
  test_mae: t('test MAE'),
  test_rmse: t('test RMSE'),
  weight_norm: t('Weight norm'),
  update_ratio: t('Update : weight'),
  dead_fraction: t('Dead'),
  saturated_fraction: t('Saturated'),
};
const words = (name) => named[name] ?? name.replaceAll('_', ' ');

function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}
function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);
}
function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}
const finite = (value) => value !== null && value !== undefined && Number.isFinite(Number(value));
function number(value) {
  if (value === null || value === undefined) return '–';
  const x = Number(value);
  if (!Number.isFinite(x)) return String(value);
  if (x === 0) return '0';
  return Math.abs(x) < 1e-3 || Math.abs(x) >= 1e6 ? x.toExponential(2) : String(Number(x.toPrecision(4)));
}

const [wide, tall, left, bottom] = [900, 200, 60, 22];

/** Lines over steps with the least and the greatest of each bucket behind them; what is no number is a gap and a cross. */
function chart(title, lines, log = false) {
  const drawn = lines.filter(({ of }) => series[of]?.step.length);
  if (!drawn.length) return null;
  const fits = (value) => finite(value) && (!log || Number(value) > 0);
  const read = (value) => (log ? Math.log10(Number(value)) : Number(value));
  const all = drawn.flatMap(({ of }) => ['value', 'min', 'max'].flatMap((key) => (series[of][key] ?? []).filter(fits).map(read)));
  const last = Math.max(...drawn.map(({ of }) => series[of].step.at(-1)));
  let [low, high] = [Math.min(...all), Math.max(...all)];
  if (!(high > low)) [low, high] = [low - 0.5, low + 0.5];
  const x = (step) => left + (step / last) * (wide - left - 10);
  const y = (value) => 8 + (1 - (read(value) - low) / (high - low)) * (tall - bottom - 8);
  const ticks = [0, 1, 2, 3, 4].map((at) => low + ((high - low) * at) / 4);
  const paths = drawn.flatMap(({ of, kind }) => {
    const { step, value, min, max } = series[of];
    let pen = 'M';
    let line = '';
    const crosses = [];
    step.forEach((at, index) => {
      if (!fits(value[index])) {
        crosses.push(svg('text', { x: x(at) - 4, y: 16, class: 'critical' }, '×'));
        pen = 'M';
        return;
      }
      line += `${pen}${x(at).toFixed(1)} ${y(value[index]).toFixed(1)}`;
      pen = 'L';
    });
    const spread = min
      ? step.flatMap((at, index) => (fits(min[index]) && fits(max[index]) ? `M${x(at).toFixed(1)} ${y(min[index]).toFixed(1)}L${x(at).toFixed(1)} ${(y(max[index]) - 0.5).toFixed(1)}` : [])).join('')
      : '';
    const band = svg('path', { d: spread, class: kind });
    band.style.opacity = 0.4;
    return [band, svg('path', { d: line, class: kind }), crosses];
  });
  return h(
    'section',
    {},
    h('h2', {}, title, ' ', h('span', { class: 'muted' }, drawn.map(({ of, name }) => `${name} ${number(series[of].value.at(-1))}`).join(' · '))),
    svg(
      'svg',
      { viewBox: `0 0 ${wide} ${tall}`, width: wide, role: 'img', 'aria-label': title },
      ticks.map((value) => {
        const at = 8 + (1 - (value - low) / (high - low)) * (tall - bottom - 8);
        return [svg('line', { x1: left, x2: wide - 10, y1: at, y2: at, class: 'grid' }), svg('text', { x: left - 6, y: at + 4, 'text-anchor': 'end' }, number(log ? 10 ** value : value))];
      }),
      [0, 0.25, 0.5, 0.75, 1].map((part) => svg('text', { x: x(last * part), y: tall - 4, 'text-anchor': part ? (part === 1 ? 'end' : 'middle') : 'start' }, Math.round(last * part))),
      paths,
    ),
  );
}

const magma = ['000004', '1d1147', '51127c', '822681', 'b73779', 'e75263', 'fc8961', 'fec488', 'fcfdbf'];
function shade(part) {
  const place = Math.min(1, Math.max(0, part)) * (magma.length - 1);
  const low = Math.min(magma.length - 2, Math.floor(place));
  return [0, 2, 4].map((digit) => {
    const [a, b] = [magma[low], magma[low + 1]].map((hex) => parseInt(hex.slice(digit, digit + 2), 16));
    return a + (b - a) * (place - low);
  });
}

function heat() {
  const layers = gradients.layers.filter((layer) => layer.series.gradient_norm?.step.length).sort((a, b) => a.index - b.index);
  if (!layers.length) return null;
  const norms = layers.flatMap((layer) => layer.series.gradient_norm.value).map(Number).filter((norm) => norm > 0 && Number.isFinite(norm));
  const high = Math.ceil(Math.log10(Math.max(...norms)));
  const low = Math.min(high - 4, Math.floor(Math.log10(Math.min(...norms))));
  const columns = Math.max(...layers.map((layer) => layer.series.gradient_norm.step.length));
  const canvas = h('canvas', { width: columns, height: layers.length, role: 'img', 'aria-label': t('gradient norm, layer × step') });
  canvas.style.height = `${16 * layers.length}px`;
  const picture = new ImageData(columns, layers.length);
  layers.forEach((layer, row) =>
    (layer.series.gradient_norm.max ?? layer.series.gradient_norm.value).forEach((norm, column) => {
      const color = finite(norm) ? shade(Number(norm) > 0 ? (Math.log10(Number(norm)) - low) / (high - low) : 0) : [224, 49, 49];
      picture.data.set([...color, 255], 4 * (row * columns + column));
    }),
  );
  canvas.getContext('2d').putImageData(picture, 0, 0);
  return h(
    'section',
    {},
    h('h2', {}, t('Gradient norm'), ' ', h('span', { class: 'muted' }, `${t('layer × step')} · ${t('input at the top; dark {low}, light {high}', { low: `1e${low}`, high: `1e${high}` })}`)),
    h('div', { class: 'heat' }, h('div', {}, layers.map(({ name }) => h('span', { style: 'display:block' }, name))), canvas),
  );
}

function table(heads, rows) {
  return h(
    'div',
    { class: 'scroll' },
    h('table', {}, h('thead', {}, h('tr', {}, heads.map((head) => h('th', { scope: 'col' }, head)))), h('tbody', {}, rows.map(([first, ...rest]) => h('tr', {}, h('th', { scope: 'row' }, first), rest.map((cell) => h('td', {}, cell)))))),
  );
}

const statistics = ['gradient_norm', 'weight_norm', 'update_ratio', 'dead_fraction', 'saturated_fraction'];
const newest = (name, of) => gradients.layers.find((layer) => layer.name === name)?.series[of]?.value.at(-1);
const seconds = job.started_at && job.finished_at ? (Date.parse(job.finished_at) - Date.parse(job.started_at)) / 1000 : null;
const facts = [
  ...Object.entries(job.metrics ?? {}),
  [t('best validation loss'), job.best?.val_loss],
  [t('best epoch'), job.best?.epoch],
  [t('parameters'), job.plan?.parameters],
  [t('steps'), job.progress?.step],
  [t('seconds'), seconds],
].filter(([, value]) => value !== null && value !== undefined);

const verdict = job.diagnosis?.verdict;
document.title = `${job.name || job.id} · backpropd`;
document.querySelector('main').append(
  h('h1', {}, job.name || job.id),
  h('p', {}, `${t(job.status)} `, verdict ? h('span', { class: verdict }, t(verdict)) : '', h('span', { class: 'muted' }, ` · ${job.id} · ${job.finished_at ?? job.created_at}`)),
  h('dl', {}, facts.map(([name, value]) => h('div', {}, h('dt', {}, words(name)), h('dd', { title: value }, number(value))))),
  ...[
    findings.length
      ? h(
          'section',
          {},
          h('h2', {}, t('Findings')),
          findings.map((finding) =>
            h(
              'div',
              {},
              h('p', {}, h('span', { class: finding.severity }, t(finding.severity)), ' ', h('strong', {}, t(finding.code.replaceAll('_', ' '))), finding.layer ? ` ${t('in {layer}', finding)}` : '', finite(finding.first_step) ? ` ${t('since step {step}', { step: finding.first_step })}` : ''),
              h('p', {}, finding.explanation ?? ''),
              (finding.remedies ?? []).map((remedy) => h('p', {}, '→ ', remedy.title, remedy.why ? `: ${remedy.why}` : '')),
            ),
          ),
        )
      : null,
    chart(t('Loss'), [
      { of: 'train_loss', name: t('train'), kind: 'train' },
      { of: 'val_loss', name: t('validation'), kind: 'validation' },
    ]),
    chart(t('Accuracy'), [
      { of: 'train_accuracy', name: t('train'), kind: 'train' },
      { of: 'val_accuracy', name: t('validation'), kind: 'validation' },
    ]),
    ...['val_mae', 'val_r2', 'val_perplexity'].map((of) => chart(of.replaceAll('_', ' '), [{ of, name: t('validation'), kind: 'validation' }])),
    heat(),
    chart(`${t('Gradient norm')} · ${t('whole net, log')}`, [{ of: 'gradient_norm', name: t('before clipping'), kind: 'plain' }], true),
    chart(t('Learning rate'), [{ of: 'learning_rate', name: t('rate'), kind: 'plain' }]),
    h('h2', {}, t('Layers'), ' ', h('span', { class: 'muted' }, t('newest record of each'))),
    table(
      [t('Layer'), t('Type'), t('Output'), t('Parameters'), ...statistics.map(words)],
      (job.plan?.layers ?? []).map((layer) => [layer.name, layer.type, layer.output_shape.join(' × '), layer.parameters, ...statistics.map((of) => number(newest(layer.name, of)))]),
    ),
    h('h2', {}, t('Spec')),
    h('pre', {}, JSON.stringify(job.spec, null, 2)),
  ].filter(Boolean),
);
