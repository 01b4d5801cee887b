// Rows that are images: which are, how they are drawn, and how one draws one by hand.
import { h } from './dom.js';
import { t } from './language.js';

const leastSide = 6;

/** {height, width, channels} of rows that are images: of rank 3, of rank 2 and square, or numbered pixels of a square; else null. */
export function imageShape(shape = [], features = []) {
  const fits = (height, width, channels) =>
    height >= leastSide && width >= leastSide && [1, 3].includes(channels) ? { height, width, channels } : null;
  if (shape.length === 3) return fits(...shape);
  if (shape.length === 2 && shape[0] === shape[1]) return fits(shape[0], shape[1], 1);
  const side = Math.sqrt(shape[0] ?? 0);
  const numbered = features.length === shape[0] && features.every(({ name }) => /^\D*\d+$/.test(name));
  return shape.length === 1 && Number.isInteger(side) && numbered ? fits(side, side, 1) : null;
}

/** The brightest value that such data holds: 1, 16 (scikit-learn's digits), 255, or what stands in it. */
export function brightest(values) {
  const most = values.reduce((a, b) => Math.max(a, b ?? 0), 0);
  return [1, 16, 255].find((one) => most <= one) ?? most;
}

/** A canvas with a pixel a value; CSS makes it large. */
export function imageCanvas(values, shape, top, name) {
  const canvas = h('canvas', { width: shape.width, height: shape.height, class: 'image', role: 'img', 'aria-label': name });
  paint(canvas, values, shape, top);
  return canvas;
}

export function paint(canvas, values, { height, width, channels }, top) {
  const picture = new ImageData(width, height);
  for (let at = 0; at < width * height; at++) {
    const pixel = [0, 1, 2].map((one) => (255 * (values[at * channels + (channels === 3 ? one : 0)] ?? 0)) / top);
    picture.data.set([...pixel, 255], 4 * at);
  }
  canvas.getContext('2d').putImageData(picture, 0, 0);
}

/** A canvas to draw on: {element, values (flat), write(flat)}; `changed` after every stroke. */
export function drawingPad(shape, top, changed) {
  const { height, width, channels } = shape;
  const values = new Array(height * width * channels).fill(0);
  const canvas = imageCanvas(values, shape, top, t('draw here'));
  canvas.classList.add('pad');
  const reach = Math.max(0.8, width / 18); // the brush, in pixels of the image
  let last = null;
  const stroke = (event) => {
    const box = canvas.getBoundingClientRect();
    const to = [((event.clientX - box.left) / box.width) * width, ((event.clientY - box.top) / box.height) * height];
    const from = last ?? to;
    last = to;
    const parts = Math.max(1, Math.ceil(Math.hypot(to[0] - from[0], to[1] - from[1]) * 2));
    for (let part = 1; part <= parts; part++) {
      const [x, y] = [0, 1].map((axis) => from[axis] + ((to[axis] - from[axis]) * part) / parts);
      for (let row = Math.floor(y - reach - 1); row <= y + reach + 1; row++) {
        for (let column = Math.floor(x - reach - 1); column <= x + reach + 1; column++) {
          if (row < 0 || column < 0 || row >= height || column >= width) continue;
          const ink = Math.min(1, Math.max(0, reach + 0.5 - Math.hypot(column + 0.5 - x, row + 0.5 - y)));
          for (let channel = 0; channel < channels; channel++) {
            const at = (row * width + column) * channels + channel;
            values[at] = Math.max(values[at], Math.round(ink * top * (top > 1 ? 1 : 1000)) / (top > 1 ? 1 : 1000));
          }
        }
      }
    }
    paint(canvas, values, shape, top);
    changed();
  };
  canvas.addEventListener('pointerdown', (event) => {
    canvas.setPointerCapture(event.pointerId);
    last = null;
    stroke(event);
  });
  canvas.addEventListener('pointermove', (event) => event.buttons && stroke(event));
  canvas.addEventListener('pointerup', () => {
    last = null;
  });
  const write = (flat) => {
    flat.forEach((value, at) => {
      values[at] = value ?? 0;
    });
    paint(canvas, values, shape, top);
  };
  const clear = h('button', { type: 'button', onclick: () => (write(values.map(() => 0)), changed()) }, t('Clear'));
  return { element: h('div', { class: 'drawing' }, canvas, clear), canvas, values, write };
}

/** The pixels of a picture's file at `size` × `size`: [size][size][channels] of 0 … 255. */
export async function pixelsOf(file, size, channels) {
  const bitmap = await createImageBitmap(file);
  const canvas = h('canvas', { width: size, height: size });
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0, size, size);
  bitmap.close();
  const { data } = context.getImageData(0, 0, size, size);
  return Array.from({ length: size }, (_, row) =>
    Array.from({ length: size }, (__, column) => {
      const [r, g, b] = data.subarray(4 * (row * size + column));
      return channels === 3 ? [r, g, b] : [Math.round(0.299 * r + 0.587 * g + 0.114 * b)];
    }),
  );
}

/** The class that a picture's folder says, or the letters its name begins with: cats/7.png, cat_7.png → cat. */
export function classOf(file) {
  const folders = (file.webkitRelativePath ?? '').split('/').slice(0, -1);
  return folders.length > 1 ? folders.at(-1) : (/^[^\d_.\- ]+/.exec(file.name)?.[0] ?? file.name);
}

