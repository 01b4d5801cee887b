// What a person does with the page, in a real browser against a live service; what is shown is compared with what the
// API answers. Any complaint of the browser's console fails the test at hand.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, afterEach, before, test } from 'node:test';
import { integer, number, percent } from '../../web/format.js';
import { becomes, openPage, sleep, startBrowser, startService, text } from './service.mjs';

const patience = 30_000;
let service;
let browser;
let page;

before(async () => {
  service = await startService();
  browser = await startBrowser();
  page = await openPage(browser, service.url);
  page.setDefaultTimeout(patience);
});
afterEach(() => assert.deepEqual(page.complaints.splice(0), []));
after(async () => {
  await browser?.close();
  await service?.stop();
});

const go = (place) => page.goto(`${service.url}/#${place}`);
const chart = (title) => page.locator('section.chart', { has: page.getByRole('heading', { name: title }) });
const line = (title, name) =>
  chart(title)
    .getByRole('row')
    .filter({ has: page.getByRole('rowheader', { name, exact: true }) })
    .getByRole('cell');
const idInAddress = () => page.url().split('/').at(-1).split('?')[0];

async function jobInAddress() {
  await page.waitForURL(/#\/jobs\/job_/);
  return idInAddress();
}

async function changes(read, was) {
  const until = Date.now() + patience;
  while ((await read()) === was) {
    assert.ok(Date.now() < until, `still ${was}`);
    await sleep(50);
  }
}

const spiral = (rows) =>
  [
    'x,y,target',
    ...Array.from({ length: rows }, (_, at) => {
      const turn = (at / rows) * 6;
      const side = at % 2 ? 1 : -1;
      return `${(side * turn * Math.cos(turn)).toFixed(4)},${(side * turn * Math.sin(turn)).toFixed(4)},${side > 0 ? 'right' : 'left'}`;
    }),
  ].join('\n');

const longJob = (dataset, name = 'long') => ({
  name,
  dataset,
  model: {
    layers: [
      { type: 'dense', units: 256, activation: 'relu' },
      { type: 'dense', units: 3 },
    ],
  },
  training: { epochs: 1_000_000, batch_size: 16, optimizer: { type: 'adam', learning_rate: 0.001 } },
});

test('the page comes with a strict content security policy', async () => {
  const answer = await fetch(service.url);
  const policy = answer.headers.get('content-security-policy');
  assert.match(policy, /default-src 'none'/);
  assert.doesNotMatch(policy, /unsafe/);
});

test('an empty service offers an example, and its training is shown as the API has it', async () => {
  await page.getByRole('button', { name: 'Train an example' }).click();
  const id = await jobInAddress();
  await page.getByText('✓ succeeded').waitFor();
  const job = await service.get(`/v1/jobs/${id}`);
  const { series } = await service.get(`/v1/jobs/${id}/metrics?points=all`);
  const { layers } = await service.get(`/v1/jobs/${id}/gradients?points=all`);

  await becomes(() => text(line('Loss', 'train')), number(series.train_loss.value.at(-1)));
  await becomes(() => text(line('Loss', 'validation')), number(series.val_loss.value.at(-1)));
  await becomes(() => text(line('Accuracy', 'validation')), percent(series.val_accuracy.value.at(-1)));
  await becomes(() => text(line('Learning rate', 'rate')), number(series.learning_rate.value.at(-1)));
  for (const layer of layers) {
    await becomes(() => text(line('of every layer', layer.name)), number(layer.series.gradient_norm.value.at(-1)));
  }
  assert.equal(await text(page.locator('[data-fact="parameters"] dd')), integer(job.plan.parameters));
  assert.match(await page.title(), /^iris ✓ succeeded/);
});

test('an ended job reads the same after a reload as it did live', async () => {
  const live = await text(chart('Loss').getByRole('table'));
  const deep = await text(chart('of every layer').getByRole('table'));
  await page.reload();
  await becomes(() => text(chart('Loss').getByRole('table')), live);
  await becomes(() => text(chart('of every layer').getByRole('table')), deep);
});

test('the keyboard moves one crosshair over all charts', async () => {
  const { series } = await service.get(`/v1/jobs/${idInAddress()}/metrics?points=all`);
  await chart('Loss').getByRole('group').focus();
  await page.keyboard.press('Home');
  await becomes(() => text(line('Loss', 'train')), number(series.train_loss.value[0]));
  await becomes(() => text(line('Learning rate', 'rate')), number(series.learning_rate.value[0]));
  await page.keyboard.press('ArrowRight');
  await becomes(() => text(line('Loss', 'train')), number(series.train_loss.value[1]));
  await page.keyboard.press('End');
  await becomes(() => text(line('Loss', 'train')), number(series.train_loss.value.at(-1)));
});

test('dragging zooms every chart, and a double click goes back', async () => {
  const pictures = async () =>
    (await page.evaluate(() => [...document.querySelectorAll('.uplot canvas')].map((canvas) => [canvas.closest('section').innerText, canvas.toDataURL()])))
      .map(([chart, picture]) => `${chart.split(' · ')[0]} ${createHash('sha256').update(picture).digest('hex').slice(0, 8)}`);
  // Charts are drawn one after the other, and again 250 ms later where more has come.
  let whole;
  for (let now = []; `${whole}` !== `${now}`; now = await pictures()) {
    whole = now;
    await sleep(500);
  }
  const { x, y, width, height } = await chart('Loss').getByRole('group').boundingBox();
  await page.mouse.move(x + width * 0.3, y + height / 2);
  await page.mouse.down();
  await page.mouse.move(x + width * 0.5, y + height / 2, { steps: 4 });
  await page.mouse.up();
  await becomes(async () => `still whole: ${(await pictures()).filter((picture) => whole.includes(picture))}`, 'still whole: ');
  await page.mouse.dblclick(x + width * 0.5, y + height / 2);
  await becomes(async () => `${await pictures()}`, `${whole}`);
});

test('the log scale of the loss is part of the address', async () => {
  await chart('Loss').getByLabel('log').check();
  assert.match(page.url(), /\?loss=log$/);
  await page.reload();
  assert.equal(await chart('Loss').getByLabel('log').isChecked(), true);
});

test('on paper stand all charts, also those that nobody has scrolled to', async () => {
  const charts = page.locator('section.chart:visible');
  const drawn = () => page.locator('section.chart:has(canvas)').count();
  const whole = page.viewportSize();
  await page.setViewportSize({ ...whole, height: 200 });
  await page.reload();
  await chart('Loss').locator('canvas').waitFor();
  assert.ok((await drawn()) < (await charts.count()), 'some are out of sight');
  await page.pdf();
  await becomes(drawn, await charts.count());
  await page.setViewportSize(whole);
});

test('the keys are told where one asks for them', async () => {
  await go('/jobs');
  await page.getByRole('button', { name: 'Keyboard' }).waitFor();
  await page.keyboard.press('?');
  const help = page.getByRole('dialog', { name: 'Keyboard' });
  await help.getByText('zoom in and out').waitFor();
  await page.keyboard.press('Escape');
  await help.waitFor({ state: 'hidden' });
  await page.keyboard.press('/');
  await becomes(() => page.getByLabel('search').evaluate((field) => field === document.activeElement), true);
});

test('jobs are listed with their state and newest loss', async () => {
  const {
    items: [job],
  } = await service.get('/v1/jobs');
  await page.getByRole('link', { name: 'Jobs' }).click();
  const row = page.getByRole('row').filter({ hasText: 'iris' });
  await row.waitFor();
  const shown = await text(row);
  for (const part of ['✓ succeeded', number(job.metrics.train_loss), percent(job.metrics.val_accuracy)]) {
    assert.ok(shown.includes(part), `${part} in ${shown}`);
  }
});

test('predicting takes features by name and gives the probabilities that the API gives', async () => {
  const {
    items: [model],
  } = await service.get('/v1/models');
  await go(`/models/${model.id}`);
  const flower = [6.3, 3.3, 6.0, 2.5];
  for (const [at, name] of ['sepal_length', 'sepal_width', 'petal_length', 'petal_width'].entries()) {
    await page.getByLabel(name).fill(String(flower[at]));
  }
  const { predictions, probabilities } = await service.post(`/v1/models/${model.id}/predict`, { inputs: [flower] });
  await becomes(() => text(page.locator('.answer')), predictions[0]);
  for (const [at, name] of model.classes.entries()) {
    const row = page.getByRole('row').filter({ has: page.getByRole('rowheader', { name, exact: true }) });
    await becomes(() => text(row.getByRole('cell').last()), percent(probabilities[0][at]));
  }
});

test('a row of the training data fills the form', async () => {
  await page.getByLabel('row of the dataset').fill('0');
  await page.getByLabel('row of the dataset').press('Tab');
  await page.getByLabel('row of the dataset').fill('1');
  await page.getByLabel('row of the dataset').press('Tab');
  await page.getByText('true: setosa').waitFor();
  assert.equal(await page.getByLabel('sepal_length').inputValue(), '4.9');
  await becomes(() => text(page.locator('.answer')), 'setosa');
});

test('a job is made by the form from pasted data', async () => {
  await go('/new');
  await page.getByText('Add a dataset').click();
  await page.getByLabel('data', { exact: true }).fill(spiral(120));
  await page.getByLabel('name of the dataset').fill('spiral');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await page.getByText('spiral: 120 × 2, 2 classes').waitFor({ state: 'attached' });
  await page.getByLabel('Name', { exact: true }).fill('by form');
  await page.getByRole('textbox', { name: 'epochs' }).fill('7');

  // The form has written the JSON …
  const editor = page.getByLabel('the job as JSON');
  const spec = JSON.parse(await editor.inputValue());
  assert.equal(spec.training.epochs, 7);
  assert.equal(spec.model.layers.at(-1).units, 2, 'the output fits the two classes');
  // … and the JSON writes the form.
  spec.training.epochs = 5;
  await editor.fill(JSON.stringify(spec));
  assert.equal(await page.getByRole('textbox', { name: 'epochs' }).inputValue(), '5');

  const { plan } = await service.post('/v1/jobs?dry_run=true', spec);
  await becomes(() => text(page.locator('.plan dd').first()), integer(plan.parameters));
  await page.getByRole('button', { name: 'Train', exact: true }).click();
  const id = await jobInAddress();
  await page.getByText('✓ succeeded').waitFor();
  const job = await service.get(`/v1/jobs/${id}`);
  assert.equal(job.name, 'by form');
  assert.equal(job.spec.training.epochs, 5);
});

test('lists and objects of settings are made by the form', async () => {
  await go('/new');
  const editor = page.getByLabel('the job as JSON');
  const spec = async () => JSON.parse(await editor.inputValue()).training;
  const add = page.locator('[data-section="training"]').getByLabel('add a setting').last();
  await add.selectOption('augment');
  assert.deepEqual((await spec()).augment, ['flip_horizontal']);
  await page.locator('[data-pointer="/training/augment/0"]').selectOption('noise');
  await page.locator('.item').getByLabel('add a setting').selectOption('std');
  assert.deepEqual((await spec()).augment, [{ type: 'noise', std: 0.1 }]);
  await page.getByLabel('add to augment').click();
  await page.getByLabel('remove augment 1').click();
  assert.deepEqual((await spec()).augment, ['flip_horizontal']);
  await page.getByLabel('remove augment', { exact: true }).click();

  await add.selectOption('phases');
  await page.getByLabel('add to phases').click();
  await page.locator('.item').nth(1).getByLabel('add a setting').selectOption('epochs');
  await page.locator('[data-pointer="/training/phases/1/epochs"]').fill('3');
  assert.deepEqual((await spec()).phases, [{}, { epochs: 3 }]);
  await add.selectOption('early_stopping');
  assert.deepEqual((await spec()).early_stopping, {});

  // A job to change starts without what was filled in.
  const { items } = await service.get('/v1/datasets');
  const iris = items.find(({ name }) => name === 'iris');
  const job = await service.post('/v1/jobs', {
    dataset: iris.id,
    model: { layers: [{ type: 'dense', units: 3 }] },
    training: {
      augment: ['noise', { type: 'noise', std: 0.2 }],
      phases: [{ epochs: 1, optimizer: { type: 'sgd', momentum: 0.5 } }],
      early_stopping: { patience: 3 },
    },
  });
  await go(`/new?from=${job.id}`);
  await becomes(async () => JSON.stringify(await spec()), JSON.stringify({
    loss: 'cross_entropy',
    early_stopping: { patience: 3 },
    augment: ['noise', { type: 'noise', std: 0.2 }],
    phases: [{ epochs: 1, optimizer: { type: 'sgd', momentum: 0.5 } }],
  }));
});

test('every error of a job stands beside its pointer', async () => {
  await go('/new');
  const editor = page.getByLabel('the job as JSON');
  const spec = JSON.parse(await editor.inputValue());
  spec.model.layers[0].units = 'many';
  spec.training.epocs = 3;
  spec.training.optimizer = { type: 'adam', learning_rate: -1 };
  await editor.fill(JSON.stringify(spec));
  await page.getByRole('button', { name: 'Train', exact: true }).click();
  const { errors } = await service.post('/v1/jobs', spec);
  assert.equal(errors.length, 3);
  const box = page.getByRole('alert').first();
  for (const { pointer, detail } of errors) {
    await box.getByText(pointer, { exact: true }).waitFor();
    assert.ok((await text(box)).includes(detail));
  }
  assert.equal(await page.locator('[data-pointer="/model/layers/0/units"]').getAttribute('aria-invalid'), 'true');
});

test('a running job is shown live, and Cancel ends it', async () => {
  const { items } = await service.get('/v1/datasets');
  const iris = items.find(({ name }) => name === 'iris');
  const { id } = await service.post('/v1/jobs', longJob(iris.id));
  await go(`/jobs/${id}`);
  await page.getByText('● running').waitFor();
  const loss = line('Loss', 'train');
  const first = await text(loss);
  await changes(() => text(loss), first);
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByText('⊘ cancelled').waitFor();
  assert.equal((await service.get(`/v1/jobs/${id}`)).status, 'cancelled');
});

test('a run that diverges says so, and its values are marked, not drawn', async () => {
  const { items } = await service.get('/v1/datasets');
  const iris = items.find(({ name }) => name === 'iris');
  const spec = longJob(iris.id, 'diverges');
  spec.training = { epochs: 5, batch_size: 16, optimizer: { type: 'sgd', learning_rate: 1e30 } };
  const { id } = await service.post('/v1/jobs', spec);
  const ended = await service.ended(id);
  await go(`/jobs/${id}`);
  await page.getByText(`✕ ${ended.status}`).first().waitFor();
  const { series } = await service.get(`/v1/jobs/${id}/metrics?points=all`);
  assert.equal(typeof series.train_loss.value.at(-1), 'string', 'JSON has no NaN');
  await becomes(() => text(line('Loss', 'train')), number(series.train_loss.value.at(-1)));
});

test('what a user named is text, whatever it holds', async () => {
  const { items } = await service.get('/v1/datasets');
  const name = '<img src=x onerror=alert(1)>';
  const spec = longJob(items.find((one) => one.name === 'iris').id, name);
  spec.training.epochs = 1;
  await service.post('/v1/jobs', spec);
  await go('/jobs');
  await page.getByRole('link', { name }).click();
  await page.getByRole('heading', { name }).waitFor();
  await page.getByText('✓ succeeded').waitFor();
});

test('a wrong address says so', async () => {
  await go('/jobs/job_nothing');
  await page.getByRole('alert').waitFor();
  page.complaints.splice(0); // the 404 that was asked for
});

test('a service with a token asks for it, and then shows itself', async () => {
  const token = 'only-for-this-test-0123456789abcdef0123456789';
  const guarded = await startService(token);
  const visitor = await openPage(browser, guarded.url);
  await visitor.getByLabel('Token').fill('another one');
  await visitor.getByRole('button', { name: 'Sign in' }).click();
  await visitor.getByRole('alert').waitFor();
  await visitor.getByLabel('Token').fill(token);
  await visitor.getByRole('button', { name: 'Sign in' }).click();
  await visitor.getByRole('button', { name: 'Train an example' }).click();
  await visitor.getByText('✓ succeeded').waitFor();
  assert.deepEqual(
    visitor.complaints.filter((complaint) => !complaint.includes('status of 401')),
    [],
  );
  await visitor.context().close();
  await guarded.stop();
});

test('at 390 pixels nothing is cut off, in either theme', async () => {
  const {
    items: [job],
  } = await service.get('/v1/jobs?status=succeeded');
  for (const colorScheme of ['light', 'dark']) {
    const narrow = await openPage(browser, service.url, { viewport: { width: 390, height: 844 }, colorScheme });
    for (const place of ['/jobs', `/jobs/${job.id}`, '/new', '/models', `/models/${job.model}`]) {
      await narrow.goto(`${service.url}/#${place}`);
      await narrow.getByRole('heading').first().waitFor();
      await sleep(300);
      const [content, width] = await narrow.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      assert.ok(content <= width, `${place}: ${content} px wide`);
    }
    assert.deepEqual(narrow.complaints, []);
    await narrow.context().close();
  }
});

test('a model is asked in the form of its data: a text, a prompt, a node', async () => {
  const train = async (dataset, layers, training) => {
    const job = await service.post('/v1/jobs', { dataset, model: { layers }, training });
    return (await service.ended(job.id)).model;
  };
  const embedding = { type: 'embedding', units: 4 };
  const words = await train(
    { texts: ['good fun', 'good', 'bad luck', 'bad'].flatMap((t) => [t, t, t]), targets: [1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0] },
    [embedding, { type: 'global_avg_pool' }, { type: 'dense', units: 2 }],
    { epochs: 100, batch_size: 4, validation_split: 0, optimizer: { type: 'adam', learning_rate: 0.1 } },
  );
  await go(`/models/${words}`);
  for (const [said, answer] of [['good', '1'], ['bad', '0']]) {
    await page.getByLabel('A text').fill(said);
    await becomes(() => text(page.locator('.answer')), answer);
  }
  await page.getByLabel('row of the dataset').fill('6');
  await page.getByLabel('row of the dataset').press('Tab');
  await becomes(() => page.getByLabel('A text').inputValue(), 'bad luck');

  const writer = await train(
    { text: 'abc'.repeat(100) },
    [embedding, { type: 'gru', units: 8, return_sequences: true }, { type: 'dense', units: 3 }],
    { epochs: 60, sequence_length: 12, optimizer: { type: 'adam', learning_rate: 0.05 } },
  );
  await go(`/models/${writer}`);
  await page.getByLabel('What the text goes on from').fill('ab');
  await page.getByRole('button', { name: 'Go on from it' }).click();
  const { text: written } = await service.post(`/v1/models/${writer}/generate`, { prompt: 'ab', max_tokens: 200 });
  await becomes(() => text(page.locator('.text')), `ab${written}`);

  const members = await train(
    { graph: { nodes: [[1, 0], [1, 0], [0, 1], [0, 1]], edges: [[0, 1], [2, 3]], targets: ['a', 'a', 'b', 'b'] } },
    [{ type: 'gcn_conv', units: 2 }],
    { epochs: 100, validation_split: 0, optimizer: { type: 'adam', learning_rate: 0.1 } },
  );
  await go(`/models/${members}`);
  for (const [node, answer] of [['1', 'a'], ['3', 'b']]) {
    await page.getByLabel('node').fill(node);
    await becomes(() => text(page.locator('.answer')), answer);
  }
});
