// What the page says, in the reader's language. English stands in the code as what is shown, and is the key of every other
// language's table (languages/*.js); a text that a table lacks is shown in English and complained of. The choice is kept;
// changing it loads the page anew, at the same address.
const tables = { en: async () => null, ja: async () => (await import('./languages/ja.js')).japanese };
const kept = 'backpropd-language';

export const languages = { en: 'English', ja: '日本語' };
export const language = pick();
const table = await tables[language]();

function pick() {
  const wanted = [stored(), ...(globalThis.navigator?.languages ?? [])].map((tag) => String(tag).slice(0, 2));
  return wanted.find((tag) => tag in tables) ?? 'en';
}

function stored() {
  try {
    return localStorage.getItem(kept) ?? '';
  } catch {
    return ''; // storage is switched off, or there is none
  }
}

export function choose(tag) {
  try {
    localStorage.setItem(kept, tag);
  } catch {
    return;
  }
  location.reload();
}

/** t('step {step} of {steps}', {step: 1, steps: 5}) */
export function t(text, values) {
  if (table && !(text in table)) console.warn(`not translated: ${text}`);
  const said = table?.[text] ?? text;
  return values ? said.replace(/\{(\w+)\}/g, (_, name) => values[name]) : said;
}
