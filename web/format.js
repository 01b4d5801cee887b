// Numbers as people read them: three or four significant digits; the full value belongs into a title.

import { t } from './language.js';

const nothing = '–';
/** 45678.9 → "45,679". Intl could, but takes as long to load as a list of jobs to draw. */
const grouped = (x) => String(Math.round(x)).replace(/\B(?=(\d{3})+$)/g, ',');
const superscripts = '⁰¹²³⁴⁵⁶⁷⁸⁹';

/** JSON cannot hold NaN and the infinities: the API sends them as strings, which Number() reads back. */
export function parse(value) {
  return value === null || value === undefined ? null : Number(value);
}

export function number(value, digits = 4) {
  const x = parse(value);
  if (x === null) return nothing;
  if (Number.isNaN(x)) return 'NaN';
  if (!Number.isFinite(x)) return x > 0 ? '∞' : '−∞';
  if (x === 0) return '0';
  const size = Math.abs(x);
  const text =
    size < 1e-3 || size >= 1e6
      ? x.toExponential(digits - 2).replace('e+', 'e')
      : size >= 10 ** digits
        ? grouped(x)
        : x.toPrecision(digits);
  return text.replace(/-/g, '−');
}

/** A round number of an axis: 0.005, 1500, 2e-7. */
export function shortest(x) {
  return String(Number(x.toPrecision(6))).replace(/-/g, '−');
}

export function integer(value) {
  return value === null || value === undefined ? nothing : grouped(value);
}

export function percent(value) {
  const x = parse(value);
  if (x > 0 && x < 1e-4) return '< 0.01 %';
  return x === null || !Number.isFinite(x) ? number(x) : `${number(100 * x, x >= 0.1 ? 4 : 3)} %`;
}

/** 12300 → "12.3 k": `units` of three digits each. */
function scaled(value, step, units) {
  let at = 0;
  let x = value;
  while (Math.abs(x) >= step && at < units.length - 1) {
    x /= step;
    at++;
  }
  return `${at === 0 ? grouped(x) : x.toPrecision(3)}${units[at]}`;
}

export function count(value) {
  return value === null || value === undefined ? nothing : scaled(parse(value), 1000, ['', ' k', ' M', ' G', ' T']);
}

export function bytes(value) {
  return value === null || value === undefined ? nothing : scaled(value, 1024, [' B', ' KiB', ' MiB', ' GiB']);
}

export function duration(seconds) {
  const s = parse(seconds);
  if (s === null || !Number.isFinite(s)) return nothing;
  if (s > 0 && s < 0.001) return '< 1 ms';
  if (s < 1) return `${Math.round(s * 1000)} ms`;
  if (s < 60) return `${s.toPrecision(2)} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${Math.floor(s % 60)} s`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}

export function between(from, to) {
  return from ? (Date.parse(to ?? new Date().toISOString()) - Date.parse(from)) / 1000 : null;
}

export function ago(time) {
  return time ? t('{time} ago', { time: duration(Math.max(1, Math.round(between(time, null)))) }) : nothing;
}

export function shape(dimensions) {
  return dimensions ? dimensions.join(' × ') || 'scalar' : nothing;
}

/** 1e-3 → "10⁻³": the decades of a logarithmic axis. */
export function decade(exponent) {
  const digits = [...String(Math.abs(exponent))].map((digit) => superscripts[digit]).join('');
  return `10${exponent < 0 ? '⁻' : ''}${digits}`;
}
