// The data of a job: what its model takes for what on validation, its surest mistakes, and the dataset itself.
import { get } from '../api.js';
import { magnitude } from '../color.js';
import { h, replace } from '../dom.js';
import { integer, percent } from '../format.js';
import { t } from '../language.js';
import { datasetFacts, profileTable } from '../profile.js';

const mostClasses = 40; // of a matrix that is drawn as a table

export function dataView(run) {
  const { job, path, signal } = run;
  const confusion = h('section');
  const data = h('section');
  let loaded = '';
  return {
    element: h('div', {}, confusion, data),
    async draw() {
      const { status } = run.job;
      if (loaded === status) return;
      const first = loaded === '';
      loaded = status;
      if (first) {
        replace(data, h('p', { class: 'muted' }, t('Loading …')));
        get(`/v1/datasets/${job.dataset}`, signal).then(
          (dataset) =>
            replace(
              data,
              h('h2', {}, t('Dataset'), ' ', h('a', { href: `#/datasets/${dataset.id}` }, dataset.name || dataset.id)),
              datasetFacts(dataset),
              profileTable(dataset),
            ),
          () => replace(data),
        );
      }
      const classes = (run.job.metrics ?? {}).val_accuracy !== undefined;
      if (!classes) replace(confusion);
      else if (status !== 'succeeded')
        replace(confusion, h('p', { class: 'muted' }, t('The confusion matrix appears when the job has succeeded.')));
      else
        get(`${path}/confusion`, signal).then(
          (answer) => replace(confusion, matrix(answer, job.dataset)),
          () => replace(confusion),
        );
    },
  };
}

function matrix({ classes, matrix: rows, per_class, worst }, dataset) {
  if (classes.length > mostClasses) return [];
  const cell = (n, total, right) => {
    const td = h('td', { class: 'number', title: total ? percent(n / total) : null }, n ? integer(n) : '·');
    const part = total ? n / total : 0;
    td.style.background = `rgb(${magnitude(part).join(' ')} / ${right ? 0.25 * part : 0.6 * part})`;
    return td;
  };
  return [
    h('h2', {}, t('Confusion'), ' ', h('span', { class: 'muted' }, t('rows: true, columns: predicted; on validation'))),
    h(
      'div',
      { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': t('Confusion') },
      h(
        'table',
        { class: 'confusion' },
        h('thead', {}, h('tr', {}, h('td'), classes.map((name) => h('th', { scope: 'col' }, String(name))), [t('precision'), t('recall'), 'F1'].map((name) => h('th', { scope: 'col' }, name)))),
        h(
          'tbody',
          {},
          rows.map((row, at) => {
            const total = row.reduce((sum, n) => sum + n, 0);
            const { precision, recall, f1 } = per_class[at];
            return h(
              'tr',
              {},
              h('th', { scope: 'row' }, String(classes[at])),
              row.map((n, column) => cell(n, total, column === at)),
              [precision, recall, f1].map((x) => h('td', { class: 'number' }, percent(x))),
            );
          }),
        ),
      ),
    ),
    worst?.length
      ? [
          h('h2', {}, t('Surest mistakes')),
          h(
            'ul',
            { class: 'worst' },
            worst.slice(0, 12).map((one) =>
              h(
                'li',
                {},
                h('a', { href: `#/datasets/${dataset}?row=${one.row}` }, t('row {row}', { row: integer(one.row) })),
                ` ${t('is {true}, taken for {predicted} with {probability}', { ...one, probability: percent(one.probability) })}`,
              ),
            ),
          ),
        ]
      : [],
  ];
}
