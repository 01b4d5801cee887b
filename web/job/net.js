// The net as a picture: a box a layer, input at the top, lines as the numbers flow; each box has its shape and parameters,
// the newest norm of its gradient, and what was found in it.
import { magnitude } from '../color.js';
import { h, replace, svg } from '../dom.js';
import { integer, number, shape } from '../format.js';
import { t } from '../language.js';
import { verdictSigns } from '../state.js';
import { namedLayers } from '../trace_steps.js';

const [wide, tall, gapX, gapY] = [244, 44, 20, 22];

/** Boxes and lines of a model: [{name, type, inputs: [names], level, column}]; a residual block is its sum. */
export function graphOf(model) {
  const named = new Map(namedLayers(model.layers).map((layer) => [layer, layer.name]));
  const names = [...named.values()];
  let next = 0;
  const nodes = [{ name: 'input', type: '', inputs: [] }];
  const walk = (layers, before) => {
    let last = before;
    for (const layer of layers) {
      const name = names[next++];
      const inputs = layer.inputs ?? [last];
      if (Array.isArray(layer.layers)) {
        const inner = walk(layer.layers, inputs[0]);
        nodes.push({ name, type: layer.type, inputs: [inner, inputs[0]] });
      } else {
        nodes.push({ name, type: layer.type, inputs });
      }
      last = name;
    }
    return last;
  };
  walk(model.layers, 'input');
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const columns = [];
  for (const node of nodes) {
    node.level = 1 + Math.max(-1, ...node.inputs.map((name) => byName.get(name)?.level ?? 0));
    columns[node.level] = (columns[node.level] ?? 0) + 1;
    node.column = columns[node.level] - 1;
  }
  return nodes;
}

export function netPicture(run) {
  const { job } = run;
  const nodes = job.spec?.model?.layers ? graphOf(job.spec.model) : [];
  const planned = new Map((job.plan?.layers ?? []).map((layer) => [layer.name, layer]));
  const frame = h('div', { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': t('the net') });
  let centred = false; // where the window is narrower than the picture
  return {
    element: h(
      'section',
      { class: 'net-graph' },
      h('h2', {}, t('Net'), ' ', h('span', { class: 'muted' }, t('each layer by the health of its gradient'))),
      frame,
    ),
    draw() {
      replace(frame, picture(nodes, planned, run));
      if (centred || !frame.clientWidth) return;
      centred = true;
      frame.scrollLeft = (frame.scrollWidth - frame.clientWidth) / 2;
    },
  };
}

function picture(nodes, planned, run) {
  const most = Math.max(1, ...nodes.map(({ column }) => column + 1));
  const levels = Math.max(1, ...nodes.map(({ level }) => level + 1));
  const perLevel = (level) => nodes.filter((node) => node.level === level).length;
  const width = most * (wide + gapX) + 60;
  const place = ({ level, column }) => [
    30 + ((most - perLevel(level)) * (wide + gapX)) / 2 + column * (wide + gapX),
    6 + level * (tall + gapY),
  ];
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const lines = nodes.flatMap((node) => node.inputs.map((from) => joint(place(byName.get(from) ?? nodes[0]), place(node), node.level - (byName.get(from)?.level ?? 0))));
  const layers = run.layersInOrder();
  const norms = layers.map((layer) => layer.set.get('gradient_norm').newest).filter((norm) => norm > 0 && Number.isFinite(norm));
  const [low, high] = [Math.log10(Math.min(...norms)), Math.log10(Math.max(...norms))];
  const boxes = nodes.map((node) => {
    const [x, y] = place(node);
    const at = layers.findIndex(({ name }) => name === node.name);
    const norm = at < 0 ? null : layers[at].set.get('gradient_norm').newest;
    const health = run.healthOf(node.name, norm);
    const plan = planned.get(node.name);
    const facts = node.name === 'input' ? shape(run.job.input_shape ?? run.inputShape) : [shape(plan?.output_shape), plan?.parameters ? t('{count} parameters', { count: integer(plan.parameters) }) : null].filter(Boolean).join(' · ');
    const strip = svg('rect', { x: x + 1, y: y + 1, width: 5, height: tall - 2 });
    const part = norm > 0 && high > low ? (Math.log10(norm) - low) / Math.max(4, high - low) + Math.max(0, 1 - (high - low) / 4) : 1;
    strip.style.fill = norm > 0 ? `rgb(${magnitude(0.15 + 0.8 * part).join(' ')})` : 'transparent';
    return svg(
      'g',
      { class: `box ${health ?? ''}` },
      svg('title', {}, norm === null ? node.name : t('{layer}: gradient norm {norm}', { layer: node.name, norm })),
      svg('rect', { x, y, width: wide, height: tall }),
      strip,
      svg('text', { x: x + 12, y: y + 18, class: 'name' }, clip(node.name, 16)),
      health ? svg('text', { x: x + wide - 8, y: y + 18, 'text-anchor': 'end', class: `word ${health}` }, `${verdictSigns[health]} ${t(health)}`) : null,
      svg('text', { x: x + 12, y: y + 35, class: 'faint' }, clip(facts, 26)),
      norm === null ? null : svg('text', { x: x + wide - 8, y: y + 35, 'text-anchor': 'end', class: 'faint' }, `∇ ${number(norm, 3)}`),
    );
  });
  const height = levels * (tall + gapY) + 6;
  return svg(
    'svg',
    { viewBox: `0 0 ${width} ${height}`, width, height, class: 'net-boxes', role: 'img', 'aria-label': t('the net: {count} layers', { count: nodes.length - 1 }) },
    lines,
    boxes,
  );
}

const clip = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

/** From the foot of one box to the head of another; around what stands between where levels are passed over. */
function joint([fromX, fromY], [toX, toY], levels) {
  const [x1, y1, x2, y2] = [fromX + wide / 2, fromY + tall, toX + wide / 2, toY];
  if (levels <= 1) return svg('path', { d: `M${x1} ${y1} C${x1} ${y1 + 12} ${x2} ${y2 - 12} ${x2} ${y2}` });
  const side = Math.max(fromX, toX) + wide + 22;
  return svg('path', {
    d: `M${fromX + wide} ${y1 - tall / 2} C${side + 4} ${y1 - tall / 2} ${side} ${y1} ${side} ${y1 + 14} L${side} ${y2 - 10} C${side} ${y2 + 8} ${side} ${y2 + tall / 2} ${toX + wide} ${y2 + tall / 2}`,
  });
}
