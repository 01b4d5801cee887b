// Colour carries meaning only. Layers take theirs from one perceptual scale by depth, magnitudes from another; train
// and validation have one each; what is left (verdicts) lives in style.css.

const dark = matchMedia('(prefers-color-scheme: dark)');
const styles = getComputedStyle(document.documentElement); // live

const inks = new Map(); // of the theme; asking the style sheet has it computed anew after every change of the page
dark.addEventListener('change', () => inks.clear());

/** A colour of the style sheet, as it is now: canvases cannot read CSS variables themselves. */
export function ink(name) {
  if (!inks.has(name)) inks.set(name, styles.getPropertyValue(`--${name}`).trim());
  return inks.get(name);
}

const runs = {
  light: ['#1f5fbf', '#b3267e', '#0b7a6b', '#a85b00', '#6a45c9', '#4f7d12', '#8a3b3b', '#5a6270'],
  dark: ['#6ea8fe', '#f07cc0', '#3fc9b4', '#f0a95a', '#b39cff', '#a5d25a', '#e39a9a', '#9aa3b0'],
};

/** Eight colours for runs that are laid over each other. */
export function categories() {
  return dark.matches ? runs.dark : runs.light;
}

export function onThemeChange(signal, work) {
  dark.addEventListener('change', work, { signal });
}

// Nine samples each of matplotlib's viridis and magma (both CC0), evenly spaced.
const viridis = ['440154', '472d7b', '3b528b', '2c728e', '21918c', '28ae80', '5ec962', 'addc30', 'fde725'];
const magma = ['000004', '1d1147', '51127c', '822681', 'b73779', 'e75263', 'fc8961', 'fec488', 'fcfdbf'];

function channels(scale, at) {
  const place = Math.min(1, Math.max(0, at)) * (scale.length - 1);
  const low = Math.min(scale.length - 2, Math.floor(place));
  const part = place - low;
  return [0, 2, 4].map((digit) => {
    const [a, b] = [scale[low], scale[low + 1]].map((hex) => parseInt(hex.slice(digit, digit + 2), 16));
    return Math.round(a + (b - a) * part);
  });
}

/** The colour of layer `index` of `layers`, first to last; the end that the background would swallow is left out. */
export function depth(index, layers) {
  const part = layers > 1 ? index / (layers - 1) : 0.5;
  return `rgb(${channels(viridis, dark.matches ? 0.25 + 0.75 * part : 0.82 * part).join(' ')})`;
}

const magnitudes = Array.from({ length: 256 }, (_, at) => channels(magma, at / 255)); // maps ask for tens of thousands

/** [red, green, blue] of a magnitude, 0 smallest and 1 largest. */
export function magnitude(part) {
  return magnitudes[Math.round(255 * Math.min(1, Math.max(0, part)))];
}
