// What is recorded over steps, as columns that only grow.
import { parse } from './format.js';

export class Series {
  step = [];
  value = [];
  min = null; // where the service thinned the series: the least and the greatest in each bucket
  max = null;

  /** Appends {step, value, min, max}. Steps already held are passed over, so a replayed stream changes nothing. */
  append(columns) {
    const newest = this.step.length ? this.step[this.step.length - 1] : -Infinity;
    const thinned =
      columns.min &&
      columns.step.some((_, at) => columns.min[at] !== columns.value[at] || columns.max[at] !== columns.value[at]);
    if (thinned && !this.min) [this.min, this.max] = [[...this.value], [...this.value]];
    for (let at = 0; at < columns.step.length; at++) {
      if (columns.step[at] <= newest) continue;
      this.step.push(columns.step[at]);
      this.value.push(parse(columns.value[at]));
      if (this.min) {
        this.min.push(parse(columns.min?.[at] ?? columns.value[at]));
        this.max.push(parse(columns.max?.[at] ?? columns.value[at]));
      }
    }
  }

  get newest() {
    return this.value.length ? this.value[this.value.length - 1] : null;
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

/** Several series by name, filled from `{"train_loss": {"step": […], "value": […]}}`. */
export class SeriesSet {
  #byName = new Map();

  get(name) {
    if (!this.#byName.has(name)) this.#byName.set(name, new Series());
    return this.#byName.get(name);
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
