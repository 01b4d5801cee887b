// A dataset's profile as one looks at it: its facts, a row a feature with a small histogram, the count of each class, findings.
import { h, svg } from './dom.js';
import { ago, bytes, integer, number, percent, shape } from './format.js';
import { t } from './language.js';
import { verdictWord } from './state.js';

const mostFeatures = 200;

export function datasetFacts(dataset) {
  const facts = [
    [t('rows'), integer(dataset.rows)],
    [t('input'), shape(dataset.input_shape)],
    [t('task'), dataset.task ? t(dataset.task.replaceAll('_', ' ')) : '–'],
    [t('classes'), dataset.classes?.length ? integer(dataset.classes.length) : '–'],
    [t('size'), bytes(dataset.bytes)],
    [t('created'), ago(dataset.created_at)],
    ['sha256', (dataset.sha256 ?? '').slice(0, 12)],
  ];
  return h(
    'dl',
    { class: 'facts' },
    facts.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))),
  );
}

/** `samples` are rows' inputs, where there are some: small histograms are drawn from them, and say from how many. */
export function profileTable({ profile, rows }, samples = []) {
  const { features = [], classes = [] } = profile ?? {};
  const heads = [t('Feature'), t('mean'), t('std'), t('least'), t('most'), t('missing'), t('distinct'), samples.length ? t('histogram') : null];
  const shown = features.slice(0, mostFeatures);
  return [
    classes.length ? classBars(classes, rows) : null,
    shown.length
      ? h(
          'div',
          { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': t('Features') },
          h(
            'table',
            { class: 'list' },
            h('thead', {}, h('tr', {}, heads.filter((head) => head !== null).map((head, at) => h('th', { scope: 'col', class: at && at < 7 ? 'number' : null }, head)))),
            h(
              'tbody',
              {},
              shown.map((feature, at) =>
                h(
                  'tr',
                  {},
                  h('th', { scope: 'row' }, feature.name),
                  ['mean', 'std', 'min', 'max'].map((key) => h('td', { class: 'number', title: feature[key] }, number(feature[key]))),
                  h('td', { class: feature.missing ? 'number warning' : 'number' }, feature.missing ? `▲ ${integer(feature.missing)}` : '0'),
                  h('td', { class: 'number' }, `${feature.approximate ? '≈ ' : ''}${integer(feature.distinct)}`),
                  samples.length ? h('td', {}, histogram(samples.map((row) => row[at]), feature.name)) : null,
                ),
              ),
            ),
          ),
        )
      : null,
    features.length > mostFeatures ? h('p', { class: 'muted' }, t('{shown} of {all} features', { shown: mostFeatures, all: integer(features.length) })) : null,
  ];
}

export function classBars(classes, rows) {
  const most = Math.max(...classes.map(({ count }) => count), 1);
  return h(
    'table',
    { class: 'probabilities' },
    h('caption', {}, t('Rows of each class')),
    h(
      'tbody',
      {},
      classes.slice(0, 100).map(({ name, count }) => {
        const fill = h('i');
        fill.style.width = `${(100 * count) / most}%`;
        return h(
          'tr',
          {},
          h('th', { scope: 'row' }, String(name)),
          h('td', { class: 'bars' }, h('span', { class: 'bar' }, fill)),
          h('td', { class: 'number' }, integer(count)),
          h('td', { class: 'number muted' }, percent(count / rows)),
        );
      }),
    ),
  );
}

/** Numbers as 24 bars; words as a bar each. */
function histogram(values, name) {
  const numbers = values.filter((value) => typeof value === 'number' && Number.isFinite(value));
  const [wide, tall, bins] = [120, 22, 24];
  let counts;
  if (numbers.length) {
    const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
    counts = new Array(bins).fill(0);
    for (const x of numbers) counts[Math.min(bins - 1, Math.floor(((x - low) / (high - low || 1)) * bins))]++;
  } else {
    const each = new Map();
    for (const value of values) each.set(value, (each.get(value) ?? 0) + 1);
    counts = [...each.values()].sort((a, b) => b - a).slice(0, bins);
  }
  const most = Math.max(...counts, 1);
  return svg(
    'svg',
    { viewBox: `0 0 ${wide} ${tall}`, width: wide, height: tall, class: 'bars', role: 'img', 'aria-label': t('histogram of {name}', { name }) },
    counts.map((n, at) =>
      svg('rect', { x: (at * wide) / counts.length, y: tall - (tall * n) / most, width: Math.max(1, wide / counts.length - 1), height: (tall * n) / most }),
    ),
  );
}

export function findingsList(findings = []) {
  if (!findings.length) return null;
  return h(
    'ul',
    { class: 'plain-list' },
    findings.map((finding) =>
      h('li', {}, verdictWord(finding.severity), ' ', h('strong', {}, t(finding.code.replaceAll('_', ' '))), ' ', finding.explanation ?? ''),
    ),
  );
}
