// Trace: every number on the page is the service's, the sums written out come to it, and one's own numbers are taken.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { stepsOf, written } from '../../web/trace_steps.js';
import { traces } from '../../web/traces.js';
import { becomes, openPage, startBrowser, startService, text } from './service.mjs';

let service;
let browser;
let page;

before(async () => {
  service = await startService();
  browser = await startBrowser();
  page = await openPage(browser, service.url);
  page.setDefaultTimeout(30_000);
});
afterEach(() => assert.deepEqual(page.complaints.splice(0), []));
after(async () => {
  await browser?.close();
  await service?.stop();
});

const heading = () => text(page.locator('section > h2[aria-live]'));
const shown = (title) => page.locator('.net-picture text', { has: page.locator('title', { hasText: title }) });
const sums = () => page.locator('.sums tr').evaluateAll((rows) => rows.map((row) => row.querySelector('td').title));

test('the cycle of the textbook: its numbers, in the order in which they come to be', async () => {
  const answer = await service.post('/v1/trace', traces.hand.body);
  const steps = stepsOf(traces.hand.body, answer, 0);
  await page.goto(`${service.url}/#/trace`);
  await page.getByText(`step 1 of ${steps.length}`).waitFor();
  for (const [at, step] of steps.entries()) {
    await becomes(heading, step.title);
    assert.deepEqual((await sums()).map(Number), step.lines.map(({ value }) => value));
    if (at < steps.length - 1) await page.getByRole('button', { name: 'Next' }).click();
  }
  assert.ok(await page.getByRole('button', { name: 'Next' }).isDisabled());
  assert.deepEqual(
    [...new Set(steps.map(({ kind }) => kind))],
    ['forward', 'loss', 'backward', 'update', 'check'],
  );
});

test('each sum that is written out comes to its number', async () => {
  for (const { body } of Object.values(traces)) {
    const answer = await service.post('/v1/trace', body);
    for (const { lines } of stepsOf(body, answer, 0)) {
      for (const { text: said, value } of lines) {
        const right = said.split('=').at(-1).replaceAll('−', '-').replaceAll('·', '*');
        if (!/^[-\d.e+*() ]+$/.test(right) || right === said) continue;
        const came = Function(`return ${right}`)();
        assert.ok(Math.abs(came - value) <= 2e-4 * Math.max(1, Math.abs(value)), `${said} is not ${value}`);
      }
    }
  }
});

test('the picture has each weight on its edge, its gradient on the way back, its new value at the end', async () => {
  const answer = await service.post('/v1/trace', traces.hand.body);
  const steps = stepsOf(traces.hand.body, answer, 0);
  const last = (wanted) => steps.findLastIndex(({ kind, part }) => kind === wanted && part !== 'delta') + 1;
  const tensors = (layer) => [
    ['forward', 'weight', answer.update[layer].kernel.before],
    ['backward', 'gradient', answer.backward.find((one) => one.layer === layer).gradients.kernel],
    ['update', 'new weight', answer.update[layer].kernel.after],
    ['check', 'numeric gradient', answer.check.weights[layer].kernel.numeric],
  ];
  for (const layer of ['dense_1', 'dense_2']) {
    for (const [kind, what, tensor] of tensors(layer)) {
      await page.goto('about:blank');
      await page.goto(`${service.url}/#/trace?example=hand&step=${last(kind)}`);
      for (const [i, j] of [[0, 0], [0, 1], [1, 0], [1, 1]]) {
        const at = shown(`${layer} ${what} ${i + 1} → ${j + 1}:`);
        await becomes(async () => (await at.textContent()).split(':')[1].trim(), `${tensor[i][j]}${written(tensor[i][j], 4)}`);
      }
    }
  }
});

test('one plays it, pauses it, and the keyboard steps', async () => {
  await page.goto(`${service.url}/#/trace?example=dead`);
  await page.getByText('step 1 of').waitFor();
  await page.getByRole('button', { name: 'Play' }).click();
  await page.getByText('step 2 of').waitFor();
  await page.getByRole('button', { name: 'Pause' }).click();
  const slider = page.getByRole('slider', { name: 'step' });
  await slider.focus();
  await page.keyboard.press('End');
  await becomes(heading, 'the check: each weight moved a little up and down, twice the forward pass');
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowRight');
  await page.getByText('step 2 of').waitFor();
});

test('own inputs, weights, nets: what is typed is what is asked, and the address holds it', async () => {
  await page.goto(`${service.url}/#/trace?example=hand`);
  await page.getByLabel('input 1 of row 1').fill('1');
  await page.getByLabel('dense_1 kernel 1 1').fill('-2');
  const body = structuredClone(traces.hand.body);
  body.inputs[0][0] = 1;
  body.weights.dense_1.kernel[0][0] = -2;
  const answer = await service.post('/v1/trace', body);
  await becomes(async () => (await sums())[0], String(answer.forward[0].pre_activation[0][0]));
  await page.reload();
  await becomes(async () => (await sums())[0], String(answer.forward[0].pre_activation[0][0]));
  assert.equal(await page.getByLabel('dense_1 kernel 1 1').inputValue(), '-2');

  await page.getByLabel('units 1').fill('3');
  await page.getByLabel('units 1').press('Tab');
  await becomes(async () => (await sums()).length, 3);
  await page.getByLabel('learning rate').fill('0');
  await page.getByLabel('units 2').fill('3'); // the targets have two
  await page.getByLabel('units 2').press('Tab');
  await page.getByRole('alert').waitFor();
});
