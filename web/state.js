// A job's state and verdict, always a sign and a word; colour only says it once more.
import { h } from './dom.js';
import { t } from './language.js';

const signs = { queued: '○', running: '●', paused: '‖', succeeded: '✓', failed: '✕', cancelled: '⊘' };
export const verdictSigns = { healthy: '✓', warning: '▲', critical: '✕', info: '·' };

export const ended = (job) => ['succeeded', 'failed', 'cancelled'].includes(job.status);
export const active = (job) => job.status === 'queued' || job.status === 'running';

export function statusText(status) {
  return `${signs[status] ?? '?'} ${t(status)}`;
}

export function statusWord(status) {
  return h('span', { class: `status ${status}` }, statusText(status));
}

export function verdictWord(verdict) {
  return h('span', { class: verdict }, `${verdictSigns[verdict] ?? ''} ${t(verdict)}`);
}

/** The part of the work that is done, 0 to 1. */
export function done({ status, progress }) {
  if (status === 'succeeded') return 1;
  return progress?.steps ? Math.min(1, progress.step / progress.steps) : 0;
}

export function bar(part) {
  const fill = h('i');
  fill.style.width = `${100 * part}%`;
  return h(
    'span',
    {
      class: 'bar',
      role: 'progressbar',
      'aria-valuenow': Math.round(100 * part),
      'aria-valuemin': 0,
      'aria-valuemax': 100,
      'aria-label': t('progress'),
    },
    fill,
  );
}
