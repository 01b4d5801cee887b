// The page's frame: an address (#/jobs/ID?…) picks a place, the place fills <main>. A place is a function
// (context); context has `id`, `query`, `signal` (aborts when one leaves), `title(text)` and `arrive(elements)`. Where it returns a
// function, that takes the query's changes; else the place is opened anew for them.
import { get, post, watchOnline } from './api.js';
import { h, problemBox, replace, setText } from './dom.js';
import { choose, language, languages, t } from './language.js';

/** Places are fetched when one goes there: the first page needs one of them. */
const load = (file, name) => async (context) => (await import(`./places/${file}.js`))[name](context);
const places = [
  { pattern: /^\/jobs\/([^/]+)$/, nav: 'jobs', open: load('job', 'jobPlace') },
  { pattern: /^\/jobs$/, nav: 'jobs', open: load('jobs', 'jobsPlace') },
  { pattern: /^\/compare$/, nav: 'compare', open: load('compare', 'comparePlace') },
  { pattern: /^\/datasets\/([^/]+)$/, nav: 'datasets', open: load('datasets', 'datasetPlace') },
  { pattern: /^\/datasets$/, nav: 'datasets', open: load('datasets', 'datasetsPlace') },
  { pattern: /^\/new$/, nav: 'new', open: load('new', 'newPlace') },
  { pattern: /^\/models\/([^/]+)$/, nav: 'models', open: load('models', 'modelPlace') },
  { pattern: /^\/models$/, nav: 'models', open: load('models', 'modelsPlace') },
  { pattern: /^\/trace$/, nav: 'trace', open: load('trace', 'tracePlace') },
];

const view = document.getElementById('view');
const connection = h('span', { class: 'connection critical', role: 'status' });
const version = h('span', { class: 'muted' });
const links = Object.entries({
  jobs: t('Jobs'),
  compare: t('Compare'),
  new: t('New job'),
  datasets: t('Datasets'),
  models: t('Models'),
  trace: t('Trace'),
}).map(([nav, text]) => ({
  nav,
  link: h('a', { href: `#/${nav}` }, text),
}));

let leave = new AbortController();
let here = { path: '', moved: null };

async function go() {
  const [path, query] = (location.hash.slice(1) || '/jobs').split('?');
  if (here.moved && here.path === path) {
    here.moved(new URLSearchParams(query));
    return;
  }
  leave.abort();
  leave = new AbortController();
  here = { path, moved: null };
  const now = here;
  const place = places.find(({ pattern }) => pattern.test(path));
  for (const { nav, link } of links) {
    if (nav === place?.nav) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  const { signal } = leave;
  const context = {
    id: place ? decodeURIComponent(place.pattern.exec(path)[1] ?? '') : '',
    query: new URLSearchParams(query),
    signal,
    title: (text) => {
      document.title = `${text} · backpropd`;
    },
    arrive: (...children) => {
      if (!signal.aborted) replace(view, ...children);
    },
  };
  try {
    if (place) now.moved = await place.open(context);
    else context.arrive(h('h1', {}, t('There is no such place.')), h('p', {}, h('a', { href: '#/jobs' }, t('Jobs'))));
  } catch (error) {
    if (signal.aborted) return;
    if (!error.problem && !error.offline) console.error(error); // a mistake of the page's own
    context.title(t('Error'));
    replace(view, error.status === 401 ? signIn() : problemBox(error));
  }
}

/** With a token set, the page trades it once for a cookie that scripts cannot read. */
function signIn() {
  const token = h('input', { type: 'password', name: 'token', autocomplete: 'current-password', required: true });
  const answer = h('div');
  return h(
    'form',
    {
      class: 'panel',
      onsubmit: async (event) => {
        event.preventDefault();
        try {
          await post('/v1/session', { token: token.value });
          go();
        } catch (error) {
          replace(answer, problemBox(error));
        }
      },
    },
    h('label', {}, t('Token'), ' ', token),
    ' ',
    h('button', {}, t('Sign in')),
    answer,
  );
}

replace(
  document.getElementById('bar'),
  h('a', { href: '#/jobs', class: 'mark' }, 'backpropd'),
  h(
    'nav',
    { 'aria-label': t('Places') },
    links.map(({ link }) => link),
  ),
  connection,
  h(
    'select',
    { 'aria-label': 'language', class: 'language', onchange: (event) => choose(event.target.value) },
    Object.entries(languages).map(([tag, name]) => h('option', { value: tag, lang: tag, selected: tag === language }, name)),
  ),
  version,
);
document.documentElement.lang = language;
watchOnline((online) => setText(connection, online ? '' : `✕ ${t('disconnected: what is shown is stale; trying again')}`));
addEventListener('hashchange', () => {
  const same = here.moved && location.hash.slice(1).split('?')[0] === here.path;
  go();
  if (same) return;
  view.focus({ preventScroll: true });
  scrollTo(0, 0);
});
await go();
import('./keys.js').then(
  ({ keyHelp }) => version.before(keyHelp()),
  () => {}, // offline: the page goes on without them
);
get('/v1/status').then(
  (status) => setText(version, status.version ?? ''),
  () => {},
);
