// Measures what the page promises, and exits 1 where it does not keep it: its weight; how soon 200 jobs are listed; how soon a
// job of 100,000 steps and 60 layers is open, and the longest task of the main thread while it then streams. The figures are the
// browser's own: its clock, and its tracing of the main thread, where a task's time is what it took of the processor (what
// else ran on this machine meanwhile is not the page's; the time by the clock stands beside it).
//
//     node measure.mjs            # the figures as a table; BACKPROPD names another binary
//
// The long job is a real one, in which every layer learns and whose gradients are recorded every 50 steps, as those of a job of 100,000
// steps are: it trains until it has passed them and is watched while it goes on. The one service trains on this machine
// meanwhile, so that times are what a user of a small machine sees.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { openPage, root, sleep, startBrowser, startService } from './service.mjs';

const limits = { weight: 200_000, list: 300, open: 1000, task: 50 };
const [layers, steps, jobs] = [60, 100_000, 200];
const streamed = 20_000; // milliseconds watched
const rows = [];
const row = (what, value, limit, unit) => rows.push({ what, value: Math.round(value * 10) / 10, limit, unit, kept: value <= limit });

async function weigh() {
  const listed = await readFile(path.join(root, 'web/meson.build'), 'utf8');
  const names = [...listed.matchAll(/^ {4}'([^']+\.(?:js|css|html))',/gm)].map(([, name]) => name).filter((name) => !name.startsWith('report/'));
  const sizes = await Promise.all(names.map(async (name) => gzipSync(await readFile(path.join(root, 'web', name))).length));
  row('weight of the whole page, gzipped', sizes.reduce((sum, n) => sum + n, 0), limits.weight, 'bytes');
}

/** Milliseconds from the address to the first frame in which `ready` holds, in the page's own clock; the best of nine. */
async function opening(browser, service, place, ready) {
  const times = [];
  for (;;) {
    const page = await openPage(browser, `${service.url}/examples/iris.json`);
    await page.addInitScript(`
      (function look() {
        if ((${ready})()) setTimeout(() => console.debug('ready', performance.now())); // when this frame is drawn
        else requestAnimationFrame(look);
      })();`);
    // Told by the page, not asked for: playwright's own script would take its part of the time.
    const told = page.waitForEvent('console', { predicate: (message) => message.text().startsWith('ready '), timeout: 120_000 });
    await page.goto(`${service.url}/#${place}`, { waitUntil: 'commit' });
    times.push(Number((await told).text().slice(6)));
    if (times.length === 9) return { page, time: Math.min(...times), times: times.map(Math.round).join(', ') };
    await page.context().close();
  }
}

/** The tasks of a page's main thread in so many milliseconds: [{cpu, wall}], as the browser traces them. */
async function tasks(page, milliseconds) {
  const session = await page.context().newCDPSession(page);
  const events = [];
  session.on('Tracing.dataCollected', ({ value }) => events.push(...value));
  await session.send('Tracing.start', { traceConfig: { includedCategories: ['toplevel', 'disabled-by-default-devtools.timeline'] }, transferMode: 'ReportEvents' });
  await sleep(milliseconds);
  const whole = new Promise((resolve) => session.once('Tracing.tracingComplete', resolve));
  await session.send('Tracing.end');
  await whole;
  const threads = new Map();
  for (const { name, pid, tid, args } of events) if (name === 'thread_name' && args.name === 'CrRendererMain') threads.set(`${pid} ${tid}`, []);
  for (const { name, pid, tid, tdur, dur } of events) if (/RunTask$/.test(name)) threads.get(`${pid} ${tid}`)?.push({ cpu: (tdur ?? 0) / 1000, wall: (dur ?? 0) / 1000 });
  return [...threads.values()].sort((a, b) => b.length - a.length)[0];
}

await weigh();
const service = await startService();
const browser = await startBrowser();
try {
  const inputs = Array.from({ length: 64 }, (_, at) => [Math.sin(at), Math.cos(at), (at % 7) / 7, (at % 3) / 3]);
  const dataset = await service.post('/v1/datasets', { name: 'measured', inputs, targets: inputs.map((_, at) => at % 2) });
  const small = { dataset: dataset.id, model: { layers: [{ type: 'dense', units: 2 }] }, training: { epochs: 1 } };
  let last;
  for (let at = 0; at < jobs; at++) last = (await service.post('/v1/jobs', { ...small, name: `job ${at}` })).id;
  for (;;) {
    const { queue } = await service.get('/v1/status');
    if (queue.queued + queue.running === 0) break;
    await sleep(500);
  }
  // What the browser takes on this machine for the frame alone, with nothing in it.
  const nothing = await opening(browser, service, '/nothing', `() => document.querySelector('h1') !== null`);
  await nothing.page.context().close();
  const list = await opening(browser, service, '/jobs', `() => document.querySelector('tbody tr:last-child')?.getBoundingClientRect().bottom > innerHeight`);
  row(`a list of ${jobs} jobs shown (a screen full of them, the others as one scrolls; ${list.times}; an empty place takes ${Math.round(nothing.time)})`, list.time, limits.list, 'ms');
  await list.page.getByText('job 199').waitFor();
  await list.page.evaluate(() => scrollTo(0, document.body.scrollHeight));
  await list.page.waitForFunction((all) => (scrollTo(0, document.body.scrollHeight), document.querySelectorAll('tbody tr').length === all), jobs);
  await list.page.context().close();

  const body = Array.from({ length: layers - 1 }, () => ({ type: 'dense', units: 4, activation: 'tanh' }));
  const long = await service.post('/v1/jobs', {
    name: 'long',
    dataset: dataset.id,
    model: { layers: [...body, { type: 'dense', units: 2 }] },
    training: { steps: 100 * steps, record_every: 50, batch_size: 16, optimizer: { type: 'adam', learning_rate: 0.0005 } },
  });
  for (let now = await service.get(`/v1/jobs/${long.id}`); (now.progress?.step ?? 0) < steps; now = await service.get(`/v1/jobs/${long.id}`)) await sleep(1000);
  const opened = await opening(
    browser,
    service,
    `/jobs/${long.id}`,
    `() => document.querySelectorAll('.charts canvas').length >= 4 && document.querySelectorAll('.legend.table tr').length === ${layers}`,
  );
  row(`a job of ${steps.toLocaleString('en')} steps and ${layers} layers opened (${opened.times})`, opened.time, limits.open, 'ms');
  await sleep(1500);
  const before = (await service.get(`/v1/jobs/${long.id}`)).progress.step;
  const seen = await tasks(opened.page, streamed);
  const after = (await service.get(`/v1/jobs/${long.id}`)).progress.step;
  const longest = (of) => Math.max(...seen.map((task) => task[of]));
  const wall = Math.round(longest('wall'));
  row(`longest task while it streams (${(after - before).toLocaleString('en')} steps in ${streamed / 1000} s, ${seen.length} tasks; ${wall} ms by the clock)`, longest('cpu'), limits.task, 'ms');
  if (opened.page.complaints.length) throw new Error(opened.page.complaints.join('\n'));
  await service.post(`/v1/jobs/${long.id}/cancel`);
} finally {
  await browser.close();
  await service.stop();
}
for (const { what, value, limit, unit, kept } of rows) console.log(`${kept ? 'ok  ' : 'MISS'}  ${what}: ${value} ${unit} (at most ${limit})`);
process.exitCode = rows.every(({ kept }) => kept) ? 0 : 1;
