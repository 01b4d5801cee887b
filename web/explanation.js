// Which numbers of an input an answer hangs on: asked for when one wants it, drawn over the input where it is an image, and
// as a ranking otherwise.
import { post } from './api.js';
import { h, problemBox, replace } from './dom.js';
import { number } from './format.js';
import { imageShape } from './image.js';
import { t } from './language.js';

const mostRanked = 20;

export function explanation({ path, model, dataset, signal, offered }) {
  const picture = h('div');
  const method = h(
    'select',
    { 'aria-label': t('method') },
    ['integrated_gradients', 'gradient_x_input', 'gradient'].map((name) => h('option', { value: name }, t(name.replaceAll('_', ' ')))),
  );
  const wanted = h('input', { type: 'checkbox', onchange: () => refresh() });
  method.addEventListener('change', () => refresh());
  const image = imageShape(dataset?.input_shape ?? model.input_shape, dataset?.profile?.features);
  let body = null;

  async function refresh() {
    if (!wanted.checked || !body) {
      replace(picture);
      return;
    }
    const asked = body;
    try {
      const answer = await post(`${path}/explain`, { ...body, method: method.value }, signal);
      if (asked === body) replace(picture, image ? heat(answer.attributions[0].flat(Infinity)) : null, ranking(answer));
    } catch (error) {
      if (!signal.aborted) replace(picture, problemBox(error));
    }
  }

  function heat(values) {
    const canvas = h('canvas', { width: image.width, height: image.height, class: 'image explained', role: 'img', 'aria-label': t('what the answer hangs on') });
    const pixels = new ImageData(image.width, image.height);
    const sums = Array.from({ length: image.width * image.height }, (_, at) =>
      values.slice(at * image.channels, (at + 1) * image.channels).reduce((sum, x) => sum + Number(x), 0),
    );
    const most = Math.max(...sums.map(Math.abs)) || 1;
    sums.forEach((value, at) => {
      const part = Math.abs(value) / most;
      const [r, g, b] = value > 0 ? [214, 69, 65] : [59, 108, 199];
      pixels.data.set([r, g, b].map((channel) => Math.round(245 + (channel - 245) * part)).concat(255), 4 * at);
    });
    canvas.getContext('2d').putImageData(pixels, 0, 0);
    return h('figure', {}, canvas, h('figcaption', { class: 'muted' }, t('red: for this answer, blue: against it')));
  }

  /** Most telling first; an image says enough by its picture. */
  function ranking({ ranking: ranked }) {
    const rows = (ranked ?? []).slice(0, image ? 0 : mostRanked);
    if (!rows.length) return null;
    const most = Math.max(...rows.map(({ importance }) => Number(importance))) || 1;
    return h(
      'table',
      { class: 'probabilities' },
      h('caption', {}, t('What the answer hangs on')),
      h(
        'tbody',
        {},
        rows.map(({ feature, importance }) => {
          const fill = h('i');
          fill.style.width = `${(100 * importance) / most}%`;
          return h('tr', {}, h('th', { scope: 'row' }, feature), h('td', { class: 'bars' }, h('span', { class: 'bar' }, fill)), h('td', { class: 'number', title: importance }, number(importance)));
        }),
      ),
    );
  }

  return {
    element: h('section', { class: 'explain', hidden: !offered }, h('div', { class: 'line' }, h('label', {}, wanted, ' ', t('Explain it')), method), picture),
    show(now) {
      body = now;
      if (offered) refresh();
    },
  };
}
