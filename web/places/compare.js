// Compare: up to eight runs over each other, what differs in their jobs, and their gradients from layer to layer side by side.
import { curl, get } from '../api.js';
import { Bank, Chart } from '../chart.js';
import { categories, onThemeChange } from '../color.js';
import { differences } from '../differences.js';
import { curlLine, every, h, replace, svg } from '../dom.js';
import { between, decade, duration, integer, number, percent } from '../format.js';
import { HeatMap } from '../heatmap.js';
import { differenceTable } from '../job/findings.js';
import { t } from '../language.js';
import { SeriesSet } from '../series.js';
import { ended, statusWord, verdictWord } from '../state.js';

const most = 8;
const curves = [
  { of: 'train_loss', title: t('Train loss') },
  { of: 'val_loss', title: t('Validation loss'), dots: true },
  { of: 'val_accuracy', title: t('Validation accuracy'), dots: true, format: percent, axis: (x) => `${Number((100 * x).toPrecision(4))} %` },
  { of: 'val_r2', title: t('R²'), dots: true },
  { of: 'val_perplexity', title: t('Perplexity'), dots: true },
  { of: 'gradient_norm', title: t('Gradient norm'), unit: t('whole net, log'), log: true },
];
const figures = [
  [t('state'), (job) => statusWord(job.status)],
  [t('verdict'), (job) => (job.diagnosis?.verdict ? verdictWord(job.diagnosis.verdict) : '–')],
  [t('found'), (job) => job.diagnosis?.codes?.map((code) => t(code.replaceAll('_', ' '))).join(', ') || '–'],
  [t('train loss'), (job) => number(job.metrics?.train_loss)],
  [t('validation loss'), (job) => number(job.metrics?.val_loss)],
  [t('best validation loss'), (job) => (job.best ? t('{loss} in epoch {epoch}', { loss: number(job.best.val_loss), epoch: integer(job.best.epoch) }) : '–')],
  [t('validation accuracy'), (job) => percent(job.metrics?.val_accuracy ?? null)],
  [t('R²'), (job) => number(job.metrics?.val_r2 ?? null)],
  [t('test accuracy'), (job) => percent(job.metrics?.test_accuracy ?? null)],
  [t('parameters'), (job) => integer(job.plan?.parameters)],
  [t('steps'), (job) => integer(job.progress?.step)],
  [t('time'), (job) => duration(between(job.started_at, job.finished_at))],
];

export async function comparePlace({ query, signal, title, arrive }) {
  title(t('Compare'));
  const wanted = (query.get('jobs') ?? '').split(',').filter(Boolean);
  const ids = wanted.slice(0, most);
  const [jobs, { items: all }] = await Promise.all([
    Promise.all(ids.map((id) => get(`/v1/jobs/${encodeURIComponent(id)}`, signal))),
    get('/v1/jobs?limit=200&brief=true', signal),
  ]);
  const bank = new Bank(signal);
  const runs = jobs.map((job, at) => ({ job, at, color: () => categories()[at], metrics: new SeriesSet(), layers: [] }));
  const go = (list) => {
    location.hash = list.length ? `#/compare?jobs=${list.join()}` : '#/compare';
  };
  const add = h(
    'select',
    {
      'aria-label': t('add a run'),
      disabled: ids.length === most,
      onchange: () => add.value && go([...ids, add.value]),
    },
    h('option', { value: '' }, ids.length === most ? t('eight runs at most') : t('add a run')),
    all.filter(({ id }) => !ids.includes(id)).map((job) => h('option', { value: job.id }, `${job.name || job.id} · ${t(job.status)} · ${job.id.slice(-6)}`)),
  );
  const left = wanted.length - ids.length;
  const head = h('div', { class: 'line' }, h('h1', {}, t('Compare')), add, left ? h('span', { class: 'muted', role: 'status' }, t('eight runs at most: {count} of those asked for left out', { count: left })) : null);
  if (!runs.length) {
    arrive(head, h('p', { class: 'muted' }, t('Choose two to eight runs: their curves are laid over each other, and what differs in their jobs is listed.')));
    return;
  }

  const charts = curves.map(({ of, dots, ...options }) => ({ of, dots, chart: new Chart(bank, { height: 190, empty: t('Appears when a run has recorded it.'), ...options }) }));
  const profile = h('div');
  const heats = runs.map(
    (run) => new HeatMap(bank, { title: nameOf(run), unit: t('gradient norm, layer × step'), height: 170, empty: t('Appears with the first recorded step.') }),
  );
  const cells = figures.map(() => runs.map(() => h('td')));
  const table = h(
    'table',
    { class: 'list compare' },
    h(
      'thead',
      {},
      h(
        'tr',
        {},
        h('th', { scope: 'col' }, t('Run')),
        runs.map((run) =>
          h(
            'th',
            { scope: 'col' },
            swatch(run),
            h('a', { href: `#/jobs/${run.job.id}` }, nameOf(run)),
            h('button', { type: 'button', class: 'plain', 'aria-label': t('take {name} out', { name: nameOf(run) }), onclick: () => go(ids.filter((id) => id !== run.job.id)) }, '×'),
          ),
        ),
      ),
    ),
    h(
      'tbody',
      {},
      figures.map(([name], at) => h('tr', {}, h('th', { scope: 'row' }, name), cells[at])),
    ),
  );
  const outcome = h('div');
  const changes = differences(runs.map(({ job }) => ({ dataset: job.dataset, model: job.spec?.model, training: job.spec?.training }))).filter(({ path }) => !/layers\.\d+\.name$/.test(path));
  arrive(
    head,
    h('div', { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': t('the runs') }, table),
    outcome,
    h('div', { class: 'charts' }, charts.map(({ chart }) => chart.element)),
    runs.length > 1
      ? h(
          'section',
          {},
          h('h2', {}, t('What differs')),
          changes.length
            ? h('div', { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': t('What differs') }, differenceTable(changes, runs.map((run) => h('span', {}, swatch(run), nameOf(run)))))
            : h('p', { class: 'muted' }, t('Nothing: the jobs are the same but for their names.')),
        )
      : null,
    h('section', {}, h('h2', {}, t('Gradient from layer to layer'), ' ', h('span', { class: 'muted' }, t('median of the newest records, log; input first'))), profile),
    h('div', { class: 'charts' }, heats.map(({ element }) => element)),
    runs.length > 1 ? curlLine(curl(`/v1/jobs/${ids[1]}/comparison?with=${ids[0]}`)) : null,
    ids.map((id) => curlLine(curl(`/v1/jobs/${id}/metrics?points=1000`))),
  );

  function drawFigures() {
    figures.forEach(([, show], row) => {
      const shown = runs.map(({ job }) => show(job));
      shown.forEach((one, at) => replace(cells[row][at], one));
      cells[row][0].parentNode.hidden = shown.every((one) => one === '–');
    });
  }
  function draw() {
    for (const { of, dots, chart } of charts) {
      const lines = runs.map((run) => ({ name: nameOf(run), color: run.color, series: run.metrics.get(of), dots })).filter(({ series }) => series.step.length);
      chart.element.hidden = !lines.length;
      chart.update(lines);
    }
    runs.forEach((run, at) =>
      heats[at].update(run.layers.map(({ name, set }) => ({ name, series: set.get('gradient_norm') }))),
    );
    replace(profile, profiles(runs));
  }
  async function load(run) {
    const path = `/v1/jobs/${run.job.id}`;
    const [metrics, gradients] = await Promise.all([
      get(`${path}/metrics?points=500&single=true`, signal),
      get(`${path}/gradients?series=gradient_norm&points=250&peaks=true&single=true`, signal),
    ]);
    run.metrics.append(metrics.series);
    for (const { name, index, series } of gradients.layers) {
      let layer = run.layers.find((one) => one.name === name);
      if (!layer) run.layers.push((layer = { name, index, set: new SeriesSet() }));
      layer.set.append(series);
    }
    run.layers.sort((a, b) => a.index - b.index);
  }
  const update = async (wanted) => {
    await Promise.all(
      wanted.map(async (run) => {
        run.job = await get(`/v1/jobs/${run.job.id}`, signal);
        await load(run);
      }),
    );
    drawFigures();
    draw();
    if (runs.length === 2 && runs.every(({ job }) => ended(job))) {
      const comparison = await get(`/v1/jobs/${ids[1]}/comparison?with=${ids[0]}`, signal).catch(() => null);
      if (comparison) replace(outcome, outcomeOf(comparison));
    }
  };
  onThemeChange(signal, draw);
  await update(runs);
  every(
    signal,
    () => 1500,
    async () => {
      const open = runs.filter(({ job }) => !ended(job) || !job.finished_at);
      if (open.length) await update(open).catch(() => {}); // the frame says that it is stale; the next turn tries again
    },
  );
}

/** What the second of two runs has that the first had not, and whether the seeds of both allow to call it more than luck. */
function outcomeOf({ findings: { opened, closed }, spread }) {
  const said = (findings) => findings.map(({ code, layer }) => t(code.replaceAll('_', ' ')) + (layer ? ` ${t('in {layer}', { layer })}` : '')).join(', ') || t('nothing');
  return h(
    'dl',
    { class: 'facts outcome' },
    h('div', {}, h('dt', {}, t('no longer found')), h('dd', {}, said(closed))),
    h('div', {}, h('dt', {}, t('found anew')), h('dd', {}, said(opened))),
    spread?.exceeds !== undefined
      ? h('div', {}, h('dt', {}, t('over the seeds')), h('dd', {}, spread.exceeds ? t('the difference exceeds their spread') : t('the difference does not exceed their spread')))
      : null,
  );
}

function nameOf({ job }) {
  return job.name || job.id.slice(-6);
}

function swatch(run) {
  const mark = h('i', { class: 'swatch' });
  mark.style.setProperty('--swatch', run.color());
  return mark;
}

/** Norms over depth, a line a run: where one falls towards the input, lower layers get nothing. */
function profiles(runs) {
  const lines = runs
    .map((run) => ({ run, points: run.layers.map(({ name, set }) => ({ name, value: median(set.get('gradient_norm').value.slice(-25)) })) }))
    .filter(({ points }) => points.length);
  const values = lines.flatMap(({ points }) => points.map(({ value }) => value)).filter((value) => value > 0 && Number.isFinite(value));
  if (!values.length) return h('p', { class: 'empty muted' }, t('Appears with the first recorded step.'));
  const [low, high] = [Math.floor(Math.log10(Math.min(...values))), Math.max(Math.ceil(Math.log10(Math.max(...values))), Math.floor(Math.log10(Math.min(...values))) + 1)];
  const [width, height, left, bottom] = [640, 200, 52, 22];
  const y = (value) => 8 + (height - bottom - 8) * (1 - (Math.log10(value) - low) / (high - low));
  const x = (at, count) => left + (count > 1 ? (at / (count - 1)) * (width - left - 12) : (width - left) / 2);
  const stride = Math.max(1, Math.ceil((high - low) / 8));
  const decades = Array.from({ length: Math.floor((high - low) / stride) + 1 }, (_, at) => low + at * stride);
  const drawn = lines.flatMap(({ run, points }) => {
    const shown = points.map((point, at) => ({ ...point, at })).filter(({ value }) => value > 0 && Number.isFinite(value));
    const path = svg('path', { d: shown.map(({ at, value }, first) => `${first ? 'L' : 'M'}${x(at, points.length)} ${y(value)}`).join(' ') });
    path.style.stroke = run.color();
    const dots = shown.map(({ at, value, name }) => {
      const dot = svg('circle', { cx: x(at, points.length), cy: y(value), r: 3 }, svg('title', {}, `${nameOf(run)} · ${name}: ${value}`));
      dot.style.fill = run.color();
      return dot;
    });
    return [path, ...dots];
  });
  return svg(
    'svg',
    { viewBox: `0 0 ${width} ${height}`, width, class: 'profiles', role: 'img', 'aria-label': t('Gradient from layer to layer') },
    decades.flatMap((exponent) => [
      svg('line', { x1: left, x2: width - 12, y1: y(10 ** exponent), y2: y(10 ** exponent) }),
      svg('text', { x: left - 6, y: y(10 ** exponent) + 4, 'text-anchor': 'end' }, decade(exponent)),
    ]),
    drawn,
    svg('text', { x: left, y: height - 4 }, t('input')),
    svg('text', { x: width - 12, y: height - 4, 'text-anchor': 'end' }, t('output')),
  );
}

function median(values) {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  return sorted.length ? sorted[sorted.length >> 1] : NaN;
}
