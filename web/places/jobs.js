// Jobs: state, progress, course and newest numbers of each, live without reloading; found by state, tag or words, sorted by
// any column, acted upon in their row, chosen for comparison. The address holds what is looked for.
import { curl, get, post, remove } from '../api.js';
import { asked, curlLine, every, h, problemBox, replace, settle } from '../dom.js';
import { ago, between, count, duration, integer, number, percent } from '../format.js';
import { t } from '../language.js';
import { sparklines } from '../sparkline.js';
import { active, bar, done, statusWord, verdictWord } from '../state.js';

const pageSize = 200;
const mostCompared = 8;
const [headHeight, rowHeight] = [100, 27]; // pixels at least: a screen's rows are drawn at once, the others as one comes to them
const example = 'examples/iris.json';
const statuses = ['queued', 'running', 'paused', 'succeeded', 'failed', 'cancelled'];
const verdicts = ['healthy', 'warning', 'critical'];

/** `by` is what a column sorts by. */
const columns = ({ sparks, picked, act }) => [
  { head: '', cell: (job) => pickBox(job, picked), keyed: ({ id }) => id },
  { head: t('Job'), by: ({ name, id }) => (name || id).toLowerCase(), cell: (job) => nameCell(job) },
  { head: t('State'), by: ({ status }) => statuses.indexOf(status), cell: (job) => statusWord(job.status) },
  {
    head: t('Progress'),
    by: done,
    cell: (job) =>
      h(
        'span',
        { class: 'progress' },
        bar(done(job)),
        h('span', { class: 'wide' }, job.progress?.epochs ? `${integer(job.progress.epoch)} / ${integer(job.progress.epochs)}` : '–'),
      ),
  },
  { head: t('Loss'), kind: 'wide', cell: (job) => sparks.of(job), still: true },
  { head: t('Train loss'), kind: 'number', by: ({ metrics }) => Number(metrics?.train_loss ?? NaN), cell: (job) => figure(job.metrics?.train_loss) },
  { head: t('Val loss'), kind: 'number wide', by: ({ metrics }) => Number(metrics?.val_loss ?? NaN), cell: (job) => figure(job.metrics?.val_loss) },
  {
    head: t('Val score'),
    kind: 'number wide',
    by: ({ metrics }) => Number(metrics?.val_accuracy ?? metrics?.val_r2 ?? NaN),
    cell: (job) =>
      job.metrics?.val_accuracy !== undefined
        ? figure(job.metrics.val_accuracy, percent)
        : figure(job.metrics?.val_r2, (r2) => `R² ${number(r2, 3)}`),
  },
  {
    head: t('Verdict'),
    kind: 'wide',
    by: ({ diagnosis }) => verdicts.indexOf(diagnosis?.verdict),
    cell: (job) => (job.diagnosis?.verdict ? verdictWord(job.diagnosis.verdict) : ''),
  },
  { head: t('Rows/s'), kind: 'number wide', by: ({ progress }) => progress?.samples_per_second ?? NaN, cell: (job) => count(job.progress?.samples_per_second) },
  {
    head: t('Time'),
    kind: 'number wide',
    by: (job) => between(job.started_at, job.finished_at) ?? NaN,
    cell: (job) =>
      job.status === 'running' && job.progress?.eta_seconds
        ? t('{time} left', { time: duration(job.progress.eta_seconds) })
        : duration(between(job.started_at, job.finished_at)),
  },
  {
    head: t('Created'),
    kind: 'number wide',
    by: ({ created_at }) => created_at,
    cell: (job) => h('time', { datetime: job.created_at, title: job.created_at }, ago(job.created_at)),
  },
  { head: '', kind: 'wide', cell: (job) => actionCell(job, act), keyed: ({ id, status }) => `${id} ${status}` },
];

function figure(value, format = number) {
  return value === undefined || value === null ? '–' : h('span', { title: value }, format(value));
}

function nameCell(job) {
  return h(
    'span',
    {},
    h('a', { href: `#/jobs/${job.id}` }, job.name || job.id),
    (job.tags ?? []).map((tag) => h('a', { class: 'tag', href: `#/jobs?tag=${encodeURIComponent(tag)}` }, tag)),
  );
}

function pickBox(job, picked) {
  return h('input', {
    type: 'checkbox',
    'aria-label': t('choose {name} for comparison', { name: job.name || job.id }),
    onchange: (event) => picked.set(job.id, event.target.checked),
  });
}

function actionCell(job, act) {
  const button = (text, method, path) =>
    h('button', { type: 'button', class: 'plain', onclick: () => act(method, path) }, text);
  const path = `/v1/jobs/${job.id}`;
  if (active(job)) return h('span', { class: 'row-actions' }, button(t('Pause'), post, `${path}/pause`), button(t('Cancel'), post, `${path}/cancel`));
  const sure = asked(t('Delete'), t('Really delete?'), () => act(remove, path));
  sure.classList.add('plain');
  if (job.status === 'paused') return h('span', { class: 'row-actions' }, button(t('Resume'), post, `${path}/resume`), button(t('Cancel'), post, `${path}/cancel`), sure);
  return h('span', { class: 'row-actions' }, button(t('Train again'), (where) => post(where, {}), `${path}/rerun`), sure);
}

export async function jobsPlace({ query, signal, title, arrive }) {
  title(t('Jobs'));
  const wanted = { status: query.get('status') ?? '', tag: query.get('tag') ?? '', q: query.get('q') ?? '', sort: query.get('sort') ?? '' };
  const body = h('tbody');
  const rows = new Map();
  const note = h('p', { class: 'muted' });
  const trouble = h('div');
  const compare = h('a', { class: 'button', hidden: true });
  const chosen = new Set();
  const picked = {
    set(id, on) {
      if (on) chosen.add(id);
      else chosen.delete(id);
      compare.hidden = chosen.size < 2;
      compare.href = `#/compare?jobs=${[...chosen].slice(0, mostCompared).join()}`;
      compare.textContent = chosen.size > mostCompared ? t('Compare the first {count} of {all}', { count: mostCompared, all: chosen.size }) : t('Compare {count}', { count: chosen.size });
    },
  };
  const act = async (method, path) => {
    try {
      await method(path);
      replace(trouble);
      await update();
    } catch (error) {
      replace(trouble, problemBox(error));
    }
  };
  const cells = columns({ sparks: sparklines(signal), picked, act });
  const heads = cells.map(({ head, kind, by }, at) => {
    const th = h('th', { scope: 'col', class: kind });
    if (by) th.append(h('button', { type: 'button', class: 'plain', onclick: () => sortBy(at) }, head));
    else th.append(head || h('span', { class: 'hidden' }, at ? t('actions') : t('chosen')));
    return th;
  });
  const table = h('table', { class: 'list' }, h('thead', {}, h('tr', {}, heads)), body);
  const search = h('input', { type: 'search', value: wanted.q, 'aria-label': t('search'), placeholder: t('name, id or tag'), oninput: () => look({ q: search.value }) });
  const states = h(
    'select',
    { 'aria-label': t('state'), onchange: () => look({ status: states.value }) },
    h('option', { value: '' }, t('every state')),
    statuses.map((status) => h('option', { value: status, selected: status === wanted.status }, t(status))),
  );
  const tagged = h('button', { type: 'button', hidden: !wanted.tag, onclick: () => look({ tag: '' }) }, `${t('tag')} ${wanted.tag} ×`);
  const full = [
    h('div', { class: 'line' }, h('h1', {}, t('Jobs')), search, states, tagged, compare),
    trouble,
    h('div', { class: 'scroll jobs' }, table),
    note,
    curlLine(curl('/v1/jobs')),
  ];
  let shown = '';
  let busy = false;
  let items = [];
  let more = false;

  const refetch = settle(150, () => update());
  function look(change) {
    Object.assign(wanted, change);
    const held = new URLSearchParams(Object.entries(wanted).filter(([, value]) => value));
    history.replaceState(null, '', String(held) ? `#/jobs?${held}` : '#/jobs');
    tagged.hidden = !wanted.tag;
    if ('q' in change || 'sort' in change) draw();
    else refetch();
  }
  /** Upwards, downwards, and back to the newest first. */
  function sortBy(at) {
    const name = String(at);
    look({ sort: wanted.sort === name ? `-${name}` : wanted.sort === `-${name}` ? '' : name });
  }
  function inOrder() {
    const words = wanted.q.toLowerCase().split(/\s+/).filter(Boolean);
    const said = ({ name, id, tags }) => [name, id, ...(tags ?? [])].join(' ').toLowerCase();
    const found = items.filter((job) => words.every((word) => said(job).includes(word)));
    const column = cells[Math.abs(Number(wanted.sort))];
    heads.forEach((th, at) => {
      const up = wanted.sort === String(at);
      const down = wanted.sort === `-${at}`;
      if (up || down) th.setAttribute('aria-sort', up ? 'ascending' : 'descending');
      else th.removeAttribute('aria-sort');
    });
    if (wanted.sort === '' || !column?.by) return found;
    const sign = wanted.sort.startsWith('-') ? -1 : 1;
    const key = new Map(found.map((job) => [job, column.by(job)]));
    const missing = (value) => Number.isNaN(value);
    return found.sort((a, b) => {
      const [x, y] = [key.get(a), key.get(b)];
      if (missing(x) || missing(y)) return missing(x) - missing(y); // what has no number comes last either way
      return sign * (x < y ? -1 : x > y ? 1 : 0);
    });
  }
  /** As many rows as one looks at, more when one comes to their end; what stands in its place is not moved. */
  const screenful = Math.ceil((innerHeight - headHeight) / rowHeight);
  let length = screenful;
  function draw() {
    const found = inOrder();
    const order = found.slice(0, length);
    order.forEach((job, at) => {
      const { tr } = rowOf(job);
      if (body.children[at] !== tr) body.insertBefore(tr, body.children[at] ?? null);
    });
    while (body.children.length > order.length) body.lastChild.remove();
    note.textContent = [
      found.length ? '' : t('No job is like this.'),
      found.length > length ? t('{count} more below', { count: integer(found.length - length) }) : '',
      more ? t('The newest {count} are shown.', { count: pageSize }) : '',
    ]
      .join(' ')
      .trim();
  }
  const end = new IntersectionObserver(
    (entries) => {
      if (!entries.at(-1).isIntersecting || items.length <= length) return;
      length += screenful;
      draw();
      end.unobserve(note); // asks again, as it may still be in sight
      end.observe(note);
    },
    { rootMargin: '250px' },
  );
  end.observe(note);
  signal.addEventListener('abort', () => end.disconnect());
  function rowOf(job) {
    if (!rows.has(job.id)) rows.set(job.id, { tr: h('tr', { 'data-job': job.id }), seen: '' });
    const row = rows.get(job.id);
    const seen = JSON.stringify([job.name, job.status, job.progress, job.metrics, job.diagnosis, ago(job.created_at)]);
    if (seen !== row.seen) drawRow(row.tr, job, cells);
    row.seen = seen;
    return row;
  }

  async function update() {
    const filters = new URLSearchParams(Object.entries({ status: wanted.status, tag: wanted.tag }).filter(([, value]) => value));
    let list;
    try {
      list = await get(`/v1/jobs?limit=${pageSize}&brief=true${String(filters) ? `&${filters}` : ''}`, signal);
    } catch (error) {
      if (signal.aborted || shown) return; // what is shown stays; the frame says that it is stale
      throw error;
    }
    items = list.items;
    more = Boolean(list.next) && items.length === pageSize;
    busy = items.some(active);
    const state = items.length || String(filters) ? 'full' : 'empty';
    if (state !== shown) arrive(state === 'full' ? full : empty());
    shown = state;
    const running = items.filter((job) => job.status === 'running').length;
    title(running ? t('Jobs ({count} running)', { count: running }) : t('Jobs'));
    draw();
  }

  await update();
  every(signal, () => (busy ? 1000 : 4000), update);
}

/** Cells are written one by one, so that the focus stays on a link whose row changes. */
function drawRow(tr, job, cells) {
  cells.forEach(({ cell, kind, still, keyed }, at) => {
    const td = tr.children[at] ?? tr.appendChild(h('td', { class: kind }));
    if (still && td.firstChild) {
      cell(job);
      return;
    }
    const key = keyed?.(job);
    if (key && td.dataset.key === key) return;
    if (key) td.dataset.key = key;
    const content = cell(job);
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
    t('Train an example'),
  );
  return h(
    'div',
    { class: 'welcome' },
    h('h1', {}, t('No jobs yet')),
    h('p', {}, t('The example trains a small net on Fisher’s iris flowers: 150 rows, 4 features, 3 classes. It takes a second.')),
    button,
    answer,
    h('p', { class: 'muted' }, t('The same from a shell:')),
    curlLine(
      `${curl(`/${example}`)} | curl -s -H 'Content-Type: application/json' --data-binary @- ${location.origin}/v1/jobs`,
    ),
    h('p', {}, t('Or:'), ' ', h('a', { href: '#/new' }, t('describe a job of your own')), ' · ', h('a', { href: '#/trace' }, t('follow one step of backpropagation by hand'))),
  );
}
