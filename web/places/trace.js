// Trace: one cycle of backpropagation on a small net, step by step: forward, loss, backward, update, and the numeric check
// beside it. The address holds the example or the whole request, and the step.
import { curl, get, post } from '../api.js';
import { curlLine, h, problemBox, replace, setText, settle } from '../dom.js';
import { t } from '../language.js';
import { pretty } from '../pretty.js';
import { pictureKey, tracePicture } from '../trace_picture.js';
import { shownLines, stepsOf, written } from '../trace_steps.js';
import { traces } from '../traces.js';

const pace = 1600; // milliseconds a step while playing
const mostFields = 48; // of weights that have a field each
const signs = { sum: 'Σ', output: 'a', delta: 'δ', weights: '∂w', input: '∂x' };
const kinds = () => ({
  forward: t('Forward'),
  loss: t('Loss'),
  backward: t('Backward'),
  update: t('Update'),
  check: t('Check'),
});

export async function tracePlace({ query, signal, title, arrive }) {
  title(t('Trace'));
  const catalog = await get('/v1/layers', signal);
  let name = query.get('example') in traces ? query.get('example') : Object.keys(traces)[0];
  let body = query.get('body') ? JSON.parse(query.get('body')) : structuredClone(traces[name].body);
  let own = query.has('body');
  let answer = null;
  let steps = [];
  let row = 0;
  let at = Number(query.get('step') ?? 1) - 1;
  let timer = 0;

  const picture = h('div', { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': t('the net') });
  const key = h('p', { class: 'muted' });
  const heading = h('h2', { 'aria-live': 'polite' });
  const sums = h('table', { class: 'sums' });
  const numbers = h('pre', { tabindex: 0 });
  const trouble = h('div');
  const list = h('ol', { class: 'cycle' });
  const fields = h('div', { class: 'columns' });
  const json = h('textarea', { rows: 14, spellcheck: 'false', 'aria-label': t('the request as JSON') });
  const jsonError = h('p', { class: 'critical', role: 'status' });
  const command = curlLine('');
  const about = h('p', { class: 'muted' });
  const rowPick = h('select', {
    'aria-label': t('row'),
    onchange: () => {
      row = Number(rowPick.value);
      steps = stepsOf(body, answer, row);
      show();
    },
  });
  const slider = h('input', {
    type: 'range',
    min: 1,
    'aria-label': t('step'),
    oninput: () => move(Number(slider.value) - 1),
  });
  const counter = h('span', { class: 'muted' });
  const button = (text, onclick) => h('button', { type: 'button', onclick }, text);
  const first = button(t('First'), () => move(0));
  const back = button(t('Back'), () => move(at - 1));
  const next = button(t('Next'), () => move(at + 1));
  const play = button(t('Play'), () => (timer ? pause() : start()));

  function move(to, playing = false) {
    if (!playing) pause();
    at = Math.min(steps.length - 1, Math.max(0, to));
    show();
  }
  function start() {
    if (at === steps.length - 1) at = 0;
    setText(play, t('Pause'));
    timer = setInterval(() => (at < steps.length - 1 ? move(at + 1, true) : pause()), pace);
    show();
  }
  function pause() {
    clearInterval(timer);
    timer = 0;
    setText(play, t('Play'));
  }
  signal.addEventListener('abort', pause);

  function show() {
    if (!answer) return;
    const step = steps[at];
    const held = new URLSearchParams(own ? { body: JSON.stringify(body) } : { example: name });
    held.set('step', at + 1);
    history.replaceState(null, '', `#/trace?${held}`);
    slider.max = steps.length;
    slider.value = at + 1;
    back.disabled = first.disabled = at === 0;
    next.disabled = at === steps.length - 1;
    setText(counter, t('step {at} of {all}', { at: at + 1, all: steps.length }));
    setText(heading, step.title);
    setText(key, pictureKey(step));
    const left = picture.scrollLeft;
    replace(picture, tracePicture(answer, steps, at, row));
    picture.scrollLeft = left;
    const [frame, unit] = [picture, picture.querySelector('circle.now')].map((one) => one?.getBoundingClientRect());
    if (unit && (unit.right > frame.right || unit.left < frame.left)) picture.scrollLeft += (unit.left + unit.right - frame.left - frame.right) / 2;
    replace(
      sums,
      h(
        'tbody',
        {},
        shownLines(step.lines).map(({ text, value }) =>
          h('tr', {}, h('th', { scope: 'row' }, text), h('td', { class: 'number', title: value }, `= ${written(value)}`)),
        ),
      ),
    );
    setText(numbers, pretty(step.data));
    for (const item of list.querySelectorAll('button')) {
      if (Number(item.dataset.step) === at) item.setAttribute('aria-current', 'step');
      else item.removeAttribute('aria-current');
    }
  }

  function showList() {
    const words = kinds();
    const groups = [];
    steps.forEach((step, index) => {
      if (groups.at(-1)?.kind !== step.kind) groups.push({ kind: step.kind, items: [] });
      groups.at(-1).items.push(
        h('button', { type: 'button', class: 'plain', 'data-step': index, onclick: () => move(index), title: step.title }, [step.layer, signs[step.part]].filter(Boolean).join(' ') || t('numeric')),
      );
    });
    replace(
      list,
      groups.map(({ kind, items }) => h('li', {}, h('strong', {}, words[kind]), ' ', items)),
    );
  }

  let asked = 0;
  async function run() {
    const turn = ++asked;
    try {
      const got = await post('/v1/trace', body, signal);
      if (turn !== asked) return;
      answer = got;
    } catch (error) {
      if (!signal.aborted && turn === asked) replace(trouble, problemBox(error));
      return;
    }
    replace(trouble);
    const rows = body.inputs?.length ?? 1;
    row = Math.min(row, rows - 1);
    replace(
      rowPick,
      Array.from({ length: rows }, (_, one) => h('option', { value: one, selected: one === row }, String(one + 1))),
    );
    rowPick.parentNode.hidden = rows < 2;
    steps = stepsOf(body, answer, row);
    at = Math.min(steps.length - 1, Math.max(0, at));
    showList();
    show();
    if (!fields.contains(document.activeElement)) drawFields();
  }
  const later = settle(200, run);
  const changed = () => {
    own = true;
    json.value = pretty(body);
    command.show(curl('/v1/trace', { json: body }));
    later();
  };

  function drawFields() {
    replace(fields, netFields(), rowFields(), weightFields());
  }

  /** The net: a line a layer where all are dense, so that it can be changed without knowing the JSON. */
  function netFields() {
    const { layers } = body.model;
    const reshape = () => {
      delete body.weights; // they belong to another shape
      changed();
      drawFields();
    };
    const lines = layers.every(({ type }) => type === 'dense')
      ? layers.map((layer, index) =>
          h(
            'div',
            { class: 'parameters' },
            h('span', { class: 'muted' }, `dense_${index + 1}`),
            h('label', {}, t('units'), ' ', numberField(layer.units, (value) => ((layer.units = value), reshape()), `units ${index + 1}`, 'change')),
            h('label', {}, t('activation'), ' ', picker(['linear', ...catalog.activations.map((one) => one.name)], layer.activation ?? 'linear', (value) => {
              layer.activation = value;
              changed();
            }, `activation ${index + 1}`)),
            layers.length > 1
              ? h('button', { type: 'button', class: 'plain', 'aria-label': t('remove layer {at}', { at: index + 1 }), onclick: () => (layers.splice(index, 1), reshape()) }, '×')
              : null,
          ),
        )
      : [];
    return h(
      'section',
      {},
      h('h2', {}, t('Net')),
      lines,
      lines.length
        ? button(t('Add a layer before the output'), () => {
            layers.splice(-1, 0, { type: 'dense', units: 2, activation: 'tanh' });
            reshape();
          })
        : null,
      h(
        'div',
        { class: 'parameters' },
        h('label', {}, t('loss'), ' ', picker(catalog.losses.map((one) => one.name), body.loss, (value) => {
          body.loss = value;
          changed();
        }, 'loss')),
        h('label', {}, t('learning rate'), ' ', numberField(body.optimizer?.learning_rate ?? 0.1, (value) => {
          body.optimizer = { type: 'sgd', ...body.optimizer, learning_rate: value };
          changed();
        }, 'learning rate')),
      ),
    );
  }

  function rowFields() {
    if (!body.inputs?.every((one) => Array.isArray(one) && one.every((x) => typeof x === 'number'))) return null;
    return h(
      'section',
      {},
      h('h2', {}, t('Inputs and targets')),
      h(
        'div',
        { class: 'scroll', tabindex: 0 },
        body.inputs.map((values, r) =>
          h(
            'div',
            { class: 'parameters' },
            h('span', { class: 'muted' }, t('row {at}', { at: r + 1 })),
            values.map((value, i) => numberField(value, (x) => ((values[i] = x), changed()), `input ${i + 1} of row ${r + 1}`)),
            '→',
            [body.targets[r]].flat().map((value, i) =>
              numberField(
                value,
                (x) => {
                  if (Array.isArray(body.targets[r])) body.targets[r][i] = x;
                  else body.targets[r] = x;
                  changed();
                },
                `target ${i + 1} of row ${r + 1}`,
              ),
            ),
          ),
        ),
      ),
    );
  }

  /** A field a weight; what stands in them is what the cycle began with. */
  function weightFields() {
    if (!answer) return null;
    const all = Object.entries(answer.update).flatMap(([layer, tensors]) =>
      Object.entries(tensors).map(([tensor, { before }]) => ({ layer, tensor, before })),
    );
    const small = all.filter(({ before }) => before.flat(Infinity).length <= mostFields && before.flat(Infinity).length === before.flat().length);
    const set = ({ layer, tensor, before }, path, value) => {
      const copy = structuredClone(body.weights?.[layer]?.[tensor] ?? before);
      if (path.length === 1) copy[path[0]] = value;
      else copy[path[0]][path[1]] = value;
      body.weights = { ...body.weights, [layer]: { ...body.weights?.[layer], [tensor]: copy } };
      changed();
    };
    return h(
      'section',
      {},
      h('h2', {}, t('Weights'), ' ', h('span', { class: 'muted' }, t('before the update'))),
      small.map((one) =>
        h(
          'div',
          { class: 'weights scroll', tabindex: 0 },
          h('span', { class: 'muted' }, `${one.layer}.${one.tensor}`),
          (Array.isArray(one.before[0]) ? one.before : [one.before]).map((values, i) =>
            h(
              'div',
              { class: 'parameters' },
              values.map((value, j) =>
                numberField(
                  Number(value.toPrecision(6)),
                  (x) => set(one, Array.isArray(one.before[0]) ? [i, j] : [j], x),
                  `${one.layer} ${one.tensor} ${Array.isArray(one.before[0]) ? `${i + 1} ${j + 1}` : j + 1}`,
                ),
              ),
            ),
          ),
        ),
      ),
      button(t('Other starting weights'), () => {
        delete body.weights;
        body.seed = (body.seed ?? 0) + 1;
        changed();
      }),
    );
  }

  const example = h(
    'select',
    {
      onchange: () => {
        name = example.value;
        body = structuredClone(traces[name].body);
        own = false;
        at = 0;
        row = 0;
        setText(about, t(traces[name].about));
        json.value = pretty(body);
        command.show(curl('/v1/trace', { json: body }));
        replace(fields);
        run();
      },
    },
    Object.entries(traces).map(([one, { title: text }]) => h('option', { value: one, selected: one === name }, t(text))),
  );
  json.addEventListener('input', () => {
    try {
      const value = JSON.parse(json.value);
      if (!Array.isArray(value?.model?.layers)) throw new Error(t('A trace needs "model": {"layers": […]}.'));
      body = value;
    } catch (error) {
      setText(jsonError, `✕ ${error.message}`);
      return;
    }
    setText(jsonError, '');
    own = true;
    command.show(curl('/v1/trace', { json: body }));
    later();
  });

  arrive(
    h('div', { class: 'line' }, h('h1', {}, t('Trace')), h('label', {}, t('Example'), ' ', example), h('label', {}, t('row'), ' ', rowPick)),
    about,
    h('div', { class: 'line player' }, first, back, play, next, slider, counter),
    list,
    trouble,
    h('div', { class: 'halves trace' }, h('div', {}, picture, key), h('section', {}, heading, h('div', { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': t('the sums') }, sums))),
    fields,
    h('details', {}, h('summary', {}, t('Every number of this step')), numbers),
    h('details', {}, h('summary', {}, t('The request as JSON: any net of at most 10,000 parameters')), json, jsonError),
    command,
  );
  setText(about, own ? '' : t(traces[name].about));
  json.value = pretty(body);
  command.show(curl('/v1/trace', { json: body }));
  await run();
}

function numberField(value, set, label, when = 'input') {
  return h('input', {
    type: 'text',
    inputmode: 'decimal',
    class: 'short',
    'aria-label': label,
    value: String(value),
    autocomplete: 'off',
    [`on${when}`]: (event) => {
      const x = Number(event.target.value);
      if (event.target.value.trim() !== '' && Number.isFinite(x)) set(x);
    },
  });
}

function picker(names, value, set, label) {
  return h(
    'select',
    { 'aria-label': label, onchange: (event) => set(event.target.value) },
    [...new Set(names)].map((name) => h('option', { selected: name === value }, name)),
  );
}
