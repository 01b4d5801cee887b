// The parts of the page that need no browser.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import vm from 'node:vm';
import { bytes, count, decade, duration, integer, number, percent, shape } from '../../web/format.js';
import { pretty } from '../../web/pretty.js';
import { Series, onSteps, unionOfSteps } from '../../web/series.js';

function series(step, value, extremes = {}) {
  const made = new Series();
  made.append({ step, value, ...extremes });
  return made;
}

test('numbers keep four significant digits and say what they are not', () => {
  const table = [
    [0.123456, '0.1235'],
    [12.3456, '12.35'],
    [0, '0'],
    [1234.5, '1235'],
    [45678.9, '45,679'],
    [1e-5, '1.00e−5'],
    [-0.5, '−0.5000'],
    [1.5e9, '1.50e9'],
    ['NaN', 'NaN'],
    ['Infinity', '∞'],
    ['-Infinity', '−∞'],
    [null, '–'],
    [undefined, '–'],
  ];
  for (const [value, text] of table) assert.equal(number(value), text);
});

test('units are those that people say', () => {
  assert.equal(percent(0.98765), '98.77 %');
  assert.equal(percent(1), '100.0 %');
  assert.equal(percent(0.0123), '1.23 %');
  assert.equal(percent(0), '0 %');
  assert.equal(percent(1e-9), '< 0.01 %');
  assert.equal(percent('NaN'), 'NaN');
  assert.equal(count(12_345), '12.3 k');
  assert.equal(count(987), '987');
  assert.equal(bytes(1_048_576), '1.00 MiB');
  assert.equal(duration(0.02), '20 ms');
  assert.equal(duration(75), '1 min 15 s');
  assert.equal(duration(7300), '2 h 1 min');
  assert.equal(integer(1797), '1,797');
  assert.equal(decade(-12), '10⁻¹²');
  assert.equal(shape([28, 28, 1]), '28 × 28 × 1');
});

test('a replayed stream changes nothing', () => {
  const one = series([1, 2, 3], [5, 4, 3]);
  one.append({ step: [2, 3, 4], value: [4, 3, 2] });
  assert.deepEqual(one.step, [1, 2, 3, 4]);
  assert.deepEqual(one.value, [5, 4, 3, 2]);
  assert.equal(one.newest, 2);
});

test('what JSON cannot hold comes back as the number', () => {
  assert.deepEqual(series([1, 2], ['NaN', '-Infinity']).value, [NaN, -Infinity]);
});

test('a thinned series keeps its extremes, a whole one needs none', () => {
  const whole = series([1, 2], [5, 4], { min: [5, 4], max: [5, 4] });
  assert.equal(whole.min, null);
  const thinned = series([10, 20], [5, 4], { min: [1, 4], max: [5, 90] });
  assert.deepEqual(
    [thinned.min, thinned.max],
    [
      [1, 4],
      [5, 90],
    ],
  );
});

test('a series of any length stays small, and no spike and no NaN is thinned away', () => {
  const one = new Series();
  const steps = Array.from({ length: 100_000 }, (_, at) => at + 1);
  one.append({ step: steps, value: steps.map((step) => (step === 54_321 ? 1e6 : step === 77_777 ? 'NaN' : 1 / step)) });
  assert.ok(one.step.length <= 4096 && one.step.length >= 2048, `${one.step.length} records`);
  assert.equal(Math.max(...one.max.filter(Number.isFinite)), 1e6);
  assert.equal(one.value.filter(Number.isNaN).length, 1);
  assert.equal(one.step.at(-1), 100_000);
  assert.equal(one.newest, 1e-5);
});

test('a series that grows too long is made half as long at once, however far apart its records are', () => {
  const one = new Series(256);
  for (let at = 1; at <= 200; at++) one.append({ step: [500 * at], value: [at] }); // as a record so far comes
  for (let at = 1; one.step.length >= 200; at++) one.append({ step: [100_000 + 50 * at], value: [at] }); // and goes on
  assert.ok(one.step.length > 64 && one.step.length <= 129, `${one.step.length} records are left`);
  assert.deepEqual([Math.min(...one.min), Math.max(...one.max), one.newest], [1, 200, 57]);
});

test('the record at a step is the last at or before it', () => {
  const one = series([10, 20, 30], [1, 2, 3]);
  assert.deepEqual(
    [9, 10, 19, 30, 99].map((step) => one.indexAt(step)),
    [-1, 0, 0, 2, 2],
  );
});

test('series of different steps share one axis: absent is undefined, undrawable null', () => {
  const each = series([1, 2, 3, 4], [4, 'NaN', 2, 1]);
  const some = series([2, 4], [9, 8]);
  const xs = unionOfSteps([each, some]);
  assert.deepEqual(xs, [1, 2, 3, 4]);
  assert.deepEqual(onSteps(each, xs, each.value, Number.isFinite), [4, null, 2, 1]);
  assert.deepEqual([...onSteps(some, xs, some.value, Number.isFinite)], [undefined, 9, undefined, 8]);
  const shifted = series([1, 2, 3.5, 4], [1, 1, 1, 1]);
  assert.deepEqual(unionOfSteps([each, shifted]), [1, 2, 3, 3.5, 4]);
});

test('pretty JSON is the same value, a layer a line', () => {
  const spec = {
    name: 'a "b"',
    model: { layers: Array.from({ length: 4 }, () => ({ type: 'dense', units: 16, activation: 'relu' })) },
  };
  const text = pretty(spec);
  assert.deepEqual(JSON.parse(text), spec);
  assert.equal(text.split('\n').filter((line) => line.includes('"dense"')).length, 4);
});

/** The modules that one needs, itself included, by the static imports that stand in their text. */
async function needed(module, found = new Set()) {
  if (found.has(module)) return found;
  found.add(module);
  const text = await readFile(new URL(`../../web/${module}`, import.meta.url), 'utf8');
  for (const [, from] of text.matchAll(/^import [^;]*?from '([^']+)';/gm)) await needed(path.posix.join(path.posix.dirname(module), from), found);
  return found;
}

/** What index.html and start.js ask for at an address, in a browser of which start.js sees no more than this. */
async function asked(hash, { language = 'en', layers = 2 } = {}) {
  const frame = await readFile(new URL('../../web/index.html', import.meta.url), 'utf8');
  const links = [...frame.matchAll(/<(?:link rel="modulepreload" href|script type="module" src)="([^"]+)"/g)].map(([, module]) => module);
  const fetched = [];
  const answer = { clone: () => answer, json: async () => ({ plan: { layers: Array(layers) } }) };
  const sandbox = {
    location: { hash },
    navigator: { language },
    localStorage: { getItem: () => null },
    document: { createElement: () => ({}), head: { append: (link) => links.push(link.href) } },
    fetch: async (address) => (fetched.push(address), answer),
  };
  vm.runInNewContext(await readFile(new URL('../../web/start.js', import.meta.url), 'utf8'), sandbox);
  await Promise.all(sandbox.early.values());
  return { links: links.sort(), fetched };
}

test('what the first places need is asked for at once, all of it and nothing else', async () => {
  const frame = await needed('app.js');
  for (const [hash, place] of [['', 'jobs'], ['#/jobs', 'jobs'], ['#/jobs/job_1?view=net', 'job'], ['#/trace', null]]) {
    const all = new Set([...frame, ...(place ? await needed(`places/${place}.js`) : [])]);
    assert.deepEqual((await asked(hash)).links, [...all].sort(), hash);
  }
  assert.ok((await asked('', { language: 'ja-JP' })).links.includes('languages/ja.js'));
  assert.equal((await asked('#/jobs?status=failed')).fetched.length, 0);
  const [few, many] = await Promise.all([2, 60].map((layers) => asked('#/jobs/job_1', { layers })));
  assert.deepEqual([few.fetched.length, many.fetched.length], [3, 3]);
  assert.notEqual(few.fetched[2], many.fetched[2]);
});
