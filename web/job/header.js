// The head of a job: its state and verdict, what one can do with it, how far it is, and its newest figures.
import { post, remove } from '../api.js';
import { asked, h, problemBox, replace, setText } from '../dom.js';
import { ago, between, bytes, count, duration, integer, number, percent } from '../format.js';
import { language, t } from '../language.js';
import { active, bar, done, statusWord, verdictWord } from '../state.js';

export function header(job) {
  const name = h('h1', {}, job.name || job.id);
  const words = h('span', { class: 'words' });
  const actions = h('span', { class: 'actions' });
  const progress = h('div', { class: 'progress' });
  const facts = h('dl', { class: 'facts' });
  const trouble = h('div');
  const attempt = (work) => async () => {
    try {
      await work();
      replace(trouble);
    } catch (error) {
      replace(trouble, problemBox(error));
    }
  };
  const path = `/v1/jobs/${job.id}`;
  const verb = (word, text, title) =>
    h('button', { type: 'button', title, onclick: attempt(() => post(`${path}/${word}`)) }, text);
  const buttons = {
    pause: verb('pause', t('Pause')),
    stop: verb('stop', t('Stop and keep'), t('ends the training now and keeps its model')),
    cancel: verb('cancel', t('Cancel')),
    resume: verb('resume', t('Resume')),
    rerun: h(
      'button',
      {
        type: 'button',
        onclick: attempt(async () => {
          const child = await post(`${path}/rerun`, {});
          location.hash = `#/jobs/${child.id}`;
        }),
      },
      t('Train again'),
    ),
    remove: asked(
      t('Delete'),
      t('Really delete?'),
      attempt(async () => {
        await remove(path);
        location.hash = '#/jobs';
      }),
    ),
  };
  const verdict = h('a', { href: `#/jobs/${job.id}?view=findings`, class: 'verdict' });
  const parent = h('a', { href: `#/compare?jobs=${job.parent},${job.id}` }, t('compare with its parent'));
  const predict = h('a', { class: 'button' }, t('Predict'));
  const change = h('a', { class: 'button', href: `#/new?from=${job.id}` }, t('Change and train again'));
  const compare = h('a', { class: 'button', href: `#/compare?jobs=${job.id}` }, t('Compare'));
  const report = h('a', { class: 'button', href: `${path}/report?lang=${language}`, download: `${job.id}.html` }, t('Report'));
  const word = h('span');
  const { pause, stop, cancel, resume, rerun } = buttons;
  replace(words, word, verdict, parent);
  replace(actions, pause, stop, resume, cancel, predict, rerun, change, compare, report, buttons.remove);
  let state = '';

  /** What stands here is shown or hidden, never made anew: a click that has begun ends where it began. */
  function show(now) {
    const changed = [now.status, now.diagnosis?.verdict, now.diagnosis?.codes, now.model].join();
    if (changed !== state) {
      state = changed;
      const open = active(now);
      const { verdict: judged, codes } = now.diagnosis ?? {};
      replace(word, statusWord(now.status));
      replace(verdict, judged ? verdictWord(judged) : null, codes?.length ? `: ${codes.map((code) => code.replaceAll('_', ' ')).join(', ')}` : null);
      predict.href = `#/models/${now.model}`;
      const shown = [
        [judged, verdict],
        [now.parent, parent],
        [open, pause],
        [now.status === 'running', stop],
        [now.status === 'paused', resume],
        [open || now.status === 'paused', cancel],
        [now.model, predict],
        [!open, rerun, change],
        [now.status !== 'running', buttons.remove],
      ];
      for (const [is, ...elements] of shown) for (const element of elements) element.hidden = !is;
      replace(trouble, now.error ? problemBox({ problem: now.error }) : null, now.result?.explanation && now.spec?.kind !== 'lr_range' ? h('p', {}, now.result.explanation) : null);
    }
    replace(progress, bar(done(now)), h('span', {}, progressText(now)));
    drawFacts(facts, now);
  }
  return {
    element: h('header', { class: 'job' }, h('div', { class: 'line' }, name, words, actions), progress, facts, trouble),
    show,
  };
}

export function progressText({ status, progress, queue_position }) {
  const p = progress ?? {};
  return [
    p.epochs ? t('epoch {epoch} of {epochs}', { epoch: integer(p.epoch), epochs: integer(p.epochs) }) : null,
    p.steps ? t('step {step} of {steps}', { step: integer(p.step), steps: integer(p.steps) }) : null,
    p.samples_per_second ? t('{count} rows/s', { count: count(p.samples_per_second) }) : null,
    status === 'running' && p.eta_seconds ? t('about {time} left', { time: duration(p.eta_seconds) }) : null,
    status === 'queued' && queue_position ? t('place {place} in the queue', { place: integer(queue_position) }) : null,
  ]
    .filter(Boolean)
    .join(' · ');
}

function drawFacts(list, job) {
  const m = job.metrics ?? {};
  const best = job.best ?? {};
  const facts = [
    ['train loss', t('train loss'), m.train_loss, number],
    ['validation loss', t('validation loss'), m.val_loss, number],
    ['validation accuracy', t('validation accuracy'), m.val_accuracy, percent],
    ['MAE', t('MAE'), m.val_mae, number],
    ['RMSE', t('RMSE'), m.val_rmse, number],
    ['R²', t('R²'), m.val_r2, number],
    ['perplexity', t('perplexity'), m.val_perplexity, number],
    ['test accuracy', t('test accuracy'), m.test_accuracy, percent],
    ['test MAE', t('test MAE'), m.test_mae, number],
    ['test RMSE', t('test RMSE'), m.test_rmse, number],
    ['test loss', t('test loss'), m.test_loss, number],
    [
      'best validation loss',
      t('best validation loss'),
      best.val_loss,
      (x) => t('{loss} in epoch {epoch}', { loss: number(x), epoch: integer(best.epoch) }),
    ],
    ['suggested learning rate', t('suggested learning rate'), job.result?.suggested_learning_rate, number],
    ['parameters', t('parameters'), job.plan?.parameters, integer],
    ['memory', t('memory'), job.plan?.memory_bytes, bytes],
    ['time', t('time'), between(job.started_at, job.finished_at), duration],
    ['created', t('created'), job.created_at, ago],
  ].filter(([, , value]) => value !== undefined && value !== null);
  const names = facts.map(([name]) => name).join();
  if (list.dataset.names !== names) {
    list.dataset.names = names;
    replace(
      list,
      facts.map(([name, text], at) => h('div', { 'data-fact': name, class: Object.values(m).includes(facts[at][2]) && at < 3 ? 'newest' : null }, h('dt', {}, text), h('dd'))),
    );
  }
  facts.forEach(([, , value, format], at) => {
    const cell = list.children[at].lastChild;
    setText(cell, format(value));
    cell.title = value;
  });
}
