// The course of a job's loss in a line of text: asked for when the row comes into sight, few at a time; again while it runs.
import { get } from './api.js';
import { svg } from './dom.js';
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
      const { series } = await get(`/v1/jobs/${line.job.id}/metrics?series=train_loss&points=${points}&single=true`, signal);
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
        const path = svg('path');
        const picture = svg('svg', { class: 'spark', viewBox: `0 0 ${wide} ${tall}`, role: 'img', 'aria-label': t('course of the loss'), 'data-job': job.id }, path);
        lines.set(job.id, { picture, path, job, state: '', asked: -again, seen: false, waiting: false });
        watch.observe(picture);
      }
      const line = lines.get(job.id);
      line.job = job;
      want(line);
      return line.picture;
    },
  };
}

/** A stroke a bucket, from its least to its greatest, so that no spike is lost; a gap where it is no number. */
function paint({ path, series }) {
  if (!series?.step.length) return;
  const [low, high, value] = [series.min, series.max, series.value].map((column) => column.map(parse));
  const finite = [...low, ...high].filter(Number.isFinite);
  const [least, most] = [Math.min(...finite), Math.max(...finite)];
  const last = series.step.at(-1);
  const x = (at) => ((series.step[at] / last) * (wide - 2) + 1).toFixed(1);
  const y = (number) => ((1 - (number - least) / (most - least || 1)) * (tall - 2) + 1).toFixed(1);
  let pen = 'M';
  const strokes = series.step.map((_, at) => {
    const drawn = Number.isFinite(low[at]) && Number.isFinite(high[at]);
    const stroke = drawn ? `${pen}${x(at)} ${y(high[at])}V${y(low[at])}${Number.isFinite(value[at]) ? `V${y(value[at])}` : ''}` : '';
    pen = drawn ? 'L' : 'M';
    return stroke;
  });
  path.setAttribute('d', strokes.join(''));
}
