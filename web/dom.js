// Building the page. Text only ever becomes text nodes: a user's string cannot turn into markup, whatever stands in it.

import { t } from './language.js';

/** h('a', {href, class, onclick, 'aria-label', data}, child, …): children are nodes, strings, numbers or null. */
export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, ...children);
}

/** The same for SVG. */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, ...children);
}

function fill(element, attributes, ...children) {
  for (const name in attributes) {
    const value = attributes[name];
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name === 'value') element.value = value;
    else element.setAttribute(name, value === true ? '' : value);
  }
  add(element, children);
  return element;
}

/** Lists within lists are one list, and what is null is not there. */
function add(element, children) {
  for (const child of children) {
    if (Array.isArray(child)) add(element, child);
    else if (child !== null && child !== undefined) element.append(child);
  }
}

export function replace(element, ...children) {
  element.replaceChildren();
  add(element, children);
  return element;
}

/** Writes only what changed, so that a selection in the text and the screen reader's place survive an update. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Calls `work` again and again, `milliseconds()` after each end, not while the tab is hidden, until the signal aborts. */
export function every(signal, milliseconds, work) {
  let timer = 0;
  const next = () => {
    if (!signal.aborted) timer = setTimeout(turn, milliseconds());
  };
  const turn = async () => {
    if (!document.hidden) await work();
    next();
  };
  signal.addEventListener('abort', () => clearTimeout(timer));
  next();
}

/** Lets keys, pointers and the screen have their turn in the midst of much work. */
export const breath = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** The last call wins, `milliseconds` after it was made. */
export function settle(milliseconds, work) {
  let timer = 0;
  return (...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...args), milliseconds);
  };
}

/** A button that asks once more before it does what cannot be undone. */
export function asked(text, question, work) {
  let sure = 0;
  const button = h(
    'button',
    {
      type: 'button',
      onclick: () => {
        clearTimeout(sure);
        if (sure) {
          sure = 0;
          setText(button, text);
          work();
          return;
        }
        setText(button, question);
        sure = setTimeout(() => {
          sure = 0;
          setText(button, text);
        }, 5000);
      },
    },
    text,
  );
  return button;
}

/** The command that gives the same data as the view above it. */
export function curlLine(command) {
  const text = h('code', { tabindex: 0 }, command);
  const copy = h(
    'button',
    {
      type: 'button',
      class: 'plain',
      onclick: async () => {
        await navigator.clipboard.writeText(text.textContent);
        setText(copy, t('Copied'));
        setTimeout(() => setText(copy, t('Copy')), 1500);
      },
    },
    t('Copy'),
  );
  const element = h('div', { class: 'curl' }, text, navigator.clipboard ? copy : null);
  element.show = (changed) => setText(text, changed);
  return element;
}

/** A problem (RFC 9457) with every error of the body beside its pointer. */
export function problemBox(error) {
  const problem = error.problem ?? { title: error.message };
  return h(
    'div',
    { class: 'problem', role: 'alert' },
    h('p', {}, h('strong', { class: 'critical' }, `✕ ${problem.title ?? t('Failed')}`)),
    problem.detail ? h('p', {}, problem.detail) : null,
    problem.errors?.length
      ? h(
          'ul',
          {},
          problem.errors.map((one) => h('li', {}, h('code', {}, one.pointer || '/'), ' ', one.detail)),
        )
      : null,
  );
}
