// A small net as a picture: a column a layer, a circle a unit, every number on its circle or its edge as far as the cycle
// has come: weights and outputs on the way forward, gradients on the way back, then the new weights and the check.
import { h, svg } from './dom.js';
import { t } from './language.js';
import { written } from './trace_steps.js';

const mostUnits = 8;
const mostColumns = 8;
const [wide, tall, radius, top] = [176, 104, 25, 34];

/** The columns that can be drawn: the input and each layer that gives a short row of numbers; null where one does not. */
function columnsOf(answer, row) {
  const first = answer.forward[0]?.input?.[row];
  const columns = [{ layer: t('input'), values: first }];
  for (const entry of answer.forward) columns.push({ layer: entry.layer, entry, values: entry.output?.[row] });
  const drawable = ({ values }) =>
    Array.isArray(values) && values.length <= mostUnits && values.every((x) => !Array.isArray(x));
  return columns.length <= mostColumns && columns.every(drawable) ? columns : null;
}

/** What is known of each layer after the first `count` of `steps`. */
function reached(steps, count) {
  const known = new Map();
  for (const { kind, part, layer } of steps.slice(0, count)) known.set(`${kind} ${part ?? ''} ${layer}`, true);
  return (kind, part, layer) => known.has(`${kind} ${part} ${layer}`);
}

export function tracePicture(answer, steps, current, row) {
  const columns = columnsOf(answer, row);
  if (!columns) return h('p', { class: 'muted' }, t('This net is too wide to draw unit by unit; its numbers stand below.'));
  const height = top + Math.max(...columns.map(({ values }) => values.length)) * tall;
  const width = (columns.length - 1) * wide + 120;
  const center = (column, unit) => [
    60 + column * wide,
    top + (height - top) / 2 + (unit - (columns[column].values.length - 1) / 2) * tall - 8,
  ];
  const has = reached(steps, current + 1);
  const step = steps[current];
  const scene = { answer, row, has, step, center };
  const edges = columns.slice(1).flatMap((column, at) => edgesOf(column, columns[at], at, scene));
  const units = columns.flatMap((column, at) => unitsOf(column, at, scene));
  const names = columns.map(({ layer }, at) =>
    svg('text', { x: center(at, 0)[0], y: 14, 'text-anchor': 'middle', class: layer === step.layer ? 'now' : 'faint' }, layer),
  );
  return svg(
    'svg',
    { viewBox: `0 0 ${width} ${height}`, width: Math.round(width * 1.25), role: 'img', class: 'net-picture', 'aria-label': step.title },
    edges,
    units,
    names,
  );
}

function label(x, y, value, kind, title) {
  return svg('text', { x, y, 'text-anchor': 'middle', class: kind }, svg('title', {}, title), written(value, 4));
}

/** The number that stands on a weight's edge now. */
function weightNow(layer, name, { answer, has, step }) {
  const { before, after } = answer.update[layer][name];
  const gradient = answer.backward.find((entry) => entry.layer === layer)?.gradients?.[name];
  if (step.kind === 'check') return { tensor: answer.check.weights[layer][name].numeric, what: t('numeric gradient') };
  if (has('update', '', layer)) return { tensor: after, what: t('new weight') };
  if (step.kind === 'backward' && has('backward', 'weights', layer)) return { tensor: gradient, what: t('gradient') };
  return { tensor: before, what: t('weight') };
}

function edgesOf({ layer, values }, source, at, scene) {
  const { step, center, answer } = scene;
  const now = step.layer === layer && step.kind !== 'loss';
  const kernel = answer.update[layer]?.kernel;
  const joined = kernel?.before.length === source.values.length && kernel.before[0].length === values.length;
  if (!joined) {
    // Unit by unit, as an activation or a norm does; otherwise the layer's numbers alone are known to the page.
    if (source.values.length !== values.length) return [];
    return values.map((_, unit) => line(center(at, unit), center(at + 1, unit), now));
  }
  const { tensor, what } = weightNow(layer, 'kernel', scene);
  const lines = [];
  const labels = [];
  kernel.before.forEach((weights, i) =>
    weights.forEach((_, j) => {
      const [from, to] = [center(at, i), center(at + 1, j)];
      // Each input's weights at a place of their own along the edges, so that they do not cover each other.
      const part = source.values.length === 1 ? 0.5 : 0.3 + (0.34 * i) / (source.values.length - 1);
      const [x, y] = [0, 1].map((axis) => from[axis] + (to[axis] - from[axis]) * part);
      lines.push(line(from, to, now));
      labels.push(label(x, y - 3, tensor[i][j], now ? 'now' : 'edge', `${layer} ${what} ${i + 1} → ${j + 1}: ${tensor[i][j]}`));
    }),
  );
  return [...lines, ...labels];
}

function line(from, to, now) {
  return svg('line', { x1: from[0] + radius, y1: from[1], x2: to[0] - radius, y2: to[1], class: now ? 'now' : null });
}

function unitsOf({ layer, entry, values }, at, scene) {
  const { answer, row, has, step, center } = scene;
  const back = answer.backward.find((one) => one.layer === layer);
  const next = answer.backward.find((one) => one.layer === answer.forward[at]?.layer);
  return values.flatMap((output, unit) => {
    const [x, y] = center(at, unit);
    const now = step.layer === layer;
    const parts = [svg('circle', { cx: x, cy: y, r: radius, class: now ? 'now' : null })];
    const shown = !entry || has('forward', 'output', layer) ? output : has('forward', 'sum', layer) ? entry.pre_activation[row][unit] : null;
    if (shown !== null) parts.push(label(x, y + 4, shown, now ? 'now' : 'value', `${layer} ${unit + 1}: ${shown}`));
    if (answer.update[layer]?.bias && entry) {
      const { tensor, what } = weightNow(layer, 'bias', scene);
      const value = tensor[unit];
      parts.push(
        svg('text', { x, y: y - radius - 5, 'text-anchor': 'middle', class: 'edge' }, svg('title', {}, `${what}: ${value}`), `b ${written(value, 4)}`),
      );
    }
    const error = has('backward', 'delta', layer)
      ? back.gradient_pre_activation[row][unit]
      : !entry && next && has('backward', 'input', answer.forward[0].layer)
        ? next.gradient_input[row][unit]
        : null;
    if (error !== null && step.kind !== 'update' && step.kind !== 'check')
      parts.push(
        svg('text', { x, y: y + radius + 14, 'text-anchor': 'middle', class: 'error' }, svg('title', {}, String(error)), `∂ ${written(error, 4)}`),
      );
    return parts;
  });
}

/** In words: what stands on the edges and under the circles at this step. */
export function pictureKey({ kind, part }) {
  if (kind === 'check') return t('on the edges: the numeric gradient of each weight');
  if (kind === 'update') return t('on the edges: each weight, new where it has been updated');
  if (kind === 'backward')
    return part === 'delta'
      ? t('under the circles: ∂, the derivative of the loss by each sum')
      : t('on the edges: the gradient of each weight so far; under the circles: ∂, the derivative of the loss by each sum');
  return t('on the edges: the weights; in the circles: the values; b: the biases');
}
