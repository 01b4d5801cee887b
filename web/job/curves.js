// The curves of a job's learning: which series stand together in which chart, how they are smoothed and scaled.
import { Chart } from '../chart.js';
import { ink } from '../color.js';
import { h } from '../dom.js';
import { percent, shortest } from '../format.js';
import { t } from '../language.js';
import { ended } from '../state.js';

const train = () => ink('train');
const validation = () => ink('validation');
const plain = () => ink('ink');
const faint = () => ink('muted');
const smoothings = [0, 10, 100, 1000]; // steps looked back on

/** A chart whose series never come is left out once the job has ended. */
const learning = [
  {
    key: 'loss',
    title: t('Loss'),
    height: 210,
    switches: true,
    empty: t('The loss of every step appears with the first step, the validation loss with the first epoch.'),
    lines: [
      { name: t('train'), of: 'train_loss', color: train },
      { name: t('validation'), of: 'val_loss', color: validation, dots: true, best: true },
    ],
  },
  {
    key: 'accuracy',
    title: t('Accuracy'),
    height: 160,
    format: percent,
    axis: (x) => `${shortest(100 * x)} %`,
    empty: t('Training and validation accuracy appear with the first epoch.'),
    lines: [
      { name: t('train'), of: 'train_accuracy', color: train },
      { name: t('validation'), of: 'val_accuracy', color: validation, dots: true },
    ],
  },
  ...[
    ['mae', t('Mean absolute error'), 'val_mae'],
    ['r2', t('R²'), 'val_r2'],
    ['perplexity', t('Perplexity'), 'val_perplexity'],
  ].map(([key, title, of]) => ({
    key,
    title,
    unit: t('on validation'),
    height: 160,
    empty: t('Appears with the first epoch.'),
    lines: [{ name: t('validation'), of, color: validation, dots: true }],
  })),
  {
    key: 'rate',
    title: t('Learning rate'),
    height: 120,
    empty: t('The learning rate of every step appears with the first step.'),
    lines: [{ name: t('rate'), of: 'learning_rate', color: plain }],
  },
];
const globalNorm = {
  key: 'norm',
  title: t('Gradient norm'),
  unit: t('whole net, log'),
  log: true,
  height: 120,
  empty: t('Appears with the first recorded step.'),
  lines: [
    { name: t('before clipping'), of: 'gradient_norm', color: faint },
    { name: t('after'), of: 'clipped_gradient_norm', color: plain },
  ],
};

/** {left: elements, norm: element, draw(job)} over the series of `run`. */
export function curves(run) {
  const panels = [...learning, globalNorm].map((definition) => panel(run, definition));
  return {
    left: panels.slice(0, -1).map(({ chart }) => chart.element),
    norm: panels.at(-1).chart.element,
    draw() {
      for (const one of panels) one.draw();
    },
  };
}

function panel(run, { lines, switches, key, ...options }) {
  const { bank, metrics, query } = run;
  const held = new URLSearchParams(query);
  const log = options.log ?? held.get(key) === 'log';
  let smooth = switches ? (smoothings.find((steps) => String(steps) === held.get('smooth')) ?? 0) : 0;
  const chart = new Chart(bank, { ...options, log, controls: switches && controls() });

  function controls() {
    return h(
      'span',
      { class: 'switch' },
      h(
        'select',
        {
          'aria-label': t('smoothing'),
          title: t('An exponential mean of the past alone, drawn over what was recorded: nothing is hidden and the past never moves.'),
          onchange: (event) => {
            smooth = Number(event.target.value);
            run.keep('smooth', smooth || null);
            draw();
          },
        },
        smoothings.map((steps) =>
          h(
            'option',
            { value: steps, selected: steps === smooth },
            steps ? t('mean of the last {steps} steps', { steps }) : t('not smoothed'),
          ),
        ),
      ),
      ' ',
      h(
        'label',
        {},
        h('input', {
          type: 'checkbox',
          checked: log,
          onchange: (event) => {
            chart.log = event.target.checked;
            run.keep(key, event.target.checked ? 'log' : null);
          },
        }),
        ' log',
      ),
    );
  }

  function draw() {
    const drawn = lines.flatMap((line) => {
      const series = metrics.get(line.of);
      const best = line.best ? run.bestStep() : undefined;
      if (!smooth || line.dots) return [{ ...line, series, best }];
      return [
        { ...line, series, faint: true },
        { ...line, name: t('{name}, smoothed', line), series: series.mean(smooth), bare: true },
      ];
    });
    chart.element.hidden = !drawn.some(({ series }) => series.step.length) && !expected(run.job, key, lines);
    chart.update(drawn);
  }
  return { chart, draw };
}

/** Whether this job's task will fill a chart, as far as that can be told before its numbers come. */
function expected(job, key, lines) {
  if (lines.some(({ of }) => of in (job.metrics ?? {}))) return true;
  if (ended(job)) return false;
  if (['loss', 'rate', 'norm'].includes(key)) return true;
  const loss = job.spec?.training?.loss?.type ?? job.spec?.training?.loss;
  const numbers = ['mse', 'mae', 'huber'].includes(loss);
  return key === 'accuracy' ? !numbers : key === 'r2' && numbers;
}
