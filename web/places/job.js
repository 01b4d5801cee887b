// A job: verdict and state, the curves of its learning, every layer's gradients, what was found, its net and its spec.
// A running job is followed by its events; one that ended is read once, thinned by the service.
import { curl, follow, get, post } from '../api.js';
import { Bank, Chart } from '../chart.js';
import { depth, ink, onThemeChange } from '../color.js';
import { curlLine, every, h, problemBox, replace, setText } from '../dom.js';
import { ago, between, bytes, count, duration, integer, number, percent, shape, shortest } from '../format.js';
import { HeatMap } from '../heatmap.js';
import { SeriesSet } from '../series.js';
import { active, bar, done, ended, statusText, statusWord, verdictWord } from '../state.js';

const thinned = { metrics: 2000, gradients: 500 }; // about two records a pixel, and one for each cell of the map
const train = () => ink('train');
const validation = () => ink('validation');
const plain = () => ink('ink');
const faint = () => ink('muted');

/** Which series stand together in which chart. A chart whose series never come is left out once the job has ended. */
const learning = [
  {
    title: 'Loss',
    unit: '',
    height: 210,
    logSwitch: true,
    empty: 'The loss of every step appears with the first step, the validation loss with the first epoch.',
    lines: [
      { name: 'train', of: 'train_loss', color: train },
      { name: 'validation', of: 'val_loss', color: validation, dots: true },
    ],
  },
  {
    title: 'Accuracy',
    unit: '',
    height: 160,
    format: percent,
    axis: (x) => `${shortest(100 * x)} %`,
    empty: 'Training and validation accuracy appear with the first epoch.',
    lines: [
      { name: 'train', of: 'train_accuracy', color: train },
      { name: 'validation', of: 'val_accuracy', color: validation, dots: true },
    ],
  },
  {
    title: 'Mean absolute error',
    unit: 'on validation',
    height: 160,
    empty: 'Appears with the first epoch.',
    lines: [{ name: 'validation', of: 'val_mae', color: validation, dots: true }],
  },
  {
    title: 'R²',
    unit: 'on validation',
    height: 160,
    empty: 'Appears with the first epoch.',
    lines: [{ name: 'validation', of: 'val_r2', color: validation, dots: true }],
  },
  {
    title: 'Perplexity',
    unit: 'on validation',
    height: 160,
    empty: 'Appears with the first epoch.',
    lines: [{ name: 'validation', of: 'val_perplexity', color: validation, dots: true }],
  },
  {
    title: 'Learning rate',
    unit: '',
    height: 120,
    empty: 'The learning rate of every step appears with the first step.',
    lines: [{ name: 'rate', of: 'learning_rate', color: plain }],
  },
];
const globalNorm = {
  title: 'Gradient norm',
  unit: 'whole net, log',
  log: true,
  height: 120,
  empty: 'Appears with the first recorded step.',
  lines: [
    { name: 'before clipping', of: 'gradient_norm', color: faint },
    { name: 'after', of: 'clipped_gradient_norm', color: plain },
  ],
};

export async function jobPlace({ id, signal, title, arrive, query }) {
  const path = `/v1/jobs/${encodeURIComponent(id)}`;
  let job = await get(path, signal);
  const bank = new Bank(signal);
  const metrics = new SeriesSet();
  const layers = new Map();

  const head = header(job);
  const curves = learning.map((definition) => panel(bank, definition, query));
  const norm = panel(bank, globalNorm, query);
  const heat = new HeatMap(bank, {
    title: 'Gradient norm',
    unit: 'layer × step',
    height: 210,
    empty: 'A row for each layer, input first, appears with the first recorded step.',
  });
  const gradients = new Chart(bank, {
    title: 'Gradient norm',
    unit: 'of every layer, log',
    log: true,
    height: 290,
    legend: 'table',
    empty: 'A line for each layer appears with the first recorded step.',
  });
  const findings = h('section', { class: 'findings', id: 'findings' });
  const net = netTable(job.plan?.layers ?? [], layers);

  const drawMetrics = () =>
    [...curves, norm].forEach(({ chart, lines, title: name }) => {
      const drawn = lines.map((line) => ({ ...line, series: metrics.get(line.of) }));
      chart.element.hidden = !drawn.some(({ series }) => series.step.length) && !expected(job, name, lines);
      chart.update(drawn);
    });
  const drawGradients = () => {
    const all = [...layers.values()]
      .sort((a, b) => a.index - b.index)
      .map((layer) => ({ ...layer, series: layer.set.get('gradient_norm') }))
      .filter(({ series }) => series.step.length);
    heat.update(all);
    gradients.update(all.map((layer, at) => ({ ...layer, color: () => depth(at, all.length) })));
    bank.ask(net);
  };
  const takeMetrics = (event) => {
    metrics.append(event.series);
    drawMetrics();
  };
  const takeGradients = (event) => {
    for (const { name, index, series } of event.layers) {
      if (!layers.has(name)) layers.set(name, { name, index, set: new SeriesSet() });
      layers.get(name).set.append(series);
    }
    drawGradients();
  };
  const show = (changed) => {
    job = { ...job, ...changed };
    head.show(job);
    title(`${job.name || job.id} ${statusText(job.status)}`);
  };
  const refresh = () => get(path, signal).then(show, () => {}); // a failed look is made good by the next
  const found = new Map();
  const takeFinding = (finding) => {
    found.set(`${finding.code} ${finding.layer ?? ''}`, finding);
    drawFindings(findings, [...found.values()]);
  };

  arrive(
    head.element,
    h(
      'div',
      { class: 'charts' },
      h(
        'div',
        {},
        curves.map(({ chart }) => chart.element),
      ),
      h('div', {}, heat.element, gradients.element, norm.chart.element),
    ),
    findings,
    net.element,
    h(
      'details',
      {},
      h('summary', {}, 'Spec, defaults filled in'),
      h('pre', { tabindex: 0 }, JSON.stringify(job.spec, null, 2)),
    ),
    curlLine(curl(`${path}/metrics?points=1000`)),
    curlLine(curl(`${path}/gradients?points=500`)),
    curlLine(`curl -sN ${location.origin}${path}/events`),
  );
  show({});
  drawMetrics();
  net.draw();
  onThemeChange(signal, drawGradients);

  if (!ended(job)) {
    follow(id, signal, {
      status: (event) => {
        const before = job.status;
        show(event);
        if (event.status !== before) refresh();
      },
      metrics: takeMetrics,
      gradients: takeGradients,
      finding: takeFinding,
      end: refresh,
    });
    every(
      signal,
      () => 1000,
      () => (job.status === 'queued' ? refresh() : active(job) && head.show(job)),
    );
    return;
  }
  if (job.diagnosis?.codes?.length) follow(id, signal, { finding: takeFinding, end: () => {} });
  const [all, deep, last] = await Promise.all([
    get(`${path}/metrics?points=${thinned.metrics}`, signal),
    get(`${path}/gradients?series=gradient_norm&points=${thinned.gradients}`, signal),
    get(
      `${path}/gradients?series=${tabled
        .slice(1)
        .map(({ of }) => of)
        .join()}&points=1`,
      signal,
    ),
  ]);
  takeMetrics(all);
  takeGradients(deep);
  takeGradients(last);
}

/** Whether this job's task will fill a chart, as far as that can be told before its numbers come. */
function expected(job, name, lines) {
  if (lines.some(({ of }) => of in (job.metrics ?? {}))) return true;
  if (ended(job)) return false;
  if (name === 'Loss' || name === 'Learning rate') return true;
  const loss = job.spec?.training?.loss?.type ?? job.spec?.training?.loss;
  return name === 'Accuracy'
    ? !['mse', 'mae', 'huber'].includes(loss)
    : name === 'R²' && ['mse', 'mae', 'huber'].includes(loss);
}

function panel(bank, { lines, logSwitch, ...options }, query) {
  const key = options.title.toLowerCase();
  const log = options.log ?? query.get(key) === 'log';
  let chart;
  const controls =
    logSwitch &&
    h(
      'label',
      { class: 'switch' },
      h('input', {
        type: 'checkbox',
        checked: log,
        onchange: (event) => {
          const on = event.target.checked;
          chart.log = on;
          const [path] = location.hash.split('?');
          history.replaceState(null, '', on ? `${path}?${key}=log` : path);
        },
      }),
      ' log',
    );
  chart = new Chart(bank, { ...options, log, controls });
  return { chart, lines, title: options.title };
}

function header(job) {
  const name = h('h1', {}, job.name || job.id);
  const words = h('span', { class: 'words' });
  const actions = h('span', { class: 'actions' });
  const progress = h('div', { class: 'progress' });
  const facts = h('dl', { class: 'facts' });
  const trouble = h('div');
  const act = (verb) => async () => {
    try {
      await post(`/v1/jobs/${job.id}/${verb}`);
      replace(trouble);
    } catch (error) {
      replace(trouble, problemBox(error));
    }
  };
  const cancel = h('button', { onclick: act('cancel') }, 'Cancel');
  let state = '';

  function show(now) {
    const changed = [now.status, now.diagnosis?.verdict, now.model].join();
    if (changed !== state) {
      state = changed;
      replace(
        words,
        statusWord(now.status),
        now.diagnosis?.verdict
          ? [
              ' ',
              h(
                'a',
                {
                  href: `#/jobs/${now.id}`,
                  class: 'verdict',
                  onclick: (event) => {
                    event.preventDefault();
                    document.getElementById('findings').scrollIntoView();
                  },
                },
                verdictWord(now.diagnosis.verdict),
                now.diagnosis.codes?.length ? `: ${now.diagnosis.codes.join(', ')}` : '',
              ),
            ]
          : null,
      );
      replace(
        actions,
        active(now) ? cancel : null,
        now.model ? h('a', { class: 'button', href: `#/models/${now.model}` }, 'Predict') : null,
        active(now) ? null : h('a', { class: 'button', href: `#/new?from=${now.id}` }, 'Change and train again'),
      );
      replace(trouble, now.error ? problemBox({ problem: now.error }) : null);
    }
    const p = now.progress ?? {};
    replace(
      progress,
      bar(done(now)),
      h(
        'span',
        {},
        [
          p.epochs ? `epoch ${integer(p.epoch)} of ${integer(p.epochs)}` : null,
          p.steps ? `step ${integer(p.step)} of ${integer(p.steps)}` : null,
          p.samples_per_second ? `${count(p.samples_per_second)} rows/s` : null,
          now.status === 'running' && p.eta_seconds ? `about ${duration(p.eta_seconds)} left` : null,
          now.status === 'queued' && now.queue_position ? `place ${integer(now.queue_position)} in the queue` : null,
        ]
          .filter(Boolean)
          .join(' · '),
      ),
    );
    drawFacts(facts, now);
  }
  return {
    element: h('header', { class: 'job' }, h('div', { class: 'line' }, name, words, actions), progress, facts, trouble),
    show,
  };
}

function drawFacts(list, job) {
  const m = job.metrics ?? {};
  const best = job.best ?? {};
  const facts = [
    ['train loss', m.train_loss, number],
    ['validation loss', m.val_loss, number],
    ['validation accuracy', m.val_accuracy, percent],
    ['MAE', m.val_mae, number],
    ['RMSE', m.val_rmse, number],
    ['R²', m.val_r2, number],
    ['test accuracy', m.test_accuracy, percent],
    ['test MAE', m.test_mae, number],
    ['test RMSE', m.test_rmse, number],
    ['test loss', m.test_loss, number],
    ['best validation loss', best.val_loss, (x) => `${number(x)} in epoch ${integer(best.epoch)}`],
    ['parameters', job.plan?.parameters, integer],
    ['memory', job.plan?.memory_bytes, bytes],
    ['time', between(job.started_at, job.finished_at), duration],
    ['created', job.created_at, ago],
  ].filter(([, value]) => value !== undefined && value !== null);
  const names = facts.map(([name]) => name).join();
  if (list.dataset.names !== names) {
    list.dataset.names = names;
    replace(
      list,
      facts.map(([name]) => h('div', { 'data-fact': name }, h('dt', {}, name), h('dd'))),
    );
  }
  facts.forEach(([, value, format], at) => {
    const cell = list.children[at].lastChild;
    setText(cell, format(value));
    cell.title = value;
  });
}

function drawFindings(section, findings) {
  replace(
    section,
    findings.length
      ? [
          h('h2', {}, 'Findings'),
          h(
            'ul',
            {},
            findings.map((finding) =>
              h(
                'li',
                {},
                h(
                  'p',
                  {},
                  verdictWord(finding.severity),
                  ' ',
                  h('strong', {}, finding.code.replaceAll('_', ' ')),
                  finding.layer ? ` in ${finding.layer}` : '',
                  finding.first_step !== null && finding.first_step !== undefined
                    ? ` since step ${integer(finding.first_step)}`
                    : '',
                ),
                h('p', {}, finding.explanation ?? ''),
                (finding.remedies ?? []).map((remedy) =>
                  h('p', { class: 'remedy' }, '→ ', remedy.title, remedy.why ? `: ${remedy.why}` : ''),
                ),
              ),
            ),
          ),
        ]
      : [],
  );
}

/** The newest statistics of a layer that stand in the table of the net; the first has all its records on the page. */
const tabled = [
  { name: 'Gradient norm', of: 'gradient_norm', format: number },
  { name: 'Weight norm', of: 'weight_norm', format: number },
  { name: 'Update : weight', of: 'update_ratio', format: number },
  { name: 'Dead', of: 'dead_fraction', format: percent },
  { name: 'Saturated', of: 'saturated_fraction', format: percent },
];

/** The net as a table: the plan's layers, in it the newest statistics of those that learn. */
function netTable(planned, layers) {
  const head = [
    ['Layer'],
    ['Type'],
    ['Output', 'number'],
    ['Parameters', 'number'],
    ['FLOP/step', 'number wide'],
    ...tabled.map(({ name }) => [name, 'number']),
  ].map(([name, kind]) => h('th', { scope: 'col', class: kind }, name));
  const rows = planned.map((layer) => {
    const swatch = h('i', { class: 'swatch' });
    const cells = tabled.map(() => h('td', { class: 'number' }));
    const row = h(
      'tr',
      {},
      h('th', { scope: 'row' }, swatch, layer.name),
      h('td', {}, layer.type),
      h('td', { class: 'number' }, shape(layer.output_shape)),
      h('td', { class: 'number' }, integer(layer.parameters)),
      h('td', { class: 'number wide' }, count(layer.flops)),
      cells,
    );
    return { name: layer.name, swatch, cells, row };
  });
  const table = h(
    'table',
    { class: 'list' },
    h('thead', {}, h('tr', {}, head)),
    h(
      'tbody',
      {},
      rows.map(({ row }) => row),
    ),
  );
  const title = h('h2', {}, 'Net ', h('span', { class: 'muted' }, 'newest record of each layer'));
  return {
    element: h('section', { class: 'net' }, title, h('div', { class: 'scroll', tabindex: 0 }, table)),
    draw() {
      const deep = [...layers.values()].sort((a, b) => a.index - b.index);
      for (const { name, swatch, cells } of rows) {
        const at = deep.findIndex((layer) => layer.name === name);
        swatch.style.setProperty('--swatch', at < 0 ? 'transparent' : depth(at, deep.length));
        tabled.forEach(({ of, format }, column) => {
          const value = at < 0 ? null : deep[at].set.get(of).newest;
          setText(cells[column], value === null ? '' : format(value));
          cells[column].title = value ?? '';
        });
      }
    },
  };
}
