// The one place that speaks to the service. Everything here rejects with an Error whose `problem` is the answer's
// application/problem+json, where there was an answer.

import { breath } from './dom.js';
import { language, t } from './language.js';

const origin = location.origin;

/** What start.js has asked for already, once. */
function takeEarly(path) {
  const answer = globalThis.early?.get(path);
  globalThis.early?.delete(path);
  return answer;
}

async function send(method, path, { body, type = 'application/json', signal } = {}) {
  const headers = { Accept: 'application/json', 'Accept-Language': language };
  if (body !== undefined) headers['Content-Type'] = type;
  let answer;
  try {
    answer = await ((method === 'GET' && takeEarly(path)) || fetch(path, { method, headers, body, signal }));
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    setOnline(false);
    throw Object.assign(new Error(t('The service does not answer.')), { offline: true });
  }
  setOnline(true);
  if (answer.ok) return answer;
  const text = await answer.text();
  const error = new Error(`${method} ${path}: ${answer.status}`);
  error.status = answer.status;
  try {
    error.problem = JSON.parse(text);
  } catch {
    error.problem = { title: answer.statusText, status: answer.status };
  }
  throw error;
}

async function request(method, path, more) {
  const text = await (await send(method, path, more)).text();
  return text ? JSON.parse(text) : null;
}

export const get = (path, signal) => request('GET', path, { signal });

/** What belongs to a job, and the id of the newest of its events that it knows of: those after it tell what is new since. */
export async function getAsOf(path, signal) {
  const answer = await send('GET', path, { signal });
  return { value: await answer.json(), event: Number(answer.headers.get('Last-Event-ID') ?? 0) };
}

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

/**
 * Follows a job's events after the one of id `after` until `end` or the signal. The browser reconnects with Last-Event-ID by
 * itself; where it gives up (the server refused), a new stream goes on after the newest event, so that nothing is missed. What
 * comes at once is taken in small portions, so that no key and no pointer waits for all of it.
 */
export function follow(job, signal, after, handlers) {
  const portion = 8; // milliseconds
  const waiting = [];
  let newest = after;
  let taking = false;
  const take = async () => {
    taking = true;
    while (waiting.length && !signal.aborted) {
      const until = performance.now() + portion;
      do {
        const [handler, data] = waiting.shift();
        handler(JSON.parse(data));
      } while (waiting.length && performance.now() < until);
      await breath();
    }
    taking = false;
  };
  const open = () => {
    if (signal.aborted) return;
    const source = new EventSource(`/v1/jobs/${encodeURIComponent(job)}/events?after=${newest}&lang=${language}`);
    source.onopen = () => setOnline(true);
    source.onerror = () => {
      setOnline(false);
      if (source.readyState === EventSource.CLOSED) setTimeout(open, 2000);
    };
    for (const [name, handler] of Object.entries(handlers)) {
      source.addEventListener(name, (event) => {
        newest = Number(event.lastEventId) || newest;
        if (name === 'end') source.close();
        waiting.push([handler, event.data]);
        if (!taking) take();
      });
    }
    signal.addEventListener('abort', () => source.close());
  };
  open();
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
