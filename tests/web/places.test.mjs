// The job's views, comparing, datasets, drawing: done as a person does, and held against what the API answers.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { integer, number, percent } from '../../web/format.js';
import { becomes, openPage, root, sleep, startBrowser, startService, text } from './service.mjs';

let service;
let browser;
let page;
let digits;
const jobs = {};
const dense = (units, activation) => ({ type: 'dense', units, activation });

before(async () => {
  service = await startService();
  browser = await startBrowser();
  page = await openPage(browser, service.url);
  page.setDefaultTimeout(30_000);
  digits = await (
    await fetch(`${service.url}/v1/datasets?name=digits&target=digit`, {
      method: 'POST',
      body: await readFile(path.join(root, 'examples/digits.csv')),
      headers: { 'Content-Type': 'text/csv' },
    })
  ).json();
  const train = async (name, layers, optimizer, more = {}) => {
    const { id } = await service.post('/v1/jobs', {
      name,
      dataset: digits.id,
      model: { layers },
      training: { epochs: 6, batch_size: 32, seed: 1, optimizer },
      ...more,
    });
    jobs[name] = await service.ended(id);
  };
  const adam = { type: 'adam', learning_rate: 0.003 };
  await train('wide', [dense(64, 'relu'), dense(10)], adam);
  await train('narrow', [dense(16, 'relu'), dense(10)], adam, { tags: ['small'] });
  await train('branches', [
    { ...dense(16, 'relu'), name: 'first' },
    { type: 'residual', layers: [{ type: 'layer_norm' }, dense(16, 'tanh')] },
    { ...dense(8, 'relu'), name: 'left' },
    { ...dense(8, 'tanh'), name: 'right', inputs: ['residual_1'] },
    { type: 'concat', inputs: ['left', 'right'] },
    dense(10),
  ], adam);
  await train('sigmoids', [...Array.from({ length: 12 }, () => dense(16, 'sigmoid')), dense(10)], { type: 'sgd', learning_rate: 0.1 });
  await train('diverges', [dense(32, 'relu'), dense(10)], { type: 'sgd', learning_rate: 1e6 });
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

test('the layers of a job: every statistic of each, as the API has it', async () => {
  await go(`/jobs/${jobs.branches.id}?view=layers`);
  const { layers } = await service.get(`/v1/jobs/${jobs.branches.id}/gradients?points=all`);
  const charts = { update_ratio: 'Update : weight', saturated_fraction: 'Saturated units', weight_norm: 'Weight norm', dead_fraction: 'Dead units' };
  for (const [series, title] of Object.entries(charts)) {
    const format = series.endsWith('fraction') ? percent : number;
    const having = layers.filter((layer) => layer.series[series]?.value.length);
    assert.ok(having.length, `${series} is recorded`);
    for (const layer of having)
      await becomes(() => text(line(title, layer.name)), format(layer.series[series].value.at(-1)));
  }
});

test('the net is drawn with every layer, its shape and its parameters, and its branches side by side', async () => {
  await go(`/jobs/${jobs.branches.id}?view=net`);
  const box = (name) => page.locator('.net-boxes g.box').filter({ has: page.locator('.name', { hasText: new RegExp(`^${name}$`) }) });
  for (const { name, parameters } of jobs.branches.plan.layers) {
    await box(name).waitFor();
    if (parameters) assert.ok((await box(name).textContent()).includes(`${integer(parameters)} parameters`), name);
  }
  const place = async (name) => box(name).locator('rect').first().boundingBox();
  const [left, right, first, sum] = await Promise.all(['left', 'right', 'first', 'residual_1'].map(place));
  assert.equal(left.y, right.y);
  assert.ok(left.x + left.width <= right.x);
  assert.ok(first.y < sum.y && sum.y < left.y);
  await box('first').getByText('✓ healthy').waitFor();
});

test('a finding says what, where and since when, draws its evidence, and stands on the curves', async () => {
  await go(`/jobs/${jobs.diverges.id}`);
  await page.getByRole('link', { name: /critical/ }).click();
  await page.getByText('non finite').last().waitFor();
  const finding = page.locator('[data-code=non_finite]');
  await finding.getByText(/since step \d+/).waitFor();
  await becomes(async () => { // its cause may stand first and open, and the list is drawn again while findings come in
    if (!(await finding.evaluate((details) => details.open))) await finding.locator('summary').click();
    return finding.locator('canvas').isVisible();
  }, true);
  assert.match(page.url(), /view=findings/);
  await page.goBack();
  await chart('Loss').locator('canvas').waitFor();
  const red = await chart('Loss').locator('canvas').evaluate((canvas) => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let count = 0;
    for (let at = 0; at < data.length; at += 4) count += data[at] > 150 && data[at + 1] < 90 && data[at + 3] > 100;
    return count;
  });
  assert.ok(red > 20, `${red} pixels of the finding's mark`);
});

test('a finding is explained in the reader’s language, shows its remedy, which trains again and is compared at once', async () => {
  const { id } = jobs.sigmoids;
  const told = async (language) => (await fetch(`${service.url}/v1/jobs/${id}/diagnosis`, { headers: { 'Accept-Language': language } })).json();
  const { findings: [finding] } = await told('en');
  const { findings: [japanese] } = await told('ja');
  assert.equal(finding.code, 'vanishing_gradient');
  const reader = await openPage(browser, `${service.url}/#/jobs/${id}?view=findings`, { locale: 'ja-JP' });
  await reader.getByText(japanese.explanation).waitFor();
  await reader.getByText(japanese.remedies[0].title).first().waitFor();
  assert.deepEqual(reader.complaints, []);
  await reader.context().close();

  await go(`/jobs/${id}?view=findings`);
  const shown = page.locator('[data-code=vanishing_gradient]');
  await shown.getByText(finding.explanation).waitFor();
  await shown.locator('canvas').waitFor();
  const [remedy] = finding.remedies;
  const offered = shown.locator(`[data-remedy=${remedy.code}]`);
  await offered.getByText(remedy.title).first().waitFor();
  const changes = await offered.locator('.differences tbody tr').allInnerTexts();
  assert.ok(changes.length, 'it says what changes');
  await offered.getByRole('button', { name: 'Train again with this' }).click();
  await page.waitForURL(/#\/compare\?jobs=/);
  const child = await service.ended(page.url().split(',').at(-1));
  assert.equal(child.parent, id);
  await becomes(async () => (await page.locator('.differences tbody tr').count()) > 0, true);
  const { findings: { closed } } = await service.get(`/v1/jobs/${child.id}/comparison`);
  if (closed.some(({ code }) => code === 'vanishing_gradient')) await page.locator('.outcome').getByText(/vanishing gradient/).first().waitFor();
  await becomes(() => text(page.locator('.compare tbody tr').first().getByRole('cell').last()).then((shown) => shown.includes(child.status)), true);
});

test('a range test draws the loss over the rate and says which rate it suggests', async () => {
  const { id } = await service.post('/v1/jobs', {
    kind: 'lr_range',
    name: 'range',
    dataset: digits.id,
    model: { layers: [dense(32, 'relu'), dense(10)] },
    training: { batch_size: 32, seed: 1, optimizer: { type: 'sgd', learning_rate: 1 } },
  });
  const { result } = await service.ended(id);
  const { series } = await service.get(`/v1/jobs/${id}/metrics?points=all`);
  await go(`/jobs/${id}`);
  const plot = page.getByRole('group', { name: /^loss over the learning rate/ });
  await plot.locator('canvas').waitFor();
  await page.getByText(`The loss falls fastest at a rate of ${number(result.suggested_learning_rate, 3)}`).waitFor();
  await plot.focus();
  await page.keyboard.press('ArrowRight');
  const cell = (name) => page.locator('.chart.range').getByRole('row').filter({ has: page.getByRole('rowheader', { name, exact: true }) }).getByRole('cell');
  await becomes(() => text(cell('rate')), number(result.curve.learning_rate[0]));
  await becomes(() => text(cell('loss')), number(series.train_loss.value[0]));
  await becomes(() => text(cell('smoothed')), number(result.curve.smoothed_loss[0]));
});

test('the histograms of a layer over time: as many columns as records, each with what the API counts', async () => {
  const { id } = jobs.wide;
  await go(`/jobs/${id}?view=layers`);
  await page.getByRole('img', { name: 'histogram of dense_1 over steps' }).waitFor();
  await page.getByLabel('of what').selectOption('weight');
  await page.getByLabel('layer', { exact: true }).selectOption('dense_2');
  const { steps, edges, counts } = await service.get(`/v1/jobs/${id}/histograms?layer=dense_2&kind=weight`);
  assert.ok(steps.length > 5, 'recorded');
  assert.match(page.url(), /layer=dense_2&of=weight|of=weight&layer=dense_2/);
  const picture = page.getByRole('img', { name: 'histogram of dense_2 over steps' });
  await becomes(() => picture.evaluate((canvas) => canvas.width), steps.length);
  await picture.scrollIntoViewIfNeeded();
  const { width, height } = await picture.boundingBox();
  await picture.hover({ position: { x: width - 2, y: height / 2 } });
  const said = page.getByText(/ around /);
  const [, step, count, value] = /^step ([\d,]+) · ([\d,]+) around (\S+)$/.exec(await text(said));
  assert.equal(step, integer(steps.at(-1)));
  const around = Number(value.replace('−', '-'));
  const near = edges.at(-1).findIndex((edge) => edge > around) - 1;
  assert.ok([near - 1, near, near + 1].some((bin) => integer(counts.at(-1)[bin] ?? 0) === count), `${count} around ${value}`);
});

test('confusion: each count, precision and recall as the API has them', async () => {
  const { matrix, per_class } = await service.get(`/v1/jobs/${jobs.wide.id}/confusion`);
  await go(`/jobs/${jobs.wide.id}?view=data`);
  await page.locator('.confusion').waitFor();
  const rows = await page.locator('.confusion tbody tr').evaluateAll((all) => all.map((row) => [...row.children].slice(1).map((cell) => cell.textContent)));
  assert.deepEqual(
    rows,
    matrix.map((row, at) => [
      ...row.map((n) => (n ? integer(n) : '·')),
      ...['precision', 'recall', 'f1'].map((name) => percent(per_class[at][name])),
    ]),
  );
});

test('smoothing is drawn over what was recorded, looks back only, and is part of the address', async () => {
  await go(`/jobs/${jobs.wide.id}`);
  await page.getByLabel('smoothing').selectOption({ label: 'mean of the last 10 steps' });
  const { series } = await service.get(`/v1/jobs/${jobs.wide.id}/metrics?points=all`);
  let mean = null;
  series.train_loss.value.forEach((value, at) => {
    const keep = at ? Math.exp((series.train_loss.step[at - 1] - series.train_loss.step[at]) / 10) : 0;
    mean = keep * (mean ?? 0) + (1 - keep) * value;
  });
  await becomes(() => text(line('Loss', 'train, smoothed')), number(mean));
  await becomes(() => text(line('Loss', 'train')), number(series.train_loss.value.at(-1)));
  await page.reload();
  await becomes(() => text(line('Loss', 'train, smoothed')), number(mean));
});

test('opening a place asks for nothing twice', async () => {
  for (const place of ['/jobs', `/jobs/${jobs.wide.id}`, `/jobs/${jobs.sigmoids.id}`, `/jobs/${jobs.wide.id}?view=layers&layer=dense_2`]) {
    const visitor = await openPage(browser, 'about:blank');
    const asked = [];
    visitor.on('request', (request) => asked.push(request.url()));
    await visitor.goto(`${service.url}/#${place}`);
    await visitor.getByRole('table').first().waitFor();
    await visitor.waitForLoadState('networkidle');
    const repeated = asked.filter((url, at) => asked.indexOf(url) !== at && !/brief=true/.test(url)); // the list is looked at again and again
    assert.deepEqual(repeated, [], place);
    const norms = asked.filter((url) => url.includes('series=gradient_norm'));
    assert.equal(norms.length, place === '/jobs' ? 0 : 1, norms.join('\n'));
    assert.deepEqual(visitor.complaints, []);
    await visitor.context().close();
  }
});

test('runs are compared: their figures, what differs, their curves, their gradients over depth', async () => {
  await go(`/jobs/${jobs.wide.id}`);
  await page.getByRole('link', { name: 'Compare' }).last().click();
  await page.getByLabel('add a run').selectOption(jobs.narrow.id);
  await page.getByRole('button', { name: 'take narrow out' }).waitFor();
  await page.getByLabel('add a run').selectOption(jobs.branches.id);
  await page.waitForURL(new RegExp(jobs.branches.id));
  for (const one of [jobs.wide, jobs.narrow, jobs.branches]) {
    await becomes(() => text(line('Train loss', one.name)), number(one.metrics.train_loss));
    await becomes(() => text(line('Validation accuracy', one.name)), percent(one.metrics.val_accuracy));
    await page.locator(`.profiles circle title`, { hasText: `${one.name} · ` }).first().waitFor({ state: 'attached' });
  }
  await page.getByRole('button', { name: 'take branches out' }).click();
  const difference = page.locator('.differences tbody tr');
  await becomes(() => difference.count(), 1);
  assert.deepEqual(await difference.locator('th, td').allInnerTexts(), ['model.layers.0.units', '64', '16']);
});

test('eight runs are compared at once, each with a colour, a line in every chart and a gradient profile; a ninth is refused and said so', async () => {
  const eight = [];
  for (let at = 0; at < 9; at++) {
    const { id } = await service.post('/v1/jobs', {
      name: `run ${at}`,
      dataset: digits.id,
      tags: ['overlaid'],
      model: { layers: [dense(4 + at, 'relu'), dense(10)] },
      training: { epochs: 2, batch_size: 64, seed: 1, optimizer: { type: 'adam', learning_rate: 0.003 } },
    });
    eight.push(await service.ended(id));
  }
  const ninth = eight.pop();
  await go('/jobs?tag=overlaid');
  for (const { name } of eight) await page.getByLabel(`choose ${name} for comparison`).check();
  await page.getByRole('link', { name: 'Compare 8', exact: true }).click();
  await page.waitForURL(/compare\?jobs=/);
  for (const one of eight) {
    await becomes(() => text(line('Train loss', one.name)), number(one.metrics.train_loss));
    await becomes(() => text(line('Validation loss', one.name)), number(one.metrics.val_loss));
    await page.getByRole('columnheader', { name: `${one.name} take ${one.name} out` }).waitFor();
  }
  const legend = chart('Train loss').getByRole('row');
  assert.equal(await legend.count(), 8);
  const colors = await legend.locator('.swatch').evaluateAll((swatches) => swatches.map((swatch) => getComputedStyle(swatch).backgroundColor));
  assert.equal(new Set(colors).size, 8, colors.join());
  const difference = page.locator('.differences tbody tr');
  assert.deepEqual(await difference.locator('th, td').allInnerTexts(), ['model.layers.0.units', ...eight.map((_, at) => String(4 + at))]);
  const profiles = page.getByRole('img', { name: 'Gradient from layer to layer' });
  const drawn = await profiles.locator('path').evaluateAll((paths) => paths.map((path) => [path.getAttribute('d'), path.style.stroke]));
  assert.equal(new Set(drawn.map(([d]) => d)).size, 8);
  assert.equal(new Set(drawn.map(([, stroke]) => stroke)).size, 8);
  for (const { name } of eight) {
    assert.equal(await profiles.locator('title', { hasText: `${name} · dense_` }).count(), 2, name);
    await page.locator('section.heat', { has: page.getByRole('heading', { name }) }).locator('canvas').scrollIntoViewIfNeeded();
  }
  await page.getByLabel('add a run').getByText('eight runs at most').waitFor({ state: 'attached' });
  assert.ok(await page.getByLabel('add a run').isDisabled());

  await go(`/compare?jobs=${[...eight, ninth].map(({ id }) => id).join()}`);
  await page.getByText('eight runs at most: 1 of those asked for left out').waitFor();
  assert.equal(await page.getByRole('button', { name: `take ${ninth.name} out` }).count(), 0);
  await go('/jobs?tag=overlaid');
  for (const { name } of [...eight, ninth]) await page.getByLabel(`choose ${name} for comparison`).check();
  await page.getByRole('link', { name: 'Compare the first 8 of 9' }).waitFor();
});

test('a dataset is taken in from a file, profiled, shown row by row, and deleted', async () => {
  await go('/datasets');
  await page.getByText('Add a dataset').click();
  const csv = ['height,width,kind', ...Array.from({ length: 30 }, (_, at) => `${at},${(at * 7) % 11},${at % 3 ? 'oak' : 'elm'}`)].join('\n');
  await page.getByLabel('file').setInputFiles({ name: 'trees.csv', mimeType: 'text/csv', buffer: Buffer.from(csv) });
  await becomes(() => page.getByLabel('target column').inputValue(), 'kind');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await page.waitForURL(/#\/datasets\/ds_/);
  await page.getByRole('heading', { name: 'trees' }).waitFor();
  const id = page.url().split('/').at(-1);
  const { profile, rows } = await service.get(`/v1/datasets/${id}`);
  const feature = page.getByRole('row').filter({ has: page.getByRole('rowheader', { name: 'height', exact: true }) });
  const [height] = profile.features;
  assert.deepEqual(
    (await feature.getByRole('cell').allInnerTexts()).slice(0, 6),
    [number(height.mean), number(height.std), number(height.min), number(height.max), '0', integer(height.distinct)],
  );
  await feature.getByRole('img', { name: 'histogram of height' }).waitFor();
  for (const { name, count } of profile.classes) {
    const row = page.getByRole('row').filter({ has: page.getByRole('rowheader', { name, exact: true }) });
    assert.deepEqual((await row.getByRole('cell').allInnerTexts()).slice(1), [integer(count), percent(count / rows)]);
  }
  await page.getByRole('button', { name: 'Next' }).click();
  await page.getByText('10 to 19 of 30').waitFor();
  await page.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('button', { name: 'Really delete?' }).click();
  await page.waitForURL(/#\/datasets$/);
  assert.ok(!(await service.get('/v1/datasets')).items.some((one) => one.id === id));
});

test('pictures that are dropped become a dataset of images, each of the class that its name says', async () => {
  await go('/datasets');
  await page.getByText('Add a dataset').click();
  const pictures = await page.evaluate(async () => {
    const made = [];
    for (const [name, color] of [['dark_1.png', '#101010'], ['dark_2.png', '#202020'], ['light_1.png', '#f0f0f0'], ['light_2.png', '#e0e0e0']]) {
      const canvas = Object.assign(document.createElement('canvas'), { width: 40, height: 40 });
      canvas.getContext('2d').fillStyle = color;
      canvas.getContext('2d').fillRect(0, 0, 40, 40);
      made.push({ name, url: canvas.toDataURL() });
    }
    return made;
  });
  await page.getByLabel('file').setInputFiles(pictures.map(({ name, url }) => ({ name, mimeType: 'image/png', buffer: Buffer.from(url.split(',')[1], 'base64') })));
  await page.getByText('4 pictures of dark, light').waitFor();
  await page.getByLabel('size of the pictures').selectOption('8');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await page.waitForURL(/#\/datasets\/ds_/);
  const { items } = await service.get(`/v1/datasets/${page.url().split('/').at(-1)}/rows`);
  assert.deepEqual(items.map(({ target }) => target), ['dark', 'dark', 'light', 'light']);
  assert.deepEqual([items[0].input.length, items[0].input[0].length, items[0].input[0][0].length], [8, 8, 1]);
  assert.deepEqual(items.map(({ input }) => input[3][3][0]), [16, 32, 240, 224]);
  await becomes(() => page.locator('.gallery canvas').count(), 4);
});

test('a digit is drawn by hand, and what is drawn is what is asked', async () => {
  await go(`/models/${jobs.wide.model}`);
  const pad = page.getByRole('img', { name: 'draw here' });
  await pad.waitFor();
  await sleep(300);
  await page.getByRole('button', { name: 'Clear' }).click();
  const { x, y, width, height } = await pad.boundingBox();
  await page.mouse.move(x + width * 0.5, y + height * 0.1);
  await page.mouse.down();
  await page.mouse.move(x + width * 0.5, y + height * 0.9, { steps: 12 });
  await page.mouse.up();
  await sleep(500);
  const drawn = await pad.evaluate((canvas) => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return Array.from({ length: data.length / 4 }, (_, at) => Math.round((data[4 * at] * 16) / 255));
  });
  assert.ok(drawn.filter((value) => value > 8).length >= 7, 'a stroke from top to bottom');
  assert.equal(drawn[0], 0);
  const { predictions, probabilities } = await service.post(`/v1/models/${jobs.wide.model}/predict`, { inputs: [drawn] });
  await becomes(() => text(page.locator('.answer')), predictions[0]);
  const top = page.getByRole('row').filter({ has: page.getByRole('rowheader', { name: predictions[0], exact: true }) });
  await becomes(() => text(top.getByRole('cell').last()), percent(Math.max(...probabilities[0])));
});

test('an answer is explained over the image that was asked', async () => {
  await go(`/models/${jobs.wide.model}`);
  await page.reload(); // without the digit that was drawn there before
  await page.getByText('true: 0').waitFor();
  await page.getByLabel('Explain it').check();
  const drawn = page.getByRole('img', { name: 'what the answer hangs on' });
  await drawn.waitFor();
  const { items: [{ input }] } = await service.get(`/v1/datasets/${digits.id}/rows?limit=1`);
  const { attributions } = await service.post(`/v1/models/${jobs.wide.model}/explain`, { inputs: [input], method: 'integrated_gradients' });
  const values = attributions[0].flat(Infinity);
  const strongest = values.reduce((best, value, at) => (Math.abs(value) > Math.abs(values[best]) ? at : best), 0);
  const pixel = () => drawn.evaluate((canvas, at) => [...canvas.getContext('2d').getImageData(at % 8, Math.floor(at / 8), 1, 1).data].join(), strongest);
  await becomes(pixel, values[strongest] > 0 ? '214,69,65,255' : '59,108,199,255');
});

test('one step in thousands that jumps is seen at every zoom', async () => {
  const rows = 4000;
  const inputs = Array.from({ length: rows }, (_, at) => [Math.sin(at)]);
  const targets = inputs.map(([x], at) => [at === 1234 ? 500 : x]);
  const { id } = await service.post('/v1/jobs', {
    name: 'spike',
    dataset: { inputs, targets, task: 'regression' },
    model: { layers: [dense(1)] },
    training: { epochs: 5, batch_size: 1, validation_split: 0, optimizer: { type: 'sgd', learning_rate: 1e-4 } },
  });
  await service.ended(id);
  const { series } = await service.get(`/v1/jobs/${id}/metrics?series=train_loss&points=all`);
  const most = Math.max(...series.train_loss.value);
  const jumps = series.train_loss.step.filter((_, at) => series.train_loss.value[at] > most / 2);
  assert.equal(jumps.length, 5, 'one an epoch');
  await go(`/jobs/${id}`);
  await becomes(() => text(line('Loss', 'train')), number(series.train_loss.value.at(-1)));
  await sleep(500);
  /** Columns of the plot that have ink in its upper third, neighbours as one. */
  const peaks = () =>
    chart('Loss').locator('canvas').evaluate((canvas) => {
      const { width, height } = canvas;
      const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
      let count = 0;
      let before = false;
      for (let x = 60; x < width; x++) {
        let ink = 0;
        for (let y = Math.round(height * 0.1); y < height * 0.3; y++) {
          const at = 4 * (y * width + x);
          if (data[at + 3] > 90 && data[at + 2] - data[at] > 60) ink++;
        }
        if (ink > 5 && !before) count++;
        before = ink > 5;
      }
      return count;
    });
  assert.equal(await peaks(), 5);
  const plot = await chart('Loss').getByRole('group').boundingBox();
  const place = (step) => plot.x + 52 + ((plot.width - 76) * step) / series.train_loss.step.at(-1);
  await page.mouse.move(place(jumps[2] - 900), plot.y + 80);
  await page.mouse.down();
  await page.mouse.move(place(jumps[2] + 900), plot.y + 80, { steps: 3 });
  await page.mouse.up();
  await sleep(300);
  assert.equal(await peaks(), 1);
});

test('jobs are found by words, state and tag, sorted by a column, and chosen for comparison', async () => {
  await go('/jobs');
  const names = () => page.locator('tbody tr td:nth-child(2) a:first-child').allInnerTexts();
  await page.getByLabel('search').fill('row');
  await becomes(async () => (await names()).join(), 'narrow');
  await page.getByLabel('search').fill('');
  await page.getByLabel('state').selectOption('failed');
  await becomes(async () => (await names()).join(), 'diverges');
  await page.reload();
  await becomes(async () => (await names()).join(), 'diverges');
  await page.getByLabel('state').selectOption('');
  await page.getByRole('link', { name: 'small' }).click();
  await becomes(async () => (await names()).join(), 'narrow');
  await page.getByRole('button', { name: /^tag small/ }).click();
  await page.getByRole('button', { name: 'Train loss' }).click();
  const { items } = await service.get('/v1/jobs');
  const sorted = items.filter(({ metrics }) => Number.isFinite(metrics.train_loss)).sort((a, b) => a.metrics.train_loss - b.metrics.train_loss);
  await becomes(async () => (await names()).slice(0, sorted.length).join(), sorted.map(({ name }) => name).join());
  await page.getByRole('button', { name: 'Train loss' }).click();
  await becomes(async () => (await names())[0], sorted.at(-1).name);
  await page.getByLabel('choose wide for comparison').check();
  await page.getByLabel('choose narrow for comparison').check();
  await page.getByRole('link', { name: 'Compare 2' }).click();
  await page.getByRole('button', { name: 'take wide out' }).waitFor();
  await page.getByRole('button', { name: 'take narrow out' }).waitFor();
});

test('a job is trained again, and compared with what it came from', async () => {
  await go(`/jobs/${jobs.narrow.id}`);
  await page.getByRole('button', { name: 'Train again', exact: true }).click();
  await page.getByRole('link', { name: 'compare with its parent' }).click();
  await page.waitForURL(/compare\?jobs=job_\w+,job_/);
  const child = page.url().split(',').at(-1);
  assert.equal((await service.ended(child)).parent, jobs.narrow.id);
  await page.getByText('Nothing: the jobs are the same but for their names.').waitFor();
});

test('a running job is paused, goes on, and is stopped with its model, from its page and from the list', async () => {
  const { id } = await service.post('/v1/jobs', {
    name: 'under the hand',
    dataset: digits.id,
    model: { layers: [dense(64, 'relu'), dense(10)] },
    training: { steps: 10_000_000, batch_size: 32, optimizer: { type: 'adam', learning_rate: 1e-5 } },
  });
  await go(`/jobs/${id}`);
  await page.getByText('● running').waitFor();
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByText('‖ paused').waitFor();
  assert.equal((await service.get(`/v1/jobs/${id}`)).status, 'paused');
  await go('/jobs');
  const row = page.getByRole('row').filter({ hasText: 'under the hand' });
  await row.getByRole('button', { name: 'Resume' }).click();
  await row.getByText('● running').waitFor();
  await go(`/jobs/${id}`);
  await page.getByText('● running').waitFor();
  await page.getByRole('button', { name: 'Stop and keep' }).click();
  await page.getByText('✓ succeeded').waitFor();
  await page.getByRole('link', { name: 'Predict' }).waitFor();
  assert.ok((await service.get(`/v1/jobs/${id}`)).model);
});

test('the service goes away and comes back: the page says so, and goes on', async () => {
  await go('/jobs');
  await page.getByRole('link', { name: 'wide' }).waitFor();
  await page.context().setOffline(true);
  await page.getByText('disconnected: what is shown is stale; trying again').waitFor();
  assert.ok(await page.getByRole('link', { name: 'wide' }).isVisible(), 'what was shown stays');
  await page.context().setOffline(false);
  await page.getByText('disconnected: what is shown is stale; trying again').waitFor({ state: 'detached' }).catch(() => {});
  await becomes(() => text(page.getByRole('status').first()), '');
  page.complaints.splice(0); // the failed requests that were asked for
});

test('a running job goes on without a gap when the service was away for a while', async () => {
  const { id } = await service.post('/v1/jobs', {
    name: 'through a restart',
    dataset: digits.id,
    model: { layers: [dense(768, 'relu'), dense(768, 'relu'), dense(10)] },
    training: { steps: 900, batch_size: 128, optimizer: { type: 'adam', learning_rate: 1e-4 } },
  });
  await go(`/jobs/${id}`);
  await page.getByText(/step [1-9]\d* of 900/).waitFor();
  await service.restart(1500);
  page.complaints.splice(0); // the connection that was lost
  await page.getByText('✓ succeeded').waitFor({ timeout: 240_000 });
  const { series } = await service.get(`/v1/jobs/${id}/metrics?points=all`);
  assert.equal(series.train_loss.step.length, 900);
  await becomes(() => text(line('Loss', 'train')), number(series.train_loss.value.at(-1)));
  await chart('Loss').getByRole('group').focus();
  await page.keyboard.press('Home');
  for (let at = 0; at < 900; at += 10) {
    await becomes(async () => (await text(chart('Loss').getByRole('heading'))).split('\n')[0].trim(), `Loss · step ${at + 1}`);
    assert.equal(await text(line('Loss', 'train')), number(series.train_loss.value[at]));
    await page.keyboard.press('Shift+ArrowRight');
  }
  page.complaints.splice(0);
});
