// axe-core finds nothing wrong on any place, in either theme: contrast, names, roles, order of headings.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { openPage, sleep, startBrowser, startService } from './service.mjs';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
let service;
let browser;
let places;

before(async () => {
  service = await startService();
  browser = await startBrowser();
  const iris = await service.get('/examples/iris.json');
  const { id } = await service.post('/v1/jobs', { ...iris, tags: ['flowers'] });
  const job = await service.ended(id);
  const layers = [{ type: 'dense', units: 3 }];
  const bad = await service.post('/v1/jobs', { dataset: job.dataset, model: { layers }, training: { epochs: 2, optimizer: { type: 'sgd', learning_rate: 1e30 } } });
  await service.ended(bad.id);
  const range = await service.post('/v1/jobs', { kind: 'lr_range', dataset: job.dataset, model: { layers }, training: { batch_size: 16 } });
  await service.ended(range.id);
  places = [
    '/jobs',
    '/jobs?status=paused',
    ...['', '?view=layers', '?view=findings', '?view=net', '?view=data', '?view=spec'].map((view) => `/jobs/${id}${view}`),
    `/jobs/${bad.id}?view=findings`,
    `/jobs/${range.id}`,
    '/compare',
    `/compare?jobs=${id},${bad.id}`,
    '/new',
    '/datasets',
    `/datasets/${job.dataset}`,
    '/models',
    `/models/${job.model}`,
    '/trace',
    '/trace?example=xor&step=7',
    '/nowhere',
  ];
});
after(async () => {
  await browser?.close();
  await service?.stop();
});

for (const colorScheme of ['light', 'dark']) {
  test(`no violation in the ${colorScheme} theme`, async () => {
    const page = await openPage(browser, service.url, { colorScheme });
    const found = [];
    for (const place of places) {
      await page.goto('about:blank');
      await page.goto(`${service.url}/#${place}`);
      await page.locator('main > *').first().waitFor();
      await sleep(400);
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => globalThis.axe.run());
      for (const { id, nodes } of violations) found.push(`${place}: ${id}: ${nodes.map(({ html, any }) => `${html.slice(0, 150)} ${any[0]?.message ?? ''}`).join(' | ')}`);
    }
    assert.deepEqual(found, []);
    assert.deepEqual(page.complaints, []);
    await page.context().close();
  });
}

test('an empty service has no violation either', async () => {
  const bare = await startService();
  const page = await openPage(browser, bare.url);
  await page.getByRole('button', { name: 'Train an example' }).waitFor();
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  assert.deepEqual(violations.map(({ id }) => id), []);
  await page.context().close();
  await bare.stop();
});
