// Models: the list, and one model with a form fitted to its input, which predicts as one types.
import { curl, get, post, remove } from '../api.js';
import { asked, curlLine, h, problemBox, replace, settle, setText } from '../dom.js';
import { explanation } from '../explanation.js';
import { ago, bytes, integer, number, percent, shape } from '../format.js';
import { brightest, drawingPad, imageShape } from '../image.js';
import { t } from '../language.js';

const mostFields = 128; // an input wider than this is typed as JSON

export async function modelsPlace({ signal, title, arrive }) {
  title(t('Models'));
  const { items } = await get('/v1/models?limit=100', signal);
  const rows = items.map((model) =>
    h(
      'tr',
      {},
      h('th', { scope: 'row' }, h('a', { href: `#/models/${model.id}` }, model.name || model.id)),
      h('td', { class: 'number' }, shape(model.input_shape)),
      h('td', { class: 'number wide' }, model.classes ? integer(model.classes.length) : ''),
      h('td', { class: 'number' }, integer(model.parameters)),
      h('td', { class: 'number' }, score(model.metrics)),
      h('td', { class: 'number wide' }, bytes(model.bytes)),
      h('td', { class: 'wide' }, h('a', { href: `#/jobs/${model.job}` }, model.job)),
    ),
  );
  arrive(
    h('h1', {}, t('Models')),
    items.length
      ? h(
          'table',
          { class: 'list' },
          h(
            'thead',
            {},
            h(
              'tr',
              {},
              [t('Model'), t('Input'), t('Classes'), t('Parameters'), t('Validation'), t('Size'), t('Job')].map((name, at) =>
                h(
                  'th',
                  {
                    scope: 'col',
                    class: [null, 'number', 'number wide', 'number', 'number', 'number wide', 'wide'][at],
                  },
                  name,
                ),
              ),
            ),
          ),
          h('tbody', {}, rows),
        )
      : h('p', { class: 'empty' }, t('A job that succeeds leaves a model here.'), ' ', h('a', { href: '#/new' }, t('New job'))),
    curlLine(curl('/v1/models')),
  );
}

function score(metrics = {}) {
  if (metrics.val_accuracy !== undefined) return percent(metrics.val_accuracy);
  return metrics.val_r2 === undefined ? number(metrics.val_loss ?? null) : `R² ${number(metrics.val_r2, 3)}`;
}

export async function modelPlace({ id, signal, title, arrive }) {
  const path = `/v1/models/${encodeURIComponent(id)}`;
  const model = await get(path, signal);
  title(t('Predict with {name}', { name: model.name || model.id }));
  const job = model.job ? await get(`/v1/jobs/${model.job}`, signal).catch(() => null) : null;
  const dataset = job?.dataset ? await get(`/v1/datasets/${job.dataset}`, signal).catch(() => null) : null;
  const result = h('div', { class: 'result', 'aria-live': 'polite' });
  const command = curlLine(curl(path));
  const predict = async () => {
    const body = input.body();
    if (body === null) {
      replace(result, h('p', { class: 'muted' }, t('This is not JSON yet.')));
      return;
    }
    const route = `${path}/${input.route ?? 'predict'}`;
    command.show(curl(route, { json: body }));
    try {
      const answer = await post(route, body, signal);
      if (input.route === 'generate') drawText(result, body.prompt, answer);
      else drawResult(result, model, answer);
      explain.show(body);
    } catch (error) {
      if (!signal.aborted) replace(result, problemBox(error));
    }
  };
  const sample = dataset && imageShape(dataset.input_shape, dataset.profile?.features) ? await get(`/v1/datasets/${dataset.id}/rows?limit=20`, signal).catch(() => null) : null;
  const input = inputForm(model, dataset, settle(120, predict), sample);
  const trouble = h('div');
  const explain = explanation({ path, model, dataset, signal, offered: input.route !== 'generate' });
  const form = h(
    'form',
    {
      class: 'predict',
      onsubmit: (event) => {
        event.preventDefault();
        predict();
      },
    },
    dataset && input.write ? rowPicker(dataset, signal, input, predict) : null,
    input.element,
    h('button', {}, input.route === 'generate' ? t('Go on from it') : t('Predict')),
  );

  arrive(
    h(
      'div',
      { class: 'line' },
      h('h1', {}, model.name || model.id),
      model.job ? h('a', { href: `#/jobs/${model.job}` }, t('its training')) : null,
      h(
        'span',
        { class: 'actions' },
        h('a', { class: 'button', href: `${path}/weights`, download: `${model.id}.safetensors` }, t('Weights')),
        asked(t('Delete'), t('Really delete?'), async () => {
          try {
            await remove(path);
            location.hash = '#/models';
          } catch (error) {
            replace(trouble, problemBox(error));
          }
        }),
      ),
    ),
    trouble,
    h(
      'dl',
      { class: 'facts' },
      [
        [t('input'), shape(model.input_shape)],
        [t('classes'), model.classes ? integer(model.classes.length) : '–'],
        [t('parameters'), integer(model.parameters)],
        [t('validation'), score(model.metrics)],
        [t('size'), bytes(model.bytes)],
        [t('trained'), ago(model.created_at ?? job?.finished_at)],
        [t('sha256 of the weights'), (model.sha256 ?? '').slice(0, 12)],
      ].map(([name, value]) =>
        h('div', {}, h('dt', {}, name), h('dd', { title: name.startsWith('sha') ? model.sha256 : null }, value)),
      ),
    ),
    h(
      'div',
      { class: 'halves' },
      h('section', {}, h('h2', {}, t('Input')), form),
      h('section', { class: 'beside' }, h('h2', {}, t('Prediction')), result, explain.element),
    ),
    command,
  );
  if (input.route !== 'generate') predict();
}

/**
 * What asks a model of this dataset: { element, body(), null while it is no JSON; write(row), where rows of the dataset can be
 * taken; route, where it is not predict }.
 */
function inputForm(model, dataset, changed, sample) {
  const { features = [], tokens, edges } = dataset?.profile ?? {};
  if (dataset?.task === 'language_model') return promptForm();
  if (tokens) return textForm(changed);
  if (edges && edges.nodes === dataset.rows) return nodeForm(dataset, changed);
  if (edges)
    return jsonForm(t('A graph as JSON'), { nodes: [features.map(() => 0)], edges: [] }, changed, (graph) => ({
      graphs: [graph],
    }));
  const image = imageShape(dataset?.input_shape ?? model.input_shape, features);
  if (image) return padForm(image, dataset?.input_shape ?? model.input_shape, sample, changed);
  if (model.input_shape?.length === 1 && features.length && features.length <= mostFields)
    return fieldsForm(features, changed);
  const width = model.input_shape?.reduce((product, n) => product * n, 1) ?? 0;
  const zeros = new Array(Math.min(width, 10000)).fill(0);
  return jsonForm(t('A row of shape {shape} as JSON', { shape: shape(model.input_shape) }), zeros, changed, (row) => ({ inputs: [row] }));
}

/** One field a feature, by name, starting at the training mean. */
function fieldsForm(features, changed) {
  const fields = features.map((feature) =>
    h('input', {
      type: 'text',
      inputmode: 'decimal',
      name: feature.name,
      autocomplete: 'off',
      value:
        feature.mean === undefined || feature.mean === null ? '' : String(Number(Number(feature.mean).toPrecision(3))),
      oninput: changed,
      title: t('{least} to {most} in training', { least: number(feature.min), most: number(feature.max) }),
    }),
  );
  const grid = h(
    'div',
    { class: 'fields' },
    features.map((feature, at) => h('label', {}, h('span', {}, feature.name), fields[at])),
  );
  return {
    element: grid,
    body: () => ({ inputs: [fields.map((field) => readCell(field.value))] }),
    write: (row) =>
      row.flat(Infinity).forEach((value, at) => {
        if (fields[at]) fields[at].value = value ?? '';
      }),
  };
}

/** An image is drawn; the row goes as the dataset's rows were, in their own brightness. */
function padForm(image, dimensions, sample, changed) {
  const top = brightest((sample?.items ?? []).flatMap(({ input }) => input.flat(Infinity)).concat(sample ? [] : [1]));
  const pad = drawingPad(image, top, changed);
  const shaped = (flat, [size, ...inner]) => {
    if (!inner.length) return flat;
    const step = flat.length / size;
    return Array.from({ length: size }, (_, at) => shaped(flat.slice(at * step, (at + 1) * step), inner));
  };
  return {
    element: h('div', {}, pad.element, h('p', { class: 'muted' }, t('Draw with the mouse or a finger; a row of the data can be taken and changed.'))),
    body: () => ({ inputs: [shaped([...pad.values], dimensions)] }),
    write: (row) => pad.write(row.flat(Infinity)),
    fromData: true, // a blank image asks nothing
  };
}

function textArea(label, value, changed) {
  return h('textarea', { rows: 10, spellcheck: 'false', 'aria-label': label, oninput: changed, value });
}

function jsonForm(label, start, changed, toBody) {
  const area = textArea(label, JSON.stringify(start), changed);
  return {
    element: area,
    body: () => {
      try {
        return toBody(JSON.parse(area.value));
      } catch {
        return null;
      }
    },
    write: (row) => {
      area.value = JSON.stringify(row);
    },
  };
}

function textForm(changed) {
  const area = textArea(t('A text'), '', changed);
  return {
    element: area,
    body: () => ({ texts: [area.value] }),
    write: (text) => {
      area.value = text;
    },
  };
}

/** A text is written when it is asked for, not while one types. */
function promptForm() {
  const area = textArea(t('What the text goes on from'), '', null);
  return { element: area, route: 'generate', body: () => ({ prompt: area.value, max_tokens: 200 }) };
}

function nodeForm(dataset, changed) {
  const node = h('input', { type: 'number', min: 0, max: dataset.rows - 1, value: 0, oninput: changed });
  return { element: h('label', {}, t('node'), ' ', node), body: () => ({ nodes: [Math.floor(node.value) || 0] }) };
}

/** '' → null (missing), a number → itself, anything else → the text: the service judges it. */
function readCell(text) {
  const trimmed = text.trim();
  if (trimmed === '') return null;
  const value = Number(trimmed);
  return Number.isFinite(value) ? value : trimmed;
}

function rowPicker(dataset, signal, input, predict) {
  const truth = h('span', { class: 'muted' });
  const number_ = h('input', {
    type: 'number',
    min: 0,
    max: dataset.rows - 1,
    value: 0,
    'aria-label': t('row of the dataset'),
  });
  const take = async () => {
    const page = await get(
      `/v1/datasets/${dataset.id}/rows?offset=${Math.floor(number_.value) || 0}&limit=1`,
      signal,
    ).catch(() => null);
    const row = page?.items?.[0];
    if (!row) return;
    input.write(row.input);
    setText(truth, row.target === undefined ? '' : t('true: {target}', row));
    predict();
  };
  number_.addEventListener('change', take);
  if (input.fromData) take();
  return h('div', { class: 'line' }, h('label', {}, t('row of the data'), ' ', number_), truth);
}

function drawText(element, prompt, { text }) {
  replace(element, h('p', { class: 'text' }, h('span', { class: 'muted' }, prompt), text));
}

function drawResult(element, model, { predictions, probabilities, outputs }) {
  const probable = probabilities?.[0];
  if (!probable) {
    replace(
      element,
      h(
        'p',
        { class: 'answer' },
        (predictions?.[0] ?? outputs[0])
          .flat()
          .map((x) => number(x, 5))
          .join('  '),
      ),
    );
    return;
  }
  const classes = model.classes ?? probable.map((_, at) => String(at));
  replace(
    element,
    h('p', { class: 'answer' }, String(predictions[0])),
    h(
      'table',
      { class: 'probabilities' },
      h(
        'tbody',
        {},
        probable.map((p, at) => {
          const fill = h('i');
          fill.style.width = `${100 * p}%`;
          return h(
            'tr',
            { class: String(classes[at]) === String(predictions[0]) ? 'chosen' : null },
            h('th', { scope: 'row' }, String(classes[at])),
            h('td', { class: 'bars' }, h('span', { class: 'bar' }, fill)),
            h('td', { class: 'number', title: p }, percent(p)),
          );
        }),
      ),
    ),
  );
}
