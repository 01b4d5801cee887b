// A live service on a free port with an empty data folder, and a browser to look at it. BACKPROPD and CHROMIUM name other
// binaries than build/backpropd and /usr/bin/chromium; PAGE=../../web takes the page's files from there, not from the binary.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

export const root = fileURLToPath(new URL('../../', import.meta.url));

function freePort() {
  return new Promise((resolve) => {
    const probe = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

export async function startService(token) {
  const folder = await mkdtemp(path.join(tmpdir(), 'backpropd-page-'));
  const address = `127.0.0.1:${await freePort()}`;
  const guard = [];
  if (token) {
    guard.push('--token-file', path.join(folder, 'token'));
    await writeFile(guard[1], token, { mode: 0o600 });
  }
  const url = `http://${address}`;
  const start = async () => {
    const child = spawn(
      process.env.BACKPROPD ?? path.join(root, 'build/backpropd'),
      ['serve', '--listen', address, '--data', folder, '--workers', '1', '--threads', '1', ...guard],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    let said = '';
    child.stderr.on('data', (text) => {
      said += text;
    });
    const ended = new Promise((resolve) => child.on('exit', resolve));
    const ready = () =>
      fetch(`${url}/readyz`).then(
        (answer) => answer.ok,
        () => false,
      );
    for (let turn = 0; !(await ready()); turn++) {
      if (turn === 200 || child.exitCode !== null) throw new Error(`backpropd does not serve:\n${said}`);
      await sleep(50);
    }
    return async () => {
      child.kill('SIGTERM');
      await ended;
    };
  };
  let end = await start();
  const call = async (method, where, body) => {
    const answer = await fetch(url + where, {
      method,
      body: body && JSON.stringify(body),
      headers: body ? { 'Content-Type': 'application/json' } : {},
    });
    return answer.json();
  };
  return {
    url,
    get: (where) => call('GET', where),
    post: (where, body) => call('POST', where, body),
    ended: async (job) => {
      for (;;) {
        const now = await call('GET', `/v1/jobs/${job}`);
        if (!['queued', 'running'].includes(now.status)) return now;
        await sleep(50);
      }
    },
    /** Ends it, waits, and starts it again: same address, same data. */
    restart: async (pause) => {
      await end();
      await sleep(pause);
      end = await start();
    },
    stop: async () => {
      await end();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** What an element shows. */
export const text = (locator) => locator.innerText();

const patience = 30_000;

/** Waits until `read` gives `wanted`, and says what it gave instead. */
export async function becomes(read, wanted) {
  const until = Date.now() + patience;
  let got;
  do {
    got = await read();
    if (got === wanted) return;
    await sleep(50);
  } while (Date.now() < until);
  assert.equal(got, wanted);
}

export const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

export function startBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** A page whose complaints (console errors, uncaught errors, breaches of the CSP, requests that fail) gather in `complaints`. */
export async function openPage(browser, url, options = {}) {
  const context = await browser.newContext({
    viewport: { width: 1366, height: 768 },
    colorScheme: 'light',
    ...options,
  });
  const page = await context.newPage();
  page.complaints = [];
  page.on('pageerror', (error) => page.complaints.push(error.stack));
  page.on('console', (message) => {
    // A refused job is part of the game (the page shows why); any other failed request is not.
    if (message.type() === 'error' && !/status of 422/.test(message.text()))
      page.complaints.push(`${message.text()} ${message.location().url}`);
  });
  if (process.env.PAGE && url.startsWith('http')) await servePage(page, url, process.env.PAGE);
  await page.goto(url);
  return page;
}

/** The page as it stands in `folder`, under the headers of the service's: no build between an edit and a look. */
async function servePage(page, url, folder) {
  const policy = (await fetch(url)).headers.get('content-security-policy');
  const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.json': 'application/json' };
  const paths = (address) => address.origin === url && !/^\/(v1|v2|metrics|healthz|readyz)\b/.test(address.pathname);
  await page.route(paths, async (route) => {
    const { pathname } = new URL(route.request().url());
    const name = pathname === '/' ? '/index.html' : pathname;
    route.fulfill({
      body: await readFile(path.join(folder, name)),
      headers: { 'Content-Type': types[path.extname(name)], 'Content-Security-Policy': policy },
    });
  });
}
