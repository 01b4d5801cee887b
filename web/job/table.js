// The net as a table: a row a layer with its shape, its size and the newest record of each of its statistics.
import { depth } from '../color.js';
import { h, replace, setText } from '../dom.js';
import { count, integer, number, percent, shape } from '../format.js';
import { t } from '../language.js';

const tabled = [
  { name: t('Gradient norm'), of: 'gradient_norm', format: number },
  { name: t('Weight norm'), of: 'weight_norm', format: number },
  { name: t('Update : weight'), of: 'update_ratio', format: number },
  { name: t('Dead'), of: 'dead_fraction', format: percent },
  { name: t('Saturated'), of: 'saturated_fraction', format: percent },
];

/** Its rows are made when it is first drawn: it stands below the charts. */
export function netTable(run) {
  const frame = h('div', { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': t('Layers') });
  let rows = null;

  function make() {
    const heads = [
      [t('Layer')],
      [t('Type')],
      [t('Output'), 'number'],
      [t('Parameters'), 'number'],
      [t('FLOP/step'), 'number wide'],
      ...tabled.map(({ name }) => [name, 'number']),
    ].map(([name, kind]) => h('th', { scope: 'col', class: kind }, name));
    rows = (run.job.plan?.layers ?? []).map((layer) => {
      const swatch = h('i', { class: 'swatch' });
      const cells = tabled.map(() => h('td', { class: 'number' }));
      const row = h(
        'tr',
        {},
        h('th', { scope: 'row' }, swatch, layer.name),
        h('td', {}, layer.type),
        h('td', { class: 'number' }, shape(layer.output_shape)),
        h('td', { class: 'number' }, integer(layer.parameters)),
        h('td', { class: 'number wide' }, count(layer.flops)),
        cells,
      );
      return { name: layer.name, swatch, cells, row };
    });
    const body = h(
      'tbody',
      {},
      rows.map(({ row }) => row),
    );
    replace(frame, h('table', { class: 'list' }, h('thead', {}, h('tr', {}, heads)), body));
  }

  function draw() {
    if (!rows) make();
    const deep = run.layersInOrder();
    for (const { name, swatch, cells } of rows) {
      const at = deep.findIndex((layer) => layer.name === name);
      swatch.style.setProperty('--swatch', at < 0 ? 'transparent' : depth(at, deep.length));
      tabled.forEach(({ of, format }, column) => {
        const value = at < 0 ? null : deep[at].set.get(of).newest;
        setText(cells[column], value === null ? '' : format(value));
        cells[column].title = value ?? '';
      });
    }
  }
  const title = h('h2', {}, t('Layers'), ' ', h('span', { class: 'muted' }, t('newest record of each')));
  return { element: h('section', { class: 'net' }, title, frame), draw };
}
