// What was found: each finding with its explanation, its evidence in numbers and as a curve, and its remedies; a remedy shows
// what it changes in the job and trains again at a click, side by side with this run.
import { post } from '../api.js';
import { Chart } from '../chart.js';
import { depth, ink } from '../color.js';
import { merged, differences } from '../differences.js';
import { h, problemBox, replace } from '../dom.js';
import { integer, number, percent, shortest } from '../format.js';
import { t } from '../language.js';
import { verdictWord } from '../state.js';

const share = { format: percent, axis: (x) => `${shortest(100 * x)} %` };
const gradients = { of: 'gradient_norm', title: t('Gradient norm'), unit: t('log'), log: true };
const ratios = { of: 'update_ratio', title: t('Update : weight'), unit: t('log'), log: true, healthy: [1e-4, 1e-2] };
const losses = { metrics: ['train_loss', 'val_loss'], title: t('Loss') };

/** Which record shows a finding best. A layer's is drawn for that layer and the last one, beside which it is judged. */
const evidence = {
  vanishing_gradient: gradients,
  exploding_gradient: gradients,
  non_finite: { metrics: ['gradient_norm', 'train_loss'], title: t('Gradient norm and loss'), unit: t('log'), log: true },
  dead_units: { of: 'dead_fraction', title: t('Dead units'), ...share },
  saturated_units: { of: 'saturated_fraction', title: t('Saturated units'), ...share },
  learning_rate_too_high: ratios,
  learning_rate_too_low: ratios,
  frozen_layers: ratios,
  symmetric_units: gradients,
  initial_weights_too_small: { of: 'activation_std', title: t('Spread of activations'), unit: t('log'), log: true },
  initial_weights_too_large: { of: 'activation_std', title: t('Spread of activations'), unit: t('log'), log: true },
  plateau: losses,
  no_learning: losses,
  overfitting: losses,
  over_regularized: losses,
  noisy_gradient: losses,
  initial_loss_off: losses,
};

export const evidenceOf = [...new Set(Object.values(evidence).flatMap(({ of }) => of ?? []))];

const words = (code) => code.replaceAll('_', ' ');

export function findingsView(run) {
  const section = h('section', { class: 'findings', id: 'findings' });
  const list = h('section', { class: 'checklist' });
  const charts = new Map();
  let drawn = '';

  function draw() {
    const { findings, checklist } = run.diagnosis();
    const state = JSON.stringify([findings, checklist]);
    if (state !== drawn) {
      drawn = state;
      for (const { chart } of charts.values()) run.bank.drop(chart);
      charts.clear();
      replace(section, findings.length ? findings.map(entry) : quiet());
      replace(list, checklist?.length ? checkTable(checklist) : []);
    }
    for (const { chart, definition, layer } of charts.values()) chart.update(linesOf(definition, layer));
  }

  function quiet() {
    return h('p', { class: 'muted' }, t('Nothing has been found so far.'));
  }

  function entry(finding, at) {
    const definition = evidence[finding.code];
    const drawing = h('div');
    const details = h(
      'details',
      { open: at === 0, class: 'finding', 'data-code': finding.code },
      h(
        'summary',
        {},
        verdictWord(finding.severity),
        ' ',
        h('strong', {}, t(words(finding.code))),
        finding.layer ? ` ${t('in {layer}', finding)}` : '',
        Number.isFinite(finding.first_step) ? ` ${t('since step {step}', { step: integer(finding.first_step) })}` : '',
      ),
      h('p', {}, finding.explanation ?? ''),
      evidenceTable(finding.evidence),
      drawing,
      (finding.remedies ?? []).map((remedy) => remedyRow(run, remedy)),
    );
    if (definition) {
      const show = () => {
        if (!details.open || drawing.firstChild) return;
        const { of, metrics, ...options } = definition;
        const chart = new Chart(run.bank, { height: 170, empty: t('The evidence appears with the records.'), ...options });
        charts.set(finding, { chart, definition, layer: finding.layer });
        replace(drawing, chart.element);
        if (of) run.need(of);
        chart.update(linesOf(definition, finding.layer));
      };
      details.addEventListener('toggle', show);
      queueMicrotask(show);
    }
    return details;
  }

  function linesOf({ of, metrics }, layer) {
    if (metrics)
      return metrics.map((name, at) => ({
        name: name.replaceAll('_', ' '),
        series: run.metrics.get(name),
        color: () => ink(at ? 'validation' : 'train'),
        dots: name === 'val_loss',
      }));
    const layers = run.layersInOrder();
    return layers
      .map((one, at) => ({ name: one.name, series: one.set.get(of), color: () => depth(at, layers.length) }))
      .filter(({ name }, at) => !layer || name === layer || at === layers.length - 1);
  }

  return { element: h('div', {}, section, list), draw };
}

function evidenceTable(numbers = {}) {
  const entries = Object.entries(numbers ?? {});
  if (!entries.length) return null;
  return h(
    'dl',
    { class: 'facts evidence' },
    entries.map(([name, value]) =>
      h('div', {}, h('dt', {}, words(name)), h('dd', { title: JSON.stringify(value) }, said(value))),
    ),
  );
}

function said(value) {
  if (typeof value === 'number' || /^-?(NaN|Infinity)$/.test(value)) return number(value);
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function remedyRow(run, remedy) {
  const { job, path } = run;
  const rows = differences([job.spec, merged(job.spec, remedy.patch ?? {})]);
  const answer = h('div');
  const button = h(
    'button',
    {
      type: 'button',
      onclick: async () => {
        button.disabled = true;
        try {
          const child = await post(`${path}/rerun`, { remedies: [remedy.code] });
          location.hash = `#/compare?jobs=${job.id},${child.id}`;
        } catch (error) {
          button.disabled = false;
          replace(answer, problemBox(error));
        }
      },
    },
    t('Train again with this'),
  );
  return h(
    'div',
    { class: 'remedy', 'data-remedy': remedy.code },
    h('p', {}, '→ ', h('strong', {}, remedy.title), remedy.why ? `: ${remedy.why}` : ''),
    h('div', { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': t('what changes') }, differenceTable(rows, [t('now'), t('then')])),
    button,
    answer,
  );
}

const clip = (text) => (text.length > 80 ? `${text.slice(0, 79)}…` : text);

/** A table of places in the job that differ, a column a run. */
export function differenceTable(rows, heads) {
  return h(
    'table',
    { class: 'differences' },
    h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, t('place in the job')), heads.map((head) => h('th', { scope: 'col' }, head)))),
    h(
      'tbody',
      {},
      rows.map(({ path, values }) =>
        h(
          'tr',
          {},
          h('th', { scope: 'row' }, h('code', {}, path)),
          values.map((value) => h('td', { title: JSON.stringify(value) ?? '' }, h('code', {}, clip(JSON.stringify(value) ?? '–')))),
        ),
      ),
    ),
  );
}

const states = { ok: '✓', attention: '▲', not_applicable: '·' };

function checkTable(checklist) {
  return [
    h('h2', {}, t('Checklist')),
    h(
      'table',
      { class: 'list' },
      h('thead', {}, h('tr', {}, [t('Group'), t('Item'), t('State'), t('Note')].map((head, at) => h('th', { scope: 'col', class: at ? null : 'wide' }, head)))),
      h(
        'tbody',
        {},
        checklist.map(({ group, item, title, state, note }, at) =>
          h(
            'tr',
            {},
            h('td', { class: 'muted wide' }, group === checklist[at - 1]?.group ? '' : t(words(group ?? ''))),
            h('th', { scope: 'row' }, title ?? item),
            h('td', { class: { ok: 'healthy', attention: 'warning' }[state] ?? 'muted' }, `${states[state] ?? ''} ${t(words(state))}`),
            h('td', {}, note ?? ''),
          ),
        ),
      ),
    ),
  ];
}
