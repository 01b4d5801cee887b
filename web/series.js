// What is recorded over steps, as columns that only grow.
import { parse } from './format.js';

const columns = 4096; // records kept of a series: more than a screen has columns

export class Series {
  step = [];
  value = [];
  min = null; // where records share a bucket, the service's or ours: the least and the greatest in each
  max = null;
  #width = 1; // steps a bucket
  #most;
  #means = new Map(); // by how many steps they look back

  constructor(most = columns) {
    this.#most = most;
  }

  /**
   * Appends {step, value, min, max}. Steps already held are passed over, so a replayed stream changes nothing. A series
   * that grows too long is thinned into buckets so wide that half of what it may hold is enough for them: the last value, the
   * least and the greatest stay, and what is not a number is never thinned away.
   */
  append({ step, value, min, max }) {
    if (!this.min && min?.some((least, at) => least !== value[at] || max[at] !== value[at])) this.#spread();
    for (let at = 0; at < step.length; at++) {
      if (step[at] <= (this.step.at(-1) ?? -Infinity)) continue;
      const last = parse(value[at]);
      this.#put(step[at], last, min ? parse(min[at]) : last, max ? parse(max[at]) : last);
      for (const mean of this.#means.values()) mean.feed(step[at], last);
      if (this.step.length > this.#most) this.#thin();
    }
  }

  #spread() {
    [this.min, this.max] = [[...this.value], [...this.value]];
  }

  #put(step, value, min, max) {
    const end = this.step.length - 1;
    if (end < 0 || Math.floor(step / this.#width) !== Math.floor(this.step[end] / this.#width)) {
      this.step.push(step);
      this.value.push(value);
      this.min?.push(min);
      this.max?.push(max);
      return;
    }
    this.step[end] = step;
    if (Number.isFinite(this.value[end])) this.value[end] = value;
    this.min[end] = Math.min(this.min[end], min);
    this.max[end] = Math.max(this.max[end], max);
  }

  #thin() {
    if (!this.min) this.#spread();
    const { step, value, min, max } = this;
    [this.step, this.value, this.min, this.max] = [[], [], [], []];
    const span = step.at(-1) - step[0];
    do this.#width *= 2;
    while (span / this.#width > this.#most / 2);
    step.forEach((one, at) => this.#put(one, value[at], min[at], max[at]));
  }

  /**
   * The exponential mean over about `steps` steps of the past, as a series that grows with this one. It looks back only and
   * is made record by record, so what has been drawn never moves.
   */
  mean(steps) {
    if (!this.#means.has(steps)) {
      const mean = new Mean(steps);
      this.step.forEach((step, at) => mean.feed(step, this.value[at]));
      this.#means.set(steps, mean);
    }
    return this.#means.get(steps).series;
  }

  hint = null; // {step, value} of the newest record, where it is known better than by the records here

  get newest() {
    const held = (this.step.at(-1) ?? -Infinity) > (this.hint?.step ?? -Infinity);
    return held ? this.value.at(-1) : (this.hint?.value ?? null);
  }

  /** The index of the last record at or before `step`; -1 where there is none. */
  indexAt(step) {
    let low = 0;
    let high = this.step.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.step[middle] <= step) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

class Mean {
  series = new Series();
  #steps;
  #last = null;

  constructor(steps) {
    this.#steps = steps;
  }

  feed(step, value) {
    if (!Number.isFinite(value)) return;
    const before = this.#last;
    const keep = before ? Math.exp((before.step - step) / this.#steps) : 0;
    this.#last = { step, value: before ? keep * before.value + (1 - keep) * value : value };
    this.series.append({ step: [step], value: [this.#last.value] });
  }
}

/** Several series by name, filled from `{"train_loss": {"step": […], "value": […]}}`. */
export class SeriesSet {
  #byName = new Map();
  #most;

  constructor(most) {
    this.#most = most;
  }

  get(name) {
    if (!this.#byName.has(name)) this.#byName.set(name, new Series(this.#most));
    return this.#byName.get(name);
  }

  /** Puts a record that begins earlier before what has come so far. */
  begin(name, columns) {
    const series = new Series(this.#most);
    series.append(columns);
    series.append(this.get(name));
    series.hint = this.get(name).hint;
    this.#byName.set(name, series);
  }

  append(columnsByName) {
    for (const [name, columns] of Object.entries(columnsByName)) this.get(name).append(columns);
  }
}

/** Every step at which one of `list` (not empty) has a record, ascending. */
export function unionOfSteps(list) {
  const [first, ...others] = list.map((series) => series.step);
  if (others.every((steps) => steps.length === first.length && steps.every((step, at) => step === first[at])))
    return first;
  const all = new Set(first);
  for (const steps of others) for (const step of steps) all.add(step);
  return [...all].sort((a, b) => a - b);
}

/**
 * A column of `series` on the steps `xs`, as uPlot reads it: undefined where it has no record (the line goes on),
 * null where a record cannot be drawn (the line breaks; the chart puts a mark there).
 */
export function onSteps(series, xs, values, drawable) {
  const column = new Array(xs.length);
  let at = 0;
  for (let i = 0; i < xs.length; i++) {
    if (series.step[at] !== xs[i]) continue;
    const value = values[at++];
    column[i] = drawable(value) ? value : null;
  }
  return column;
}
