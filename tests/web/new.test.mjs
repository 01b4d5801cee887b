// Where a new job starts: each template, on data of its kind, is a job that the service takes; and a report is whole by itself.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fitted, templates } from '../../web/templates.js';
import { openPage, startBrowser, startService, text } from './service.mjs';

let service;
before(async () => {
  service = await startService();
});
after(() => service?.stop());

const wave = (length) => Array.from({ length }, (_, at) => Math.sin(at / 5));
const data = {
  '': () => ({ inputs: Array.from({ length: 60 }, (_, at) => [at % 7, at % 5, at % 3]), targets: Array.from({ length: 60 }, (_, at) => ['a', 'b', 'c'][at % 3]) }),
  images: () => ({
    inputs: Array.from({ length: 30 }, (_, at) => Array.from({ length: 16 }, (_, y) => Array.from({ length: 16 }, (_, x) => [(x * y * (at + 1)) % 255]))),
    targets: Array.from({ length: 30 }, (_, at) => ['a', 'b', 'c'][at % 3]),
  }),
  series: () => ({ series: wave(400).map((x) => [x]), window: 24, horizon: 1 }),
  texts: () => ({ texts: Array.from({ length: 40 }, (_, at) => (at % 2 ? 'a good day' : 'one bad night')), targets: Array.from({ length: 40 }, (_, at) => ['good', 'bad'][at % 2]) }),
  'a corpus': () => ({ text: 'to be or not to be, that is the question. '.repeat(80), tokenizer: 'char' }),
  'a graph': () => ({
    graph: {
      nodes: Array.from({ length: 30 }, (_, at) => [at % 3, at % 2]),
      edges: Array.from({ length: 29 }, (_, at) => [at, at + 1]),
      targets: Array.from({ length: 30 }, (_, at) => ['a', 'b', 'c'][at % 3]),
    },
  }),
};

test('every template is a job that the service takes', async () => {
  const made = {};
  for (const [name, { needs = '' }] of Object.entries(templates)) {
    made[needs] ??= await service.post('/v1/datasets', { name: needs || 'numbers', ...data[needs]() });
    const dataset = made[needs];
    assert.ok(dataset.id, `${needs}: ${JSON.stringify(dataset)}`);
    const dry = await service.post('/v1/jobs?dry_run=true', { dataset: dataset.id, ...fitted(name, dataset) });
    assert.ok(dry.plan?.parameters > 0, `${name}: ${JSON.stringify(dry.errors ?? dry)}`);
  }
});

test('a report is one file that shows the run without the service, and runs nothing of what a user named', async () => {
  const name = '</script><img src=x onerror=alert(1)>';
  const { id } = await service.post('/v1/jobs', { ...(await service.get('/examples/iris.json')), name });
  const job = await service.ended(id);
  const answer = await fetch(`${service.url}/v1/jobs/${id}/report`);
  assert.match(answer.headers.get('content-disposition'), /^attachment; filename="job_/);
  const folder = await mkdtemp(path.join(tmpdir(), 'backpropd-report-'));
  const file = path.join(folder, 'report.html');
  await writeFile(file, await answer.text());
  const browser = await startBrowser();
  const page = await openPage(browser, 'about:blank');
  await page.context().setOffline(true);
  const asked = [];
  page.on('request', (request) => request.url().startsWith('http') && asked.push(request.url()));
  await page.goto(`file://${file}`);
  await page.getByRole('heading', { name }).waitFor();
  const facts = await page.locator('dl dd').evaluateAll((all) => all.map((one) => one.title));
  for (const value of [job.metrics.train_loss, job.metrics.val_loss, job.plan.parameters]) assert.ok(facts.includes(String(value)), `${value}`);
  for (const layer of job.plan.layers) await page.getByRole('rowheader', { name: layer.name }).waitFor();
  await page.getByRole('img', { name: 'gradient norm, layer × step' }).waitFor();
  const path_ = await page.locator('svg[aria-label=Loss] path.train').last().getAttribute('d');
  assert.equal(path_.split(/[ML]/).length - 1, job.progress.steps, 'a point a step');
  assert.ok((await text(page.locator('pre'))).includes('"seed": 1'));
  await writeFile(file, await (await fetch(`${service.url}/v1/jobs/${id}/report?lang=ja`)).text());
  await page.reload();
  await page.getByRole('heading', { name: '損失' }).waitFor();
  assert.equal(await page.locator('html').getAttribute('lang'), 'ja');
  assert.deepEqual([asked, page.complaints], [[], []]);
  await browser.close();
  await rm(folder, { recursive: true });
});

test('there is no report of a job that is not there', async () => {
  assert.equal((await fetch(`${service.url}/v1/jobs/job_nothing/report`)).status, 404);
});
