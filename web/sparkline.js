// The course of a job's loss in a line of text: asked for when the row comes into sight, few at a time; again while it runs.
import { get } from './api.js';
import { ink, onThemeChange } from './color.js';
import { h } from './dom.js';
import { parse } from './format.js';
import { t } from './language.js';

const [wide, tall, points] = [84, 18, 40];
const atOnce = 4;
const again = 4000; // milliseconds between looks at a running job

/** {of(job): element}: the same element for the same job, up to date when `of` is called with the job as it is now. */
export function sparklines(signal) {
  const lines = new Map();
  const queue = [];
  let busy = 0;
  const watch = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      const line = lines.get(target.dataset.job);
      if (!line) continue;
      line.seen = isIntersecting;
      if (isIntersecting) want(line);
    }
  });
  signal.addEventListener('abort', () => watch.disconnect());
  onThemeChange(signal, () => lines.forEach(paint));

  function want(line) {
    const state = `${line.job.status} ${line.job.progress?.step ?? 0}`;
    if (!line.seen || line.state === state || line.waiting || performance.now() - line.asked < again) return;
    if (!line.job.progress?.step) return;
    line.state = state;
    line.waiting = true;
    queue.push(line);
    next();
  }
  async function next() {
    if (busy >= atOnce || !queue.length) return;
    busy++;
    const line = queue.shift();
    line.asked = performance.now();
    try {
      const { series } = await get(`/v1/jobs/${line.job.id}/metrics?series=train_loss&points=${points}`, signal);
      line.series = series.train_loss;
      paint(line);
    } catch {
      line.state = ''; // the next look tries again
    }
    line.waiting = false;
    busy--;
    next();
  }
  return {
    of(job) {
      if (!lines.has(job.id)) {
        const canvas = h('canvas', { class: 'spark', role: 'img', 'aria-label': t('course of the loss'), 'data-job': job.id });
        lines.set(job.id, { canvas, job, state: '', asked: -again, seen: false, waiting: false });
        watch.observe(canvas);
      }
      const line = lines.get(job.id);
      line.job = job;
      want(line);
      return line.canvas;
    },
  };
}

/** A pixel column a bucket, from its least to its greatest, so that no spike is lost; a gap where it is no number. */
function paint({ canvas, series }) {
  if (!series?.step.length) return;
  const ratio = devicePixelRatio;
  canvas.width = wide * ratio;
  canvas.height = tall * ratio;
  const context = canvas.getContext('2d');
  const low = series.step.map((_, at) => parse((series.min ?? series.value)[at]));
  const high = series.step.map((_, at) => parse((series.max ?? series.value)[at]));
  const finite = [...low, ...high].filter(Number.isFinite);
  const [least, most] = [Math.min(...finite), Math.max(...finite)];
  const last = series.step.at(-1);
  const x = (at) => (series.step[at] / last) * (canvas.width - 2 * ratio) + ratio;
  const y = (value) => (1 - (value - least) / (most - least || 1)) * (canvas.height - 2 * ratio) + ratio;
  context.strokeStyle = ink('train');
  context.lineWidth = 1.25 * ratio;
  context.beginPath();
  let pen = false;
  series.step.forEach((_, at) => {
    if (!Number.isFinite(low[at]) || !Number.isFinite(high[at])) {
      pen = false;
      return;
    }
    if (pen) context.lineTo(x(at), y(high[at]));
    else context.moveTo(x(at), y(high[at]));
    context.lineTo(x(at), y(low[at]));
    context.lineTo(x(at), y(parse(series.value[at])));
    pen = true;
  });
  context.stroke();
}
