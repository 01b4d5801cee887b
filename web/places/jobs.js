// Jobs: state, progress and newest numbers of each, newest job first, live without reloading.
import { curl, get, post } from '../api.js';
import { curlLine, every, h, problemBox, replace } from '../dom.js';
import { ago, between, count, duration, integer, number, percent } from '../format.js';
import { active, bar, done, statusWord, verdictWord } from '../state.js';

const pageSize = 100;
const example = 'examples/iris.json';

const columns = [
  { head: 'Job', cell: (job) => h('a', { href: `#/jobs/${job.id}` }, job.name || job.id) },
  { head: 'State', cell: (job) => statusWord(job.status) },
  {
    head: 'Progress',
    cell: (job) =>
      h(
        'span',
        { class: 'progress' },
        bar(done(job)),
        h(
          'span',
          { class: 'wide' },
          job.progress?.epochs ? `${integer(job.progress.epoch)} / ${integer(job.progress.epochs)}` : '–',
        ),
      ),
  },
  { head: 'Train loss', kind: 'number', cell: (job) => figure(job.metrics?.train_loss) },
  { head: 'Val loss', kind: 'number wide', cell: (job) => figure(job.metrics?.val_loss) },
  {
    head: 'Val score',
    kind: 'number wide',
    cell: (job) =>
      job.metrics?.val_accuracy !== undefined
        ? figure(job.metrics.val_accuracy, percent)
        : figure(job.metrics?.val_r2, (r2) => `R² ${number(r2, 3)}`),
  },
  { head: 'Verdict', kind: 'wide', cell: (job) => (job.diagnosis?.verdict ? verdictWord(job.diagnosis.verdict) : '') },
  { head: 'Rows/s', kind: 'number wide', cell: (job) => count(job.progress?.samples_per_second) },
  {
    head: 'Time',
    kind: 'number wide',
    cell: (job) =>
      job.status === 'running' && job.progress?.eta_seconds
        ? `${duration(job.progress.eta_seconds)} left`
        : duration(between(job.started_at, job.finished_at)),
  },
  {
    head: 'Created',
    kind: 'number wide',
    cell: (job) => h('time', { datetime: job.created_at, title: job.created_at }, ago(job.created_at)),
  },
];

function figure(value, format = number) {
  return value === undefined || value === null ? '–' : h('span', { title: value }, format(value));
}

export async function jobsPlace({ signal, title, arrive }) {
  title('Jobs');
  const body = h('tbody');
  const rows = new Map();
  const note = h('p', { class: 'muted' });
  const table = h(
    'table',
    { class: 'list' },
    h(
      'thead',
      {},
      h(
        'tr',
        {},
        columns.map(({ head, kind }) => h('th', { scope: 'col', class: kind }, head)),
      ),
    ),
    body,
  );
  const full = [h('h1', {}, 'Jobs'), table, note, curlLine(curl('/v1/jobs'))];
  let shown = '';
  let busy = false;

  const update = async () => {
    let list;
    try {
      list = await get(`/v1/jobs?limit=${pageSize}`, signal);
    } catch (error) {
      if (signal.aborted || shown) return; // what is shown stays; the frame says that it is stale
      throw error;
    }
    busy = list.items.some(active);
    const state = list.items.length ? 'full' : 'empty';
    if (state !== shown) arrive(state === 'full' ? full : empty());
    shown = state;
    const running = list.items.filter((job) => job.status === 'running').length;
    title(running ? `Jobs (${running} running)` : 'Jobs');
    const order = list.items.map((job) => {
      if (!rows.has(job.id)) rows.set(job.id, { tr: h('tr', { 'data-job': job.id }), seen: '' });
      const row = rows.get(job.id);
      const seen = JSON.stringify([
        job.name,
        job.status,
        job.progress,
        job.metrics,
        job.diagnosis,
        ago(job.created_at),
      ]);
      if (seen !== row.seen) drawRow(row.tr, job);
      row.seen = seen;
      return row.tr;
    });
    if (order.length !== body.children.length || order.some((tr, at) => body.children[at] !== tr)) replace(body, order);
    note.textContent = list.next ? `The newest ${pageSize} are shown.` : '';
  };

  await update();
  every(signal, () => (busy ? 1000 : 4000), update);
}

/** Cells are written one by one, so that the focus stays on a link whose row changes. */
function drawRow(tr, job) {
  columns.forEach(({ cell, kind }, at) => {
    const content = cell(job);
    const td = tr.children[at] ?? tr.appendChild(h('td', { class: kind }));
    if (content instanceof Node && td.firstChild?.isEqualNode?.(content)) return;
    replace(td, content);
  });
}

function empty() {
  const answer = h('div');
  const button = h(
    'button',
    {
      class: 'first',
      onclick: async () => {
        button.disabled = true;
        try {
          const job = await post('/v1/jobs', await get(example));
          location.hash = `#/jobs/${job.id}`;
        } catch (error) {
          button.disabled = false;
          replace(answer, problemBox(error));
        }
      },
    },
    'Train an example',
  );
  return h(
    'div',
    { class: 'welcome' },
    h('h1', {}, 'No jobs yet'),
    h(
      'p',
      {},
      'The example trains a small net on Fisher’s iris flowers: 150 rows, 4 features, 3 classes. It takes a second.',
    ),
    button,
    answer,
    h('p', { class: 'muted' }, 'The same from a shell:'),
    curlLine(
      `${curl(`/${example}`)} | curl -s -H 'Content-Type: application/json' --data-binary @- ${location.origin}/v1/jobs`,
    ),
    h('p', {}, 'Or ', h('a', { href: '#/new' }, 'describe a job of your own'), '.'),
  );
}
