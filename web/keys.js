// The keys that the page knows: told in a dialog, which `?` or its button opens. `/` goes to the search of the place.
import { h } from './dom.js';
import { t } from './language.js';

const keys = [
  [t('everywhere'), [['?', t('this help')], ['/', t('to the search')], ['Tab', t('to the next field, chart or button')]]],
  [
    t('in a chart'),
    [
      ['← →', t('the crosshair, with Shift ten records at once')],
      ['Home End', t('the first and the last record')],
      ['+ −', t('zoom in and out')],
      ['Esc', t('the whole run again')],
    ],
  ],
  [t('on the slider of a trace'), [['← →', t('a step back or on')], ['Home End', t('the first and the last step')]]],
];

/** The button that opens the help; the keys work from now on. */
export function keyHelp() {
  let dialog = null;
  function make() {
    const close = h('button', { type: 'button', onclick: () => dialog.close() }, t('Close'));
    const lists = keys.map(([where, list]) => [h('h3', {}, where), h('dl', {}, list.map(([key, does]) => h('div', {}, h('dt', {}, h('kbd', {}, key)), h('dd', {}, does))))]);
    dialog = h('dialog', { class: 'keys', 'aria-label': t('Keyboard') }, h('h2', {}, t('Keyboard')), lists, close);
    document.body.append(dialog);
  }
  function open() {
    if (!dialog) make();
    if (!dialog.open) dialog.showModal();
  }
  addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest('input, select, textarea')) return;
    const search = document.querySelector('main input[type=search]');
    if (event.key === '?') open();
    else if (event.key === '/' && search) search.focus();
    else return;
    event.preventDefault();
  });
  return h('button', { type: 'button', class: 'plain', 'aria-label': t('Keyboard'), title: t('Keyboard'), onclick: open }, '?');
}
