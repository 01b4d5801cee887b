// Makes docs/pictures/*.png: the pages of a live service with real jobs, in both themes and at 390 pixels.
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { traces } from '../../web/traces.js';
import { openPage, root, sleep, startBrowser, startService } from './service.mjs';

const folder = path.join(root, 'docs/pictures');
const looks = {
  '': {},
  '-dark': { colorScheme: 'dark' },
  '-narrow': { viewport: { width: 390, height: 844 } },
};
const wanted = process.argv.slice(2); // names; none: all
const dense = (units, activation) => ({ type: 'dense', units, activation });

await mkdir(folder, { recursive: true });
const service = await startService();
const browser = await startBrowser();
try {
  const iris = await service.ended((await service.post('/v1/jobs', { ...(await service.get('/examples/iris.json')), tags: ['flowers'] })).id);
  const csv = await readFile(path.join(root, 'examples/digits.csv'));
  const digits = await (
    await fetch(`${service.url}/v1/datasets?name=digits&target=digit`, {
      method: 'POST',
      body: csv,
      headers: { 'Content-Type': 'text/csv' },
    })
  ).json();
  const spec = JSON.parse(await readFile(path.join(root, 'examples/digits.json'), 'utf8'));
  const train = async (name, layers, optimizer, more) => {
    const { id } = await service.post('/v1/jobs', {
      name,
      dataset: digits.id,
      tags: ['digits'],
      model: { layers },
      training: { epochs: 20, batch_size: 32, seed: 1, optimizer, ...more },
    });
    return service.ended(id);
  };
  const job = await service.ended((await service.post('/v1/jobs', { ...spec, dataset: digits.id, tags: ['digits'] })).id);
  const sick = await train('deep sigmoid', [...Array.from({ length: 12 }, () => dense(16, 'sigmoid')), dense(10)], { type: 'sgd', learning_rate: 0.1 });
  const sound = await train('deep relu', [...Array.from({ length: 12 }, () => dense(16, 'relu')), dense(10)], { type: 'adam', learning_rate: 0.003 });
  const branches = await train(
    'residual',
    [
      { ...dense(32, 'relu'), name: 'first' },
      { type: 'residual', layers: [{ type: 'layer_norm' }, dense(32, 'relu'), dense(32)] },
      { ...dense(16, 'relu'), name: 'left' },
      { ...dense(16, 'tanh'), name: 'right', inputs: ['residual_1'] },
      { type: 'concat', inputs: ['left', 'right'] },
      dense(10),
    ],
    { type: 'adam', learning_rate: 0.003 },
  );
  await train('diverges', [dense(32, 'relu'), dense(10)], { type: 'sgd', learning_rate: 1000 });
  const range = await service.ended(
    (await service.post('/v1/jobs', { kind: 'lr_range', name: 'which rate', dataset: digits.id, model: { layers: [dense(32, 'relu'), dense(10)] }, training: { batch_size: 32, seed: 1 } })).id,
  );

  const places = {
    jobs: '/jobs',
    job: `/jobs/${job.id}`,
    vanishing: `/jobs/${sick.id}`,
    layers: `/jobs/${sound.id}?view=layers`,
    histograms: `/jobs/${sound.id}?view=layers&layer=dense_6&of=activation`,
    findings: `/jobs/${sick.id}?view=findings`,
    range: `/jobs/${range.id}`,
    net: `/jobs/${branches.id}?view=net`,
    confusion: `/jobs/${job.id}?view=data`,
    compare: `/compare?jobs=${sick.id},${sound.id},${branches.id}`,
    new: `/new?from=${iris.id}`,
    datasets: '/datasets',
    dataset: `/datasets/${iris.dataset}`,
    images: `/datasets/${digits.id}`,
    models: '/models',
    predict: `/models/${job.model}`,
    trace: `/trace?example=${Object.keys(traces)[0]}&step=8`,
  };
  const below = { histograms: '.histograms' }; // what stands further down than a window is tall
  const shoot = async (options, suffix, names) => {
    const page = await openPage(browser, service.url, options);
    for (const name of names) {
      if (wanted.length && !wanted.includes(name)) continue;
      await page.goto('about:blank');
      await page.goto(`${service.url}/#${places[name]}`);
      await page.getByRole('heading').first().waitFor();
      await page.waitForLoadState('networkidle').catch(() => {});
      await sleep(1200);
      if (below[name]) {
        await page.locator(below[name]).scrollIntoViewIfNeeded();
        await sleep(500); // charts are drawn as they come into sight
      }
      await page.screenshot({ path: path.join(folder, `${name}${suffix}.png`) });
    }
    await page.context().close();
  };
  for (const [suffix, options] of Object.entries(looks)) await shoot(options, suffix, Object.keys(places));
} finally {
  await browser.close();
  await service.stop();
}
