// A job: verdict and state, and its views: the curves of its learning, every layer's records, what was found, the net, the
// data, the spec. A job that goes on is followed by its events from where its record so far ends; one view is drawn at a time.
// The modules of the views other than the first are fetched when one goes there.
import { curl, follow, get, getAsOf } from '../api.js';
import { Bank, Chart } from '../chart.js';
import { depth, onThemeChange } from '../color.js';
import { breath, curlLine, every, h, problemBox, replace, settle } from '../dom.js';
import { parse } from '../format.js';
import { HeatMap } from '../heatmap.js';
import { curves } from '../job/curves.js';
import { header } from '../job/header.js';
import { netTable } from '../job/table.js';
import { t } from '../language.js';
import { SeriesSet } from '../series.js';
import { active, ended, statusText } from '../state.js';

const wholeNet = '/metrics?points=500&single=true'; // about a bucket a pixel; start.js asks for it too
// Records kept of each statistic of a layer: of few layers one can zoom far in, of many each is a line among others.
const recordsOfLayer = { few: 1024, many: 256 };
const manyLayers = 12; // beyond which a band each would cover the others: lines show the greatest of each bucket
const together = 100; // milliseconds that the head waits for the record, to be drawn with it
const severities = ['critical', 'warning', 'info'];

export async function jobPlace({ id, signal, title, arrive, query }) {
  const path = `/v1/jobs/${encodeURIComponent(id)}`;
  const bank = new Bank(signal);
  const layers = new Map();
  const found = new Map();
  const asked = new Map();
  const askNet = () => getAsOf(path + wholeNet, signal);
  const net = askNet();
  net.catch(() => {}); // told where it is waited for
  const now = await getAsOf(path, signal);
  const many = (now.value.plan?.layers?.length ?? 0) > manyLayers;
  const perLayer = `points=${many ? 200 : 500}&single=true${many ? '&peaks=true' : ''}`;
  const askNorms = () => getAsOf(`${path}/gradients?series=gradient_norm&${perLayer}`, signal);
  const record = Promise.all([net, askNorms()]);
  record.catch(() => {});
  let diagnosis = null;
  let view = '';
  let shown = null; // what stands on the page of it
  const views = {};

  const run = {
    id,
    path,
    signal,
    bank,
    query: location.hash.split('?')[1] ?? '',
    job: now.value,
    metrics: new SeriesSet(),
    layersInOrder: () => [...layers.values()].sort((a, b) => a.index - b.index),
    bestStep() {
      const { best, progress } = run.job;
      return best?.epoch && progress?.epochs ? Math.round((best.epoch * progress.steps) / progress.epochs) : undefined;
    },
    diagnosis: () => diagnosis ?? { findings: [...found.values()] },
    healthOf(name, norm) {
      const own = run.diagnosis().findings.filter((finding) => finding.layer === name && finding.severity !== 'info');
      return severities.find((severity) => own.some((finding) => finding.severity === severity)) ?? (norm === null ? null : Number.isFinite(norm) ? 'healthy' : 'critical');
    },
    /** Keeps a choice in the address. */
    keep(key, value) {
      const [place, held] = location.hash.split('?');
      const now = new URLSearchParams(held);
      if (value === null) now.delete(key);
      else now.set(key, value);
      history.replaceState(null, '', `${place}${String(now) ? `?${now}` : ''}`);
      drawTabs();
    },
    /** Sees to it that these statistics of the layers are here from their first record on. */
    need(...statistics) {
      const missing = statistics.filter((name) => !asked.has(name));
      if (!missing.length) return;
      const coming = get(`${path}/gradients?series=${missing}&${perLayer}`, signal).then(({ layers: all }) => {
        for (const { name, index, series } of all)
          for (const [of, columns] of Object.entries(series)) layerOf(name, index).set.begin(of, columns);
        draw();
      });
      for (const name of missing) asked.set(name, coming);
      coming.catch((error) => {
        for (const name of missing) asked.delete(name);
        if (!signal.aborted && !error.problem) console.warn(error.message);
      });
    },
  };

  const head = header(run.job);
  const range = run.job.spec?.kind === 'lr_range' ? (await import('../job/range.js')).rangeChart(run) : null;
  const learning = curves(run);
  const heat = new HeatMap(bank, {
    title: t('Gradient norm'),
    unit: t('layer × step'),
    height: 210,
    empty: t('A row for each layer, input first, appears with the first recorded step.'),
  });
  const gradients = new Chart(bank, {
    title: t('Gradient norm'),
    unit: t('of every layer, log'),
    log: true,
    height: 290,
    legend: 'table',
    empty: t('A line for each layer appears with the first recorded step.'),
  });
  const table = netTable(run);
  const tabs = h('nav', { class: 'tabs', 'aria-label': t('views of this job') });
  const body = h('div');

  const lines = (...paths) => paths.map((one) => curlLine(curl(`${path}${one}`)));
  const made = {
    curves: {
      name: t('Curves'),
      make: () => ({
        element: h(
          'div',
          {},
          h('div', { class: 'charts' }, h('div', {}, range?.element ?? [], learning.left), h('div', {}, heat.element, gradients.element, learning.norm)),
          table.element,
          lines('/metrics?points=1000', '/gradients?points=500'),
          curlLine(`curl -sN ${location.origin}${path}/events`),
        ),
        draw() {
          range?.draw();
          learning.draw();
          const all = run
            .layersInOrder()
            .map((layer) => ({ ...layer, series: layer.set.get('gradient_norm') }))
            .filter(({ series }) => series.step.length);
          heat.update(all);
          gradients.update(all.map((layer, at) => ({ ...layer, peaks: many, color: () => depth(at, all.length) })));
          bank.ask(table);
        },
      }),
    },
    layers: {
      name: t('Layers'),
      module: () => import('../job/layers.js'),
      make({ layerCurves, recorded }) {
        run.need(...recorded);
        const made = layerCurves(run);
        return { element: h('div', {}, made.element, lines('/gradients?points=500')), draw: made.draw };
      },
    },
    findings: {
      name: t('Findings'),
      module: () => import('../job/findings.js'),
      make({ findingsView }) {
        const made = findingsView(run);
        return { element: h('div', {}, made.element, lines('/diagnosis')), draw: made.draw };
      },
    },
    net: {
      name: t('Net'),
      module: () => import('../job/net.js'),
      make({ netPicture }) {
        const drawing = netPicture(run);
        get(`/v1/datasets/${run.job.dataset}`, signal).then(
          ({ input_shape }) => {
            run.inputShape = input_shape;
            if (view === 'net') draw();
          },
          () => {}, // it has been deleted
        );
        return {
          element: h('div', {}, drawing.element, lines('')),
          draw: () => bank.ask(drawing),
        };
      },
    },
    data: {
      name: t('Data'),
      module: () => import('../job/data.js'),
      make({ dataView }) {
        const made = dataView(run);
        return { element: h('div', {}, made.element, lines('/confusion'), curlLine(curl(`/v1/datasets/${run.job.dataset}`))), draw: made.draw };
      },
    },
    spec: {
      name: t('Spec'),
      module: () => import('../pretty.js'),
      make: ({ pretty }) => ({
        element: h(
          'div',
          {},
          h('p', { class: 'muted' }, t('As it was sent, defaults filled in.')),
          h('pre', { tabindex: 0 }, pretty(run.job.spec)),
          lines(''),
        ),
        draw() {},
      }),
    },
  };

  function drawTabs() {
    const held = new URLSearchParams(location.hash.split('?')[1] ?? '');
    replace(
      tabs,
      Object.entries(made).map(([key, { name }]) => {
        held.set('view', key);
        if (key === 'curves') held.delete('view');
        const number = key === 'findings' ? run.diagnosis().findings.length : 0;
        return h(
          'a',
          { href: `#/jobs/${id}${String(held) ? `?${held}` : ''}`, 'aria-current': key === view ? 'page' : null },
          number ? `${name} (${number})` : name,
        );
      }),
    );
  }
  async function open(name) {
    view = name in made ? name : 'curves';
    drawTabs();
    const wanted = view;
    let module;
    try {
      module = await made[wanted].module?.();
    } catch {
      if (view === wanted) replace(body, problemBox(new Error(t('The service does not answer.'))));
      return;
    }
    if (view !== wanted || signal.aborted) return;
    shown = views[wanted] ??= made[wanted].make(module);
    replace(body, shown.element);
    draw();
  }
  const draw = () => shown?.draw();

  function takeMetrics(event) {
    run.metrics.append(event.series);
    if (view === 'curves' || view === 'findings') draw();
  }
  function layerOf(name, index) {
    if (!layers.has(name)) layers.set(name, { name, index, set: new SeriesSet(many ? recordsOfLayer.many : recordsOfLayer.few) });
    return layers.get(name);
  }
  function takeGradients(event) {
    for (const { name, index, series } of event.layers) layerOf(name, index).set.append(series);
    draw();
  }
  const show = (changed) => {
    run.job = { ...run.job, ...changed };
    head.show(run.job);
    title(`${run.job.name || run.job.id} ${statusText(run.job.status)}`);
  };
  const refresh = () => get(path, signal).then(show, () => {}); // a failed look is made good by the next
  const showFindings = () => {
    const { findings } = run.diagnosis();
    const { steps, epochs } = run.job.progress ?? {};
    bank.mark(
      findings.filter(({ first_step }) => first_step > 0).map(({ first_step, severity }) => ({ step: first_step, severity })),
      steps && epochs ? steps / epochs : 0,
    );
    drawTabs();
    draw();
  };
  const diagnose = settle(300, async () => {
    diagnosis = await get(`${path}/diagnosis`, signal).catch(() => diagnosis);
    showFindings();
  });
  const takeFinding = (finding) => {
    found.set(`${finding.code} ${finding.layer ?? ''}`, finding);
    showFindings();
    diagnose();
  };

  await Promise.race([record.catch(() => {}), breath(together)]);
  if (signal.aborted) return null;
  arrive(head.element, tabs, body);
  show({});
  open(query.get('view') ?? 'curves');
  onThemeChange(signal, draw);
  load(record);

  /** What has been recorded so far, and then what comes after the oldest of the answers: nothing is missed, and what comes twice is passed over. */
  async function load(coming) {
    asked.set('gradient_norm', coming);
    let net;
    let norms;
    try {
      [net, norms] = await coming;
    } catch (error) {
      if (error.offline) setTimeout(() => load(Promise.all([askNet(), askNorms()])), 2000);
      else if (!signal.aborted) replace(body, problemBox(error));
      return;
    }
    takeMetrics(net.value);
    takeGradients(norms.value);
    diagnose();
    await breath(together); // what is there is drawn before more is asked for
    if (!ended(run.job)) {
      follow(id, signal, Math.min(now.event, net.event, norms.event), {
        status: (event) => {
          const before = run.job.status;
          show(event);
          if (event.status !== before) refresh();
        },
        metrics: takeMetrics,
        gradients: takeGradients,
        finding: takeFinding,
        end: () => refresh().then(diagnose),
      });
      every(
        signal,
        () => 1000,
        () => (run.job.status === 'queued' || run.job.status === 'paused' ? refresh() : active(run.job) && head.show(run.job)),
      );
    }
    const last = Math.max(0, ...norms.value.layers.map(({ series }) => series.gradient_norm.step.at(-1) ?? 0));
    await get(`${path}/gradients?points=1&from_step=${last}`, signal).then(newest, () => {}); // without it the table waits for the next record
    for (const { module } of Object.values(made)) module?.().catch(() => {}); // so that they are there when one goes there
  }
  /** The table shows the newest of every statistic, to the last digit, also where its whole record has not been asked for. */
  function newest(event) {
    for (const { name, index, series } of event.layers)
      for (const [of, { step, value }] of Object.entries(series)) layerOf(name, index).set.get(of).hint = { step: step[0], value: parse(value[0]) };
    draw();
  }
  return (moved) => open(moved.get('view') ?? 'curves');
}
