// Datasets: the list, and one dataset: its facts, its findings, its features with small histograms, its classes, its rows.
import { curl, get, remove } from '../api.js';
import { asked, curlLine, h, problemBox, replace } from '../dom.js';
import { ago, bytes, integer, shape, shortest } from '../format.js';
import { brightest, imageCanvas, imageShape } from '../image.js';
import { t } from '../language.js';
import { datasetFacts, findingsList, profileTable } from '../profile.js';
import { verdictSigns } from '../state.js';
import { datasetAdder } from '../upload.js';

const sampled = 500; // rows that the small histograms are drawn from
const pageSizes = { images: 24, rows: 10 };
const mostCells = 24; // of a row that is shown as numbers

export async function datasetsPlace({ signal, title, arrive }) {
  title(t('Datasets'));
  const { items } = await get('/v1/datasets?limit=200', signal);
  const adder = datasetAdder({
    open: !items.length,
    added: (dataset) => {
      location.hash = `#/datasets/${dataset.id}`;
    },
  });
  const heads = [[t('Dataset')], [t('Task')], [t('Rows'), 'number'], [t('Input'), 'number'], [t('Classes'), 'number wide'], [t('Size'), 'number wide'], [t('Found'), 'wide'], [t('Created'), 'number wide']];
  arrive(
    h('h1', {}, t('Datasets')),
    adder,
    items.length
      ? h(
          'table',
          { class: 'list' },
          h('thead', {}, h('tr', {}, heads.map(([name, kind]) => h('th', { scope: 'col', class: kind }, name)))),
          h(
            'tbody',
            {},
            items.map((one) =>
              h(
                'tr',
                {},
                h('th', { scope: 'row' }, h('a', { href: `#/datasets/${one.id}` }, one.name || one.id)),
                h('td', {}, one.task ? t(one.task.replaceAll('_', ' ')) : '–'),
                h('td', { class: 'number' }, integer(one.rows)),
                h('td', { class: 'number' }, shape(one.input_shape)),
                h('td', { class: 'number wide' }, one.classes?.length ? integer(one.classes.length) : '–'),
                h('td', { class: 'number wide' }, bytes(one.bytes)),
                h('td', { class: 'wide' }, (one.findings ?? []).map(({ code, severity }) => `${verdictSigns[severity] ?? ''} ${t(code.replaceAll('_', ' '))}`).join(', ')),
                h('td', { class: 'number wide' }, ago(one.created_at)),
              ),
            ),
          ),
        )
      : h('p', { class: 'muted' }, t('None yet: paste one, choose a file, or drop one above.')),
    curlLine(curl('/v1/datasets')),
  );
}

export async function datasetPlace({ id, query, signal, title, arrive }) {
  const path = `/v1/datasets/${encodeURIComponent(id)}`;
  const [dataset, first] = await Promise.all([get(path, signal), get(`${path}/rows?limit=${sampled}`, signal).catch(() => ({ items: [] }))]);
  title(dataset.name || dataset.id);
  const trouble = h('div');
  const flat = first.items.map(({ input }) => input).filter(Array.isArray);
  const features = dataset.profile?.features ?? [];
  const tabular = dataset.input_shape?.length === 1 && flat.every((row) => row.length === features.length);
  const image = imageShape(dataset.input_shape, features);
  const rows = rowsSection({ dataset, image, path, signal, at: Number(query.get('row') ?? 0), top: image ? brightest(flat.flat(Infinity)) : 1 });
  arrive(
    h(
      'div',
      { class: 'line' },
      h('h1', {}, dataset.name || dataset.id),
      h(
        'span',
        { class: 'actions' },
        h('a', { class: 'button', href: `#/new?dataset=${dataset.id}` }, t('Train on it')),
        asked(t('Delete'), t('Really delete?'), async () => {
          try {
            await remove(path);
            location.hash = '#/datasets';
          } catch (error) {
            replace(trouble, problemBox(error));
          }
        }),
      ),
    ),
    trouble,
    datasetFacts(dataset),
    findingsList(dataset.findings),
    image ? rows : null,
    tabular && flat.length && !image ? h('p', { class: 'muted' }, t('Histograms are of the first {count} rows; the other figures are of all.', { count: integer(flat.length) })) : null,
    profileTable(image ? { ...dataset, profile: { ...dataset.profile, features: [] } } : dataset, tabular ? flat : []),
    image ? null : rows,
    curlLine(curl(path)),
    curlLine(curl(`${path}/rows?offset=0&limit=50`)),
  );
}

function rowsSection({ dataset, image, path, signal, at, top }) {
  const body = h('div');
  const note = h('span', { class: 'muted' });
  const pageSize = image ? pageSizes.images : pageSizes.rows;
  let offset = Math.max(0, Math.min(at, Math.max(0, dataset.rows - 1)));
  async function show(to) {
    offset = Math.max(0, to);
    const { items } = await get(`${path}/rows?offset=${offset}&limit=${pageSize}`, signal).catch(() => ({ items: [] }));
    back.disabled = offset === 0;
    next.disabled = offset + items.length >= dataset.rows;
    replace(note, items.length ? t('{first} to {last} of {all}', { first: integer(offset), last: integer(offset + items.length - 1), all: integer(dataset.rows) }) : t('No rows to show.'));
    replace(body, image ? gallery(items, image, top) : rowTable(items, dataset));
  }
  const back = h('button', { type: 'button', onclick: () => show(offset - pageSize) }, t('Back'));
  const next = h('button', { type: 'button', onclick: () => show(offset + pageSize) }, t('Next'));
  show(offset);
  return h('section', { class: 'rows' }, h('div', { class: 'line' }, h('h2', {}, t('Rows')), note, back, next), body);
}

function gallery(items, image, top) {
  return h(
    'div',
    { class: 'gallery' },
    items.map(({ row, input, target }) =>
      h(
        'figure',
        {},
        imageCanvas(input.flat(Infinity), image, top, t('row {row}', { row: integer(row) })),
        h('figcaption', {}, h('span', { class: 'muted' }, integer(row)), ` ${target ?? ''}`),
      ),
    ),
  );
}

function rowTable(items, dataset) {
  const features = dataset.profile?.features ?? [];
  const flat = items.every(({ input }) => Array.isArray(input) && input.length <= mostCells && input.every((x) => !Array.isArray(x)));
  const heads = flat && features.length === items[0]?.input.length ? features.map(({ name }) => name) : [t('input')];
  const cells = (input) =>
    flat && heads.length === input.length
      ? input.map((x) => h('td', { class: typeof x === 'number' ? 'number' : null, title: x }, typeof x === 'number' ? shortest(x) : (x ?? '–')))
      : h('td', { class: 'wrapped' }, typeof input === 'string' ? input : clip(JSON.stringify(input)));
  return h(
    'div',
    { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': t('Rows') },
    h(
      'table',
      { class: 'list' },
      h('thead', {}, h('tr', {}, ['#', ...heads, t('target')].map((head) => h('th', { scope: 'col', class: flat ? 'number' : null }, head)))),
      h(
        'tbody',
        {},
        items.map(({ row, input, target }) => h('tr', {}, h('th', { scope: 'row', class: 'number muted' }, integer(row)), cells(input ?? null), h('td', { class: flat ? 'number' : null }, typeof target === 'object' ? JSON.stringify(target) : String(target ?? '–')))),
      ),
    ),
  );
}

const clip = (text) => (text.length > 200 ? `${text.slice(0, 200)} …` : text);
