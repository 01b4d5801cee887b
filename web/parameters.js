// Form fields made from the service's catalog (GET /v1/layers): a field for every parameter that is required or set, and
// a list of the others to add. Fields know the JSON Pointer of their value, so that the service's errors find them. What
// is typed goes into the job as it stands, wrong or not: the service judges it, in one place.
import { h } from './dom.js';
import { shortest } from './format.js';
import { t } from './language.js';

/** "" → undefined (the key goes), JSON → its value, anything else → the text itself. */
function readText(text) {
  const trimmed = text.trim();
  if (trimmed === '') return undefined;
  try {
    return JSON.parse(trimmed);
  } catch {
    return trimmed;
  }
}

export function writeText(value) {
  if (value === undefined) return '';
  return typeof value === 'string' && readText(value) === value ? value : JSON.stringify(value);
}

const escape = (key) => key.replaceAll('~', '~0').replaceAll('/', '~1');

export class Catalog {
  #parts;

  constructor(parts) {
    this.#parts = parts;
  }

  /** The entries of a kind: "layer" → those under "layers", "loss" → "losses". */
  entries(kind) {
    return this.#parts[`${kind}s`] ?? this.#parts[`${kind}es`] ?? [];
  }

  entry(kind, name) {
    return this.entries(kind).find((entry) => entry.name === name || entry.aliases?.includes(name));
  }

  /** The parameters of an object that has a table of its own: "training", "early_stopping", "phase". */
  table(name) {
    return this.#parts[name]?.parameters ?? [];
  }

  get training() {
    return this.table('training');
  }
}

/** A value as short as it can be said: {"type": "noise", "std": 0.1} at its default is "noise". */
function shortened(spec, value, catalog) {
  if (Array.isArray(value) && spec.type === 'entries')
    return value.map((item) => shortened({ ...spec, type: 'entry' }, item, catalog));
  if (Array.isArray(value) && spec.many)
    return value.map((item) => shortened({ ...spec, many: false }, item, catalog));
  if (typeof value !== 'object' || value === null) return value;
  if (spec.object && !spec.many) return withoutDefaults(catalog.table(spec.object), value, catalog);
  if (spec.type !== 'entry' || !value.type) return value;
  const { type, ...rest } = value;
  const own = withoutDefaults(catalog.entry(spec.registry, type)?.parameters ?? [], rest, catalog);
  return Object.keys(own).length ? { type, ...own } : type;
}

/** What is left of a filled-in `object` when every parameter that stands at its default goes, nested ones first. */
export function withoutDefaults(specs, object, catalog) {
  const left = {};
  for (const [name, value] of Object.entries(object)) {
    const spec = specs.find((one) => one.name === name);
    const kept = spec ? shortened(spec, value, catalog) : value;
    if (kept === null || (spec && JSON.stringify(kept) === JSON.stringify(spec.default))) continue;
    left[name] = kept;
  }
  return left;
}

/**
 * Fields for `object`, whose parameters are `specs`. `form` is {catalog, changed(), rebuild()}: `changed` after a value,
 * `rebuild` after the set of fields itself.
 */
export function parameterFields(specs, object, pointer, form) {
  const set = specs.filter((spec) => spec.required || spec.name in object);
  const others = specs.filter((spec) => !set.includes(spec));
  const fields = set.map((spec) => field(spec, object, `${pointer}/${escape(spec.name)}`, form));
  if (!others.length) return fields;
  const add = h(
    'select',
    {
      class: 'add',
      'aria-label': t('add a setting'),
      onchange: () => {
        const spec = others.find(({ name }) => name === add.value);
        object[spec.name] = spec.default ?? startingValue(spec, form);
        form.rebuild(`${pointer}/${escape(spec.name)}`);
      },
    },
    h('option', { value: '' }, '+'),
    others.map((spec) =>
      h(
        'option',
        { value: spec.name, title: spec.help },
        spec.default === undefined || spec.default === null ? spec.name : `${spec.name} (${writeText(spec.default)})`,
      ),
    ),
  );
  return [...fields, add];
}

function startingValue(spec, { catalog }) {
  if (isList(spec)) return [startingItem(spec, catalog)];
  if (spec.object) return {};
  if (spec.type === 'boolean') return true;
  if (spec.type === 'choice') return spec.choices[0];
  if (spec.type === 'entry') return catalog.entries(spec.registry)[0]?.name ?? '';
  return spec.minimum ?? '';
}

const isList = (spec) => spec.type === 'entries' || Boolean(spec.many);
const startingItem = (spec, catalog) => (spec.object ? {} : (catalog.entries(spec.registry)[0]?.name ?? ''));

/** What a list or an object has in place of one control; null for any other value, right or wrong. */
function parts(spec, value, pointer, form) {
  if (isList(spec) && Array.isArray(value)) return items(spec, value, pointer, form);
  if (spec.object && !spec.many && typeof value === 'object' && value !== null)
    return parameterFields(form.catalog.table(spec.object), value, pointer, form);
  return null;
}

function items(spec, list, pointer, form) {
  const one = { ...spec, type: spec.object ? 'value' : 'entry', many: false };
  const rows = list.map((item, at) => {
    const place = `${pointer}/${at}`;
    const named = { ...one, name: at };
    return h(
      'span',
      { class: 'parameter item' },
      h('span', { class: 'muted' }, `${at + 1}.`),
      parts(one, item, place, form) ?? [control(named, list, place, form), nested(named, list, place, form)].flat(),
      h(
        'button',
        {
          type: 'button',
          class: 'plain',
          title: t('remove'),
          'aria-label': t('remove {what}', { what: `${spec.name} ${at + 1}` }),
          onclick: () => {
            list.splice(at, 1);
            form.rebuild(pointer);
          },
        },
        '×',
      ),
    );
  });
  const more = h(
    'button',
    {
      type: 'button',
      class: 'plain',
      'data-pointer': pointer,
      'aria-label': t('add to {what}', { what: spec.name }),
      onclick: () => {
        list.push(startingItem(spec, form.catalog));
        form.rebuild(`${pointer}/${list.length - 1}`);
      },
    },
    '+',
  );
  return [...rows, more];
}

function field(spec, object, pointer, form) {
  const inside = parts(spec, object[spec.name], pointer, form);
  const drop = spec.required
    ? null
    : h(
        'button',
        {
          type: 'button',
          class: 'plain',
          title: [t('back to the default'), spec.default ?? null].filter((part) => part !== null).map((part) => writeText(part)).join(', '),
          'aria-label': t('remove {what}', { what: spec.name }),
          onclick: () => {
            delete object[spec.name];
            form.rebuild(pointer.slice(0, pointer.lastIndexOf('/')));
          },
        },
        '×',
      );
  return h(
    'span',
    { class: 'parameter', title: spec.help },
    inside
      ? h('span', { class: 'muted' }, spec.name)
      : h('label', {}, h('span', {}, spec.name), control(spec, object, pointer, form)),
    drop,
    inside ?? (spec.type === 'entry' ? nested(spec, object, pointer, form) : null),
  );
}

function control(spec, object, pointer, form) {
  const set = (value) => {
    if (value === undefined) delete object[spec.name];
    else object[spec.name] = value;
    form.changed();
  };
  const value = object[spec.name];
  if (spec.type === 'boolean' && typeof value === 'boolean') {
    return h('input', {
      type: 'checkbox',
      checked: value,
      'data-pointer': pointer,
      onchange: (event) => set(event.target.checked),
    });
  }
  if (spec.type === 'choice') return choice(spec.choices, value, pointer, set);
  if (spec.type === 'entry') {
    const name = value?.type ?? value;
    return choice(
      form.catalog.entries(spec.registry).map((entry) => entry.name),
      name,
      pointer,
      (chosen) => {
        object[spec.name] = form.catalog.entry(spec.registry, chosen)?.parameters?.length ? { type: chosen } : chosen;
        form.rebuild(pointer);
      },
    );
  }
  const bounds = [spec.minimum, spec.maximum].map((bound) =>
    bound === undefined || bound === null ? '' : shortest(bound),
  );
  return h('input', {
    type: 'text',
    autocomplete: 'off',
    spellcheck: 'false',
    'data-pointer': pointer,
    value: writeText(value),
    class: spec.type === 'integer' || spec.type === 'number' ? 'short' : null,
    placeholder: bounds.some(Boolean) ? bounds.join(' … ') : null,
    oninput: (event) => set(readText(event.target.value)),
  });
}

export function choice(names, value, pointer, set, label) {
  const known = names.includes(value) || value === undefined ? names : [value, ...names];
  return h(
    'select',
    { 'data-pointer': pointer, 'aria-label': label, onchange: (event) => set(event.target.value) },
    known.map((name) => h('option', { value: name, selected: name === value }, String(name))),
  );
}

function nested(spec, object, pointer, form) {
  const value = object[spec.name];
  const entry = form.catalog.entry(spec.registry, value?.type ?? value);
  if (!entry?.parameters?.length) return null;
  if (typeof value !== 'object') {
    // A bare name has no place for parameters yet: it becomes an object with the first one added.
    const grown = { type: value };
    return parameterFields(entry.parameters, grown, pointer, {
      ...form,
      rebuild: (focus) => {
        object[spec.name] = grown;
        form.rebuild(focus);
      },
      changed: () => {
        object[spec.name] = grown;
        form.changed();
      },
    });
  }
  return parameterFields(entry.parameters, value, pointer, form);
}
