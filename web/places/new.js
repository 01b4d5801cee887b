// New job: a form and its JSON, each following the other, and beside them what the service says to it: the plan of a dry
// run, or every error next to its pointer and at its field.
import { curl, get, post } from '../api.js';
import { curlLine, h, problemBox, replace, setText, settle } from '../dom.js';
import { bytes, count, duration, integer, shape } from '../format.js';
import { Catalog, choice, parameterFields, withoutDefaults } from '../parameters.js';
import { t } from '../language.js';
import { pretty } from '../pretty.js';
import { verdictWord } from '../state.js';
import { fitted, likely, outputWidth, templates } from '../templates.js';
import { namedLayers } from '../trace_steps.js';
import { datasetAdder } from '../upload.js';

const mostJsonShown = 200_000; // an inline dataset larger than this stays out of the editor

export async function newPlace({ query, signal, title, arrive }) {
  title(t('New job'));
  const [catalog, datasets, parent] = await Promise.all([
    get('/v1/layers', signal).then((parts) => new Catalog(parts)),
    get('/v1/datasets?limit=200', signal).then(({ items }) => Promise.all(items.map((one) => whole(one, signal)))),
    query.get('from') ? get(`/v1/jobs/${encodeURIComponent(query.get('from'))}`, signal) : null,
  ]);
  const wanted = query.get('dataset') ?? datasets[0]?.id;
  const template = likely(datasets.find(({ id }) => id === wanted));
  let spec = parent ? startFrom(parent, catalog) : start(template, wanted, datasets);

  const form = h('div', { class: 'form' });
  const json = h('textarea', { class: 'json', spellcheck: 'false', 'aria-label': t('the job as JSON'), rows: 28 });
  const jsonError = h('p', { class: 'critical', role: 'status' });
  const verdict = h('div', { class: 'verdict', 'aria-live': 'polite' });
  const answer = h('div');
  const command = curlLine('');
  const submit = h('button', { class: 'first', onclick: () => send() }, t('Train'));

  const check = settle(250, async () => {
    if (!spec.dataset) {
      replace(verdict, h('p', { class: 'muted' }, t('Choose or add a dataset: the plan appears here.')));
      return;
    }
    const asked = JSON.stringify(spec);
    let problem = null;
    let dry = null;
    try {
      dry = await post('/v1/jobs?dry_run=true', spec, signal);
    } catch (error) {
      if (signal.aborted) return;
      problem = error;
    }
    if (asked !== JSON.stringify(spec)) return; // a newer question is on its way
    markErrors(form, problem?.problem?.errors ?? []);
    annotate(form, dry?.plan?.layers ?? [], spec.model.layers);
    replace(verdict, dry ? planTable(dry) : problemBox(problem));
  });
  const showCommand = () =>
    command.show(
      JSON.stringify(spec).length < 4000
        ? curl('/v1/jobs', { json: spec })
        : curl('/v1/jobs', { file: { name: 'job.json', type: 'application/json' } }),
    );
  const showJson = () => {
    const text = pretty(spec);
    json.value = text.length > mostJsonShown ? pretty({ ...spec, dataset: '…' }) : text;
    json.readOnly = text.length > mostJsonShown;
    setText(jsonError, json.readOnly ? t('The dataset is too large to show; edit the job by the form.') : '');
  };
  const changed = () => {
    showJson();
    showCommand();
    check();
  };
  const rebuild = (focus) => {
    drawForm(form, { spec, catalog, datasets, changed, rebuild, use });
    changed();
    if (focus) form.querySelector(`[data-pointer="${CSS.escape(focus)}"]`)?.focus();
  };
  /** Takes another spec as a whole, or a dataset for this one. */
  function use(next) {
    spec = next;
    rebuild();
  }
  json.addEventListener('input', () => {
    try {
      const next = JSON.parse(json.value);
      if (typeof next !== 'object' || next === null || Array.isArray(next)) throw new Error(t('A job is a JSON object.'));
      spec = next;
    } catch (error) {
      setText(jsonError, `✕ ${error.message}`);
      return;
    }
    setText(jsonError, '');
    drawForm(form, { spec, catalog, datasets, changed, rebuild, use });
    showCommand();
    check();
  });
  async function send() {
    submit.disabled = true;
    try {
      const job = await post('/v1/jobs', spec);
      location.hash = `#/jobs/${job.id}`;
    } catch (error) {
      markErrors(form, error.problem?.errors ?? []);
      replace(answer, problemBox(error));
      replace(verdict);
    }
    submit.disabled = false;
  }

  arrive(
    h(
      'div',
      { class: 'line' },
      h('h1', {}, t('New job')),
      h(
        'label',
        {},
        t('Template'),
        ' ',
        h(
          'select',
          { onchange: (event) => use(start(event.target.value, spec.dataset, datasets)) },
          Object.entries(templates).map(([name, { needs }]) =>
            h('option', { value: name, selected: name === template }, needs ? `${t(name)} (${t('needs {data}', { data: t(needs) })})` : t(name)),
          ),
        ),
      ),
    ),
    h(
      'div',
      { class: 'halves new' },
      h('div', {}, form, h('div', { class: 'line' }, submit), answer, verdict),
      h('section', {}, h('h2', {}, t('The same as JSON')), json, jsonError),
    ),
    command,
  );
  rebuild();
}

/** A corpus tells the size of its vocabulary in its profile, which lists leave out. */
function whole(dataset, signal) {
  return dataset.task === 'language_model' ? get(`/v1/datasets/${dataset.id}`, signal) : dataset;
}

function start(template, dataset, datasets) {
  return { name: 'job', dataset: dataset ?? '', ...fitted(template, datasets.find(({ id }) => id === dataset) ?? dataset) };
}

/** A job to change: its spec without the defaults that were filled in, and without what belongs to the old run alone. */
function startFrom(job, catalog) {
  const { name, model, training } = job.spec;
  const wired = JSON.stringify(model.layers).includes('"inputs"'); // then layers are known by their names
  const short = (layer) => {
    const { type, ...rest } = withoutDefaults(catalog.entry('layer', layer.type)?.parameters ?? [], layer, catalog);
    if (rest.trainable === true) delete rest.trainable;
    if (!wired && new RegExp(`^${type}_\\d+$`).test(rest.name)) delete rest.name;
    if (Array.isArray(rest.layers)) rest.layers = rest.layers.map(short);
    return { type, ...rest };
  };
  const { record_every: _, ...kept } = withoutDefaults(catalog.training, training, catalog);
  return {
    name: name ?? job.name,
    dataset: job.dataset,
    model: { ...model, layers: model.layers.map(short) },
    training: kept,
  };
}

function drawForm(element, form) {
  const { spec, catalog, changed } = form;
  if (typeof spec.model !== 'object' || spec.model === null) spec.model = {};
  if (!Array.isArray(spec.model.layers)) spec.model.layers = [];
  if (typeof spec.training !== 'object' || spec.training === null) spec.training = {};
  replace(
    element,
    h(
      'section',
      {},
      h(
        'label',
        { class: 'wide-label' },
        h('span', {}, t('Name')),
        h('input', {
          type: 'text',
          'data-pointer': '/name',
          value: spec.name ?? '',
          oninput: (event) => {
            spec.name = event.target.value;
            changed();
          },
        }),
      ),
    ),
    datasetSection(form),
    h(
      'section',
      { 'data-section': 'model' },
      h('h2', {}, t('Layers'), ' ', h('span', { class: 'muted' }, t('input first'))),
      h(
        'ol',
        { class: 'layers' },
        spec.model.layers.map((layer, at) => layerRow(layer, at, form)),
      ),
      h(
        'button',
        {
          type: 'button',
          onclick: () => {
            spec.model.layers.splice(Math.max(0, spec.model.layers.length - 1), 0, {
              type: 'dense',
              units: 16,
              activation: 'relu',
            });
            form.rebuild();
          },
        },
        t('Add a layer before the output'),
      ),
    ),
    h(
      'section',
      { 'data-section': 'training' },
      h('h2', {}, t('Training')),
      h('div', { class: 'parameters' }, parameterFields(catalog.training, spec.training, '/training', form)),
    ),
  );
}

function layerRow(layer, at, form) {
  const { spec, catalog, rebuild } = form;
  const { layers } = spec.model;
  const pointer = `/model/layers/${at}`;
  const move = (to) => () => {
    layers.splice(to, 0, ...layers.splice(at, 1));
    rebuild(`/model/layers/${to}/type`);
  };
  const entry = catalog.entry('layer', layer.type);
  return h(
    'li',
    { 'data-layer': at },
    h(
      'div',
      { class: 'parameters' },
      choice(
        catalog.entries('layer').map(({ name }) => name),
        layer.type,
        `${pointer}/type`,
        (type) => {
          layers[at] = { type };
          for (const { name, required } of catalog.entry('layer', type)?.parameters ?? []) {
            if (name in layer) layers[at][name] = layer[name];
            else if (required && name === 'units') layers[at].units = 16;
          }
          rebuild(`${pointer}/type`);
        },
        t('type of layer {at}', { at: at + 1 }),
      ),
      parameterFields(entry?.parameters ?? [], layer, pointer, form),
      h('span', { class: 'muted annotation' }),
      h(
        'span',
        { class: 'order' },
        h(
          'button',
          {
            type: 'button',
            class: 'plain',
            'aria-label': t('move layer {at} up', { at: at + 1 }),
            disabled: at === 0,
            onclick: move(at - 1),
          },
          '↑',
        ),
        h(
          'button',
          {
            type: 'button',
            class: 'plain',
            'aria-label': t('move layer {at} down', { at: at + 1 }),
            disabled: at === layers.length - 1,
            onclick: move(at + 1),
          },
          '↓',
        ),
        h(
          'button',
          {
            type: 'button',
            class: 'plain',
            'aria-label': t('remove layer {at}', { at: at + 1 }),
            onclick: () => {
              layers.splice(at, 1);
              rebuild();
            },
          },
          '×',
        ),
      ),
    ),
  );
}

function datasetSection({ spec, datasets, use }) {
  const take = (dataset) => {
    const width = outputWidth(dataset);
    const layers = structuredClone(spec.model.layers);
    if (width && layers.length && 'units' in layers.at(-1)) layers.at(-1).units = width;
    use({ ...spec, dataset: dataset.id, model: { ...spec.model, layers } });
  };
  const inline = typeof spec.dataset === 'object' && spec.dataset !== null;
  const pick = h(
    'select',
    {
      'data-pointer': '/dataset',
      'aria-label': t('dataset'),
      onchange: () => {
        if (pick.value === '+') adder.open = true;
        else take(datasets.find(({ id }) => id === pick.value));
      },
    },
    inline ? h('option', { selected: true }, t('inline, in the JSON')) : null,
    spec.dataset || datasets.length ? null : h('option', { value: '' }, t('none yet: add one below')),
    typeof spec.dataset === 'string' && spec.dataset && !datasets.some(({ id }) => id === spec.dataset)
      ? h('option', { selected: true }, spec.dataset)
      : null,
    datasets.map((one) =>
      h(
        'option',
        { value: one.id, selected: one.id === spec.dataset },
        `${one.name || one.id}: ${integer(one.rows)} × ${shape(one.input_shape)}, ${one.classes?.length ? t('{count} classes', { count: one.classes.length }) : t((one.task ?? '').replaceAll('_', ' '))}`,
      ),
    ),
  );

  const adder = datasetAdder({
    open: !datasets.length && !spec.dataset,
    added: (made) => {
      datasets.unshift(made);
      take(made);
    },
  });
  return h('section', { 'data-section': 'dataset' }, h('h2', {}, t('Dataset')), pick, adder);
}

/** Marks the field that an error's pointer names, and says the error in the layer or section that holds it. */
function markErrors(form, errors) {
  for (const old of form.querySelectorAll('.field-error')) old.remove();
  for (const old of form.querySelectorAll('[aria-invalid]')) old.removeAttribute('aria-invalid');
  for (const { pointer, detail } of errors) {
    const at = form.querySelector(`[data-pointer="${CSS.escape(pointer)}"]`);
    at?.setAttribute('aria-invalid', 'true');
    const layer = /^\/model\/layers\/(\d+)/.exec(pointer);
    const place = layer
      ? form.querySelector(`[data-layer="${layer[1]}"]`)
      : form.querySelector(`[data-section="${CSS.escape(pointer.split('/')[1] ?? '')}"]`);
    place?.append(h('p', { class: 'field-error critical' }, h('code', {}, pointer.split('/').at(-1)), ' ', detail));
  }
}

/** Writes each layer's shape and parameters behind its row; a block's parameters are those of the layers inside it. */
function annotate(form, planned, layers) {
  const byName = new Map(planned.map((layer) => [layer.name, layer]));
  const named = namedLayers(layers);
  let at = 0;
  form.querySelectorAll('.annotation').forEach((place, index) => {
    const inside = Array.isArray(layers[index]?.layers) ? namedLayers(layers[index].layers).length : 0;
    const own = named.slice(at, at + 1 + inside).map(({ name }) => byName.get(name));
    at += 1 + inside;
    setText(
      place,
      own[0]
        ? `→ ${shape(own[0].output_shape)}, ${t('{count} parameters', { count: integer(own.reduce((sum, layer) => sum + (layer?.parameters ?? 0), 0)) })}`
        : '',
    );
  });
}

function planTable({ plan, findings }) {
  return h(
    'section',
    { class: 'plan' },
    h('h2', {}, t('Plan'), ' ', h('span', { class: 'muted' }, t('of a dry run'))),
    h(
      'dl',
      { class: 'facts' },
      [
        [t('parameters'), integer(plan.parameters)],
        [t('steps'), integer(plan.steps)],
        [t('FLOP a step'), count(plan.flops_per_step)],
        [t('memory'), bytes(plan.memory_bytes?.total ?? plan.memory_bytes)],
        [t('estimated'), duration(plan.estimated_seconds)],
      ].map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))),
    ),
    (findings ?? []).map((finding) =>
      h('p', {}, verdictWord(finding.severity), ' ', h('strong', {}, t(finding.code.replaceAll('_', ' '))), ' ', finding.explanation),
    ),
  );
}
