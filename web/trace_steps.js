// One cycle of backpropagation as steps that one can follow with a pencil: what is computed, from which numbers, to what.
// Made from a body of POST /v1/trace and its answer; no browser is needed.
import { number, shortest } from './format.js';
import { t } from './language.js';

const mostTerms = 6; // of a sum that is written out
const mostLines = 16; // of a step; the rest stands in its JSON

/** A number as one would write it down: 0.05, not 0.05000. */
export const written = (x, digits = 5) =>
  Number.isFinite(x) && x !== 0 && Math.abs(x) >= 1e-4 && Math.abs(x) < 1e6 ? shortest(Number(x.toPrecision(digits))) : number(x, digits);
const round = (x) => written(x);
const product = (a, b) => `${bracket(round(a))}·${bracket(round(b))}`;
const bracket = (text) => (text.startsWith('−') ? `(${text})` : text);
const index = (at) => [...String(at + 1)].map((digit) => '₀₁₂₃₄₅₆₇₈₉'[digit]).join('');
const sub = (...ats) => ats.map(index).join(ats.some((at) => at > 8) ? '‚' : '');
const isVector = (value) => Array.isArray(value) && value.every((x) => !Array.isArray(x));

/** Every layer of a model's list with the name that the service gives it, nested ones too. */
export function namedLayers(layers, counts = {}) {
  return layers.flatMap((layer) => {
    counts[layer.type] = (counts[layer.type] ?? 0) + 1;
    const own = { ...layer, name: layer.name ?? `${layer.type}_${counts[layer.type]}` };
    return Array.isArray(layer.layers) ? [own, ...namedLayers(layer.layers, counts)] : [own];
  });
}

/**
 * The steps: [{kind: forward | loss | backward | update | check, part, layer, at, title, lines: [{text, value}], data}].
 * `at` is the place of the layer in `answer.forward`; numbers of rows are those of `row`.
 */
export function stepsOf(body, answer, row) {
  const specs = new Map(namedLayers(body.model.layers).map((layer) => [layer.name, layer]));
  const place = new Map(answer.forward.map(({ layer }, at) => [layer, at]));
  const cycle = { body, answer, row, specs };
  const steps = [
    ...answer.forward.flatMap((entry) => forwardSteps(entry, cycle)),
    lossStep(cycle),
    ...answer.backward.flatMap((entry) => backwardSteps(entry, cycle)),
    ...Object.entries(answer.update).map(([layer, weights]) => updateStep(layer, weights, cycle)),
    checkStep(cycle),
  ];
  return steps.map((step) => ({ ...step, at: place.get(step.layer) ?? -1 }));
}

function forwardSteps(entry, { answer, row, specs }) {
  const { layer } = entry;
  const [x, z, a] = [entry.input, entry.pre_activation, entry.output].map((rows) => rows?.[row]);
  const activation = specs.get(layer)?.activation;
  const weights = answer.update[layer];
  const kernel = weights?.kernel?.before;
  const summed = kernel && isVector(x) && isVector(z) && kernel.length === x.length;
  const sums = summed
    ? z.map((value, j) => ({
        text: `z${sub(j)} = ${sum(x.map((one, i) => product(one, kernel[i][j])))}${weights.bias ? ` + ${bracket(round(weights.bias.before[j]))}` : ''}`,
        value,
      }))
    : [];
  const first = {
    kind: 'forward',
    part: 'sum',
    layer,
    title: summed ? t('forward through {layer}: weighted sums', { layer }) : t('forward through {layer}', { layer }),
    lines: sums,
    data: entry,
  };
  if (!summed || !activation || activation === 'linear') return [{ ...first, part: 'output' }];
  return [
    first,
    {
      kind: 'forward',
      part: 'output',
      layer,
      title: t('forward through {layer}: {activation}', { layer, activation: nameOf(activation) }),
      lines: a.map((value, j) => ({ text: `a${sub(j)} = ${nameOf(activation)}(${round(z[j])})`, value })),
      data: entry,
    },
  ];
}

const nameOf = (activation) => activation.type ?? activation;

function lossStep({ body, answer, row }) {
  const output = answer.forward.at(-1)?.output?.[row];
  const target = body.targets?.[row];
  const lines = isVector(output)
    ? output.map((value, j) => ({
        text:
          Array.isArray(target) || output.length === 1
            ? t('output {at}, wanted {target}', { at: j + 1, target: round([target].flat()[j]) })
            : t('output {at}, wanted class {target}', { at: j + 1, target: String(target) }),
        value,
      }))
    : [];
  const { type, value } = answer.loss;
  const rows = body.inputs?.length ?? 1;
  lines.push({ text: rows > 1 ? t('{type}, mean over {rows} rows', { type, rows }) : type, value });
  return { kind: 'loss', layer: answer.forward.at(-1)?.layer, title: t('the loss'), lines, data: answer.loss };
}

function backwardSteps(entry, { answer, row, specs }) {
  const { layer } = entry;
  const forward = answer.forward.find((one) => one.layer === layer);
  const [given, delta, passed] = [entry.gradient_output, entry.gradient_pre_activation, entry.gradient_input].map(
    (rows) => rows?.[row],
  );
  const kernel = answer.update[layer]?.kernel?.before;
  const steps = [];
  const step = (part, title, lines) => steps.push({ kind: 'backward', part, layer, title, lines, data: entry });
  if (isVector(delta)) {
    const activation = nameOf(specs.get(layer)?.activation ?? 'linear');
    step(
      'delta',
      t('backward into {layer}: the error of each unit', { layer }),
      delta.map((value, j) => ({
        text:
          activation === 'linear'
            ? `∂L/∂z${sub(j)} = ∂L/∂a${sub(j)}`
            : `∂L/∂z${sub(j)} = ∂L/∂a${sub(j)}·f′(z${sub(j)}) = ${bracket(round(given[j]))}·${bracket(round(given[j] ? value / given[j] : 0))}`,
        value,
      })),
    );
  }
  const gradient = entry.gradients?.kernel;
  const errors = entry.gradient_pre_activation;
  if (gradient && errors && forward.input.every(isVector) && gradient.length === forward.input[0].length) {
    const lines = gradient.flatMap((weights, i) =>
      weights.map((value, j) => ({
        text: `∂L/∂w${sub(i, j)} = ${sum(errors.map((error, r) => product(forward.input[r][i], error[j])))}`,
        value,
      })),
    );
    entry.gradients.bias?.forEach((value, j) =>
      lines.push({ text: `∂L/∂b${sub(j)} = ${sum(errors.map((error) => bracket(round(error[j]))))}`, value }),
    );
    step('weights', t('backward into {layer}: the gradient of each weight', { layer }), lines);
  } else if (entry.gradients && Object.keys(entry.gradients).length) {
    step('weights', t('backward into {layer}: the gradient of each weight', { layer }), []);
  }
  const summed = kernel && isVector(passed) && isVector(delta) && kernel.length === passed.length;
  step(
    'input',
    t('backward through {layer}: what goes on to its input', { layer }),
    summed
      ? passed.map((value, i) => ({
          text: `∂L/∂x${sub(i)} = ${sum(delta.map((error, j) => product(kernel[i][j], error)))}`,
          value,
        }))
      : [],
  );
  return steps;
}

function updateStep(layer, weights, { body, answer }) {
  const { type, learning_rate } = rule(body);
  const gradients = answer.backward.find((entry) => entry.layer === layer)?.gradients ?? {};
  const lines = Object.entries(weights).flatMap(([name, { before, after }]) =>
    leaves(after).map(({ path, value }) => {
      const [old, gradient] = [before, gradients[name]].map((tensor) => reach(tensor, path));
      const called = name === 'kernel' ? `w${sub(...path)}` : name === 'bias' ? `b${sub(...path)}` : `${name}${sub(...path)}`;
      return {
        text:
          type === 'sgd' && gradient !== undefined
            ? `${called} = ${round(old)} − ${round(learning_rate)}·${bracket(round(gradient))}`
            : `${called}: ${round(old)} →`,
        value,
      };
    }),
  );
  return { kind: 'update', layer, title: t('update {layer}', { layer }), lines, data: weights };
}

/** The optimizer with what a trace takes where nothing is said. */
function rule({ optimizer = 'sgd' }) {
  const { type = 'sgd', learning_rate = 0.1, momentum, weight_decay } =
    typeof optimizer === 'string' ? { type: optimizer } : optimizer;
  return { type: momentum || weight_decay ? `${type}+` : type, learning_rate };
}

function checkStep({ answer }) {
  const lines = Object.entries(answer.check.weights).flatMap(([layer, tensors]) =>
    Object.entries(tensors).map(([name, { max_relative_error }]) => ({
      text: t('{tensor}: greatest relative error', { tensor: `${layer}.${name}` }),
      value: max_relative_error,
    })),
  );
  return {
    kind: 'check',
    title: t('the check: each weight moved a little up and down, twice the forward pass'),
    lines: [...lines, { text: t('all weights: greatest relative error'), value: answer.check.max_relative_error }],
    data: answer.check,
  };
}

function sum(terms) {
  const shown = terms.slice(0, mostTerms);
  if (terms.length > mostTerms) shown.push(t('{count} more', { count: terms.length - mostTerms }));
  return shown.join(' + ');
}

function leaves(tensor, path = []) {
  return Array.isArray(tensor) ? tensor.flatMap((one, at) => leaves(one, [...path, at])) : [{ path, value: tensor }];
}

const reach = (tensor, path) => path.reduce((one, at) => one?.[at], tensor);

export const shownLines = (lines) => lines.slice(0, mostLines);
