// Both languages say everything: each text of the code stands in the Japanese table, nothing in the table is no longer said,
// places fit, and the page in a Japanese browser is Japanese.
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { japanese } from '../../web/languages/ja.js';
import { templates } from '../../web/templates.js';
import { traces } from '../../web/traces.js';
import { openPage, root, startBrowser, startService } from './service.mjs';

const codes = [
  'vanishing_gradient exploding_gradient non_finite dead_units saturated_units learning_rate_too_high learning_rate_too_low',
  'plateau no_learning symmetric_units initial_weights_too_small initial_weights_too_large frozen_layers overfitting',
  'over_regularized noisy_gradient wrong_output_activation wrong_loss missing_nonlinearity initial_loss_off seed_sensitive',
  'class_imbalance unscaled_features constant_feature missing_values duplicate_rows leakage label_noise unrelated_targets',
  'validation_shift drift',
].flatMap((line) => line.split(' '));
const named = [
  ...codes,
  ...['queued', 'running', 'paused', 'succeeded', 'failed', 'cancelled', 'healthy', 'warning', 'critical', 'info'],
  ...['classification', 'regression', 'language_model', 'ok', 'attention', 'not_applicable'],
  ...['activation_and_initialisation', 'normalisation', 'structure', 'learning_rate_and_optimizer', 'regularisation', 'data', 'luck'],
  ...['integrated_gradients', 'gradient_x_input', 'gradient'],
].map((name) => name.replaceAll('_', ' '));

async function sources() {
  const web = path.join(root, 'web');
  const names = (await readdir(web, { recursive: true })).filter((name) => name.endsWith('.js') && !/^(lib|languages)/.test(name));
  return (await Promise.all(names.map((name) => readFile(path.join(web, name), 'utf8')))).join('\n');
}

test('every text of the page is in the Japanese table, and the table says nothing else', async () => {
  const code = await sources();
  const said = new Set(
    [...code.matchAll(/\bt\(\s*'((?:[^'\\]|\\.)*)'/g)].map(([, text]) => text.replaceAll("\\'", "'")),
  );
  for (const name of named) said.add(name);
  for (const { title, about } of Object.values(traces)) said.add(title).add(about);
  for (const [name, { needs }] of Object.entries(templates)) {
    said.add(name);
    if (needs) said.add(needs);
  }
  assert.deepEqual([...said].filter((text) => !(text in japanese)), [], 'not translated');
  assert.deepEqual(Object.keys(japanese).filter((text) => !said.has(text)), [], 'no longer said');
});

test('a translation has the places of its text', () => {
  const places = (text) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();
  for (const [text, translation] of Object.entries(japanese)) assert.deepEqual(places(translation), places(text), text);
});

let service;
let browser;
before(async () => {
  service = await startService();
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await service?.stop();
});

test('a Japanese browser sees Japanese on every place, and the switch changes the language for good', async () => {
  const page = await openPage(browser, service.url, { locale: 'ja-JP' });
  page.on('console', (message) => message.type() === 'warning' && page.complaints.push(message.text()));
  await page.getByRole('button', { name: '例を訓練する' }).click();
  await page.getByText('✓ 成功').waitFor();
  const { items: [job] } = await service.get('/v1/jobs');
  const views = ['', '?view=layers', '?view=findings', '?view=net', '?view=data', '?view=spec'].map((view) => `/jobs/${job.id}${view}`);
  for (const place of [...views, '/jobs', '/new', '/compare', `/compare?jobs=${job.id}`, '/datasets', `/datasets/${job.dataset}`, '/models', `/models/${job.model}`, '/trace']) {
    await page.goto(`${service.url}/#${place}`);
    await page.getByRole('heading').first().waitFor();
    await page.waitForLoadState('networkidle');
  }
  assert.equal(await page.locator('html').getAttribute('lang'), 'ja');
  await page.getByLabel('language').selectOption('en');
  await page.getByRole('heading', { name: 'Trace' }).waitFor();
  await page.reload();
  await page.getByRole('heading', { name: 'Trace' }).waitFor();
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});
