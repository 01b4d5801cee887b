// Where a dataset comes in: pasted, chosen or dropped; CSV, JSON, a line of JSON a row, or pictures, whose class is that of
// their folder or what their name begins with.
import { post, postText } from './api.js';
import { h, problemBox, replace, setText } from './dom.js';
import { integer } from './format.js';
import { classOf, pixelsOf } from './image.js';
import { t } from './language.js';

const sizes = [8, 16, 28, 32, 64];

/** An element that adds a dataset; `added` gets it. */
export function datasetAdder({ open, added }) {
  let pictures = [];
  const text = h('textarea', {
    rows: 5,
    spellcheck: 'false',
    'aria-label': t('data'),
    placeholder: t('CSV with a header, or {"inputs": […], "targets": […]}; files can be dropped here, pictures too'),
  });
  const name = h('input', { type: 'text', 'aria-label': t('name of the dataset'), placeholder: t('name') });
  const target = h('select', { 'aria-label': t('target column') });
  const targetLabel = h('label', {}, t('target'), ' ', target);
  const answer = h('div');
  const size = h(
    'select',
    { 'aria-label': t('size of the pictures') },
    sizes.map((n) => h('option', { value: n, selected: n === 28 }, `${n} × ${n}`)),
  );
  const channels = h('select', { 'aria-label': t('colours') }, h('option', { value: 1 }, t('grey')), h('option', { value: 3 }, t('colour')));
  const album = h('p', { class: 'muted', role: 'status' });
  const albumLine = h('div', { class: 'line', hidden: true }, album, size, channels);
  const format = () => (text.value.trimStart().startsWith('{') ? (/^\{.*\}\s*\n\s*\{/.test(text.value.trimStart()) ? 'ndjson' : 'json') : 'csv');

  function readHeader() {
    const header =
      format() === 'csv'
        ? text.value
            .slice(0, text.value.indexOf('\n'))
            .split(',')
            .map((column) => column.trim())
            .filter(Boolean)
        : [];
    const likely = header.find((column) => /^(target|label|class)$/i.test(column)) ?? header.at(-1);
    replace(
      target,
      header.map((column) => h('option', { value: column, selected: column === likely }, column)),
    );
    targetLabel.hidden = !header.length;
  }
  async function read(files) {
    const images = files.filter((file) => file.type.startsWith('image/'));
    if (images.length) {
      pictures = images;
      const classes = new Set(images.map(classOf));
      albumLine.hidden = false;
      setText(album, t('{count} pictures of {classes}', { count: integer(images.length), classes: [...classes].slice(0, 12).join(', ') }));
      name.value ||= images[0].webkitRelativePath?.split('/')[0] || t('pictures');
      return;
    }
    const [file] = files;
    if (!file) return;
    pictures = [];
    albumLine.hidden = true;
    text.value = await file.text();
    name.value ||= file.name.replace(/\.\w+$/, '');
    readHeader();
  }
  async function send() {
    if (pictures.length) {
      const inputs = [];
      for (const file of pictures) inputs.push(await pixelsOf(file, Number(size.value), Number(channels.value)));
      return post('/v1/datasets', { name: name.value, inputs, targets: pictures.map(classOf) });
    }
    const query = new URLSearchParams({ name: name.value || t('pasted'), ...(target.value ? { target: target.value } : {}) });
    const kind = format();
    if (kind === 'json') return postText('/v1/datasets', 'application/json', text.value);
    return postText(`/v1/datasets?${query}`, kind === 'csv' ? 'text/csv' : 'application/x-ndjson', text.value);
  }
  const stop = (event) => event.preventDefault();
  const button = h(
    'button',
    {
      type: 'button',
      onclick: async () => {
        button.disabled = true;
        replace(answer, h('p', { class: 'muted' }, t('Sending …')));
        try {
          const made = await send();
          replace(answer);
          added(made);
        } catch (error) {
          replace(answer, problemBox(error));
        }
        button.disabled = false;
      },
    },
    t('Add'),
  );
  text.addEventListener('input', () => {
    pictures = [];
    albumLine.hidden = true;
    readHeader();
  });
  readHeader();
  return h(
    'details',
    {
      open,
      class: 'adder',
      ondragover: stop,
      ondrop: (event) => {
        stop(event);
        read([...event.dataTransfer.files]);
      },
    },
    h('summary', {}, t('Add a dataset')),
    text,
    h(
      'div',
      { class: 'line' },
      h('input', {
        type: 'file',
        multiple: true,
        'aria-label': t('file'),
        accept: '.csv,.json,.ndjson,image/*',
        onchange: (event) => read([...event.target.files]),
      }),
      name,
      targetLabel,
      button,
    ),
    albumLine,
    answer,
  );
}
