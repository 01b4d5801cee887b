// The one place that speaks to the service. Everything here rejects with an Error whose `problem` is the answer's
// application/problem+json, where there was an answer.

import { language, t } from './language.js';

const origin = location.origin;

async function request(method, path, { body, type = 'application/json', signal } = {}) {
  const headers = { Accept: 'application/json', 'Accept-Language': language };
  if (body !== undefined) headers['Content-Type'] = type;
  let answer;
  try {
    answer = await fetch(path, { method, headers, body, signal });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    setOnline(false);
    throw Object.assign(new Error(t('The service does not answer.')), { offline: true });
  }
  setOnline(true);
  const text = await answer.text();
  if (answer.ok) return text ? JSON.parse(text) : null;
  const error = new Error(`${method} ${path}: ${answer.status}`);
  error.status = answer.status;
  try {
    error.problem = JSON.parse(text);
  } catch {
    error.problem = { title: answer.statusText, status: answer.status };
  }
  throw error;
}

export const get = (path, signal) => request('GET', path, { signal });
export const post = (path, value, signal) =>
  request('POST', path, { body: value === undefined ? undefined : JSON.stringify(value), signal });
export const remove = (path) => request('DELETE', path);
export const postText = (path, type, body) => request('POST', path, { type, body });

let online = true;
const watchers = new Set();

function setOnline(now) {
  if (now === online) return;
  online = now;
  for (const watcher of watchers) watcher(online);
}

export function watchOnline(watcher) {
  watchers.add(watcher);
}

let routes = null;

/** Whether the service has a route: an older one lacks some. */
export async function offers(path) {
  routes ??= get('/v1/openapi.json').then(
    ({ paths }) => paths,
    () => ({}),
  );
  return path in (await routes);
}

/**
 * Follows a job's events until `end` or the signal, from its newest record on, or from the first (`replay`). The browser
 * reconnects with Last-Event-ID by itself; where it gives up (the server refused), a new stream is opened, which replays
 * from the start, so that nothing is missed: handlers must bear repeats.
 */
export function follow(job, signal, handlers, replay = false) {
  let begun;
  const beginning = new Promise((resolve) => {
    begun = resolve; // what is asked for from now on reaches to where the stream begins, or beyond
  });
  const open = (start) => {
    const source = new EventSource(`/v1/jobs/${encodeURIComponent(job)}/events${start}`);
    source.onopen = () => {
      setOnline(true);
      begun();
    };
    source.onerror = () => {
      setOnline(false);
      if (source.readyState === EventSource.CLOSED && !signal.aborted) setTimeout(() => open(''), 2000);
    };
    for (const [name, handler] of Object.entries(handlers)) {
      source.addEventListener(name, (event) => {
        if (name === 'end') source.close();
        if (!signal.aborted) handler(JSON.parse(event.data));
      });
    }
    signal.addEventListener('abort', () => source.close());
  };
  if (!signal.aborted) open(replay ? '' : '?live=true');
  return beginning;
}

/** `curl` for a path of this service, in a form that a POSIX shell takes as it stands. */
export function curl(path, { method, json, file } = {}) {
  const quoted = (text) => `'${text.replace(/'/g, `'\\''`)}'`;
  const address = /^[\w/.:-]+$/.test(origin + path) ? origin + path : quoted(origin + path);
  if (json !== undefined) {
    return `curl -s -H 'Content-Type: application/json' -d ${quoted(JSON.stringify(json))} ${address}`;
  }
  if (file) return `curl -s -H 'Content-Type: ${file.type}' --data-binary @${file.name} ${address}`;
  return `curl -s ${method ? `-X ${method} ` : ''}${address}`;
}
