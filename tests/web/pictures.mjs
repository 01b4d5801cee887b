// Makes docs/pictures/*.png: the pages of a live service with real jobs, in both themes and at 390 pixels.
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { openPage, root, sleep, startBrowser, startService } from './service.mjs';

const folder = path.join(root, 'docs/pictures');
const looks = {
  '': {},
  '-dark': { colorScheme: 'dark' },
  '-narrow': { viewport: { width: 390, height: 844 } },
};

await mkdir(folder, { recursive: true });
const service = await startService();
const browser = await startBrowser();
try {
  const iris = JSON.parse(await readFile(path.join(root, 'web/examples/iris.json'), 'utf8'));
  const first = await service.post('/v1/jobs', iris);
  await service.ended(first.id);
  const csv = await readFile(path.join(root, 'examples/digits.csv'));
  const digits = await (
    await fetch(`${service.url}/v1/datasets?name=digits&target=digit`, {
      method: 'POST',
      body: csv,
      headers: { 'Content-Type': 'text/csv' },
    })
  ).json();
  const spec = JSON.parse(await readFile(path.join(root, 'examples/digits.json'), 'utf8'));
  const job = await service.post('/v1/jobs', { ...spec, dataset: digits.id });
  const { model } = await service.ended(job.id);

  const places = {
    jobs: '/jobs',
    job: `/jobs/${job.id}`,
    new: `/new?from=${first.id}`,
    predict: `/models/${model}`,
  };
  for (const [suffix, options] of Object.entries(looks)) {
    const page = await openPage(browser, service.url, options);
    for (const [name, place] of Object.entries(places)) {
      await page.goto('about:blank');
      await page.goto(`${service.url}/#${place}`);
      await page.getByRole('heading').first().waitFor();
      if (name === 'predict')
        await page
          .getByLabel('row of the dataset')
          .fill('3')
          .then(() => page.keyboard.press('Tab'));
      await sleep(800);
      await page.screenshot({ path: path.join(folder, `${name}${suffix}.png`) });
    }
    await page.context().close();
  }
} finally {
  await browser.close();
  await service.stop();
}
