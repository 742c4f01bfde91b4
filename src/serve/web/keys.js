// The page by keyboard.
//
// In: keys. Out: the focus moves from item to item, the search is reached, help is shown, screens are left. Keys of one
// letter can be switched off, for those whose tools type letters.

import { h } from './dom.js';
import { t } from './language.js';

const KEY = 'rasid.keys';
const on = () => localStorage.getItem(KEY) !== 'off';

const typing = (target) => target.closest?.('input, textarea, select, [contenteditable]') !== null && target.closest !== undefined;

function move(step) {
  const titles = [...document.querySelectorAll('main a.title')].filter((title) => title.getClientRects().length > 0);
  if (titles.length === 0) return;
  const card = document.activeElement.closest?.('article, li');
  let at = titles.findIndex((title) => title === document.activeElement || card?.contains(title));
  if (at < 0) at = step > 0 ? -1 : titles.length;
  const next = titles[Math.max(0, Math.min(titles.length - 1, at + step))];
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: 'center' });
}

function search() {
  const field = document.getElementById('search') ?? document.getElementById('query') ?? document.querySelector('main form select, main form input');
  field?.closest('details')?.setAttribute('open', '');
  field?.focus();
}

/** Follows the keyboard; `back` leaves a screen. */
export function follow(back) {
  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector('dialog[open]')) return;
    if (event.key === 'Escape') {
      if (typing(event.target)) event.target.blur();
      else back();
      return;
    }
    if (typing(event.target) || !on()) return;
    // By the place of the key too: on an Arabic keyboard `j` types another letter.
    const key = { KeyJ: 'j', KeyK: 'k' }[event.code] ?? event.key;
    const does = { j: () => move(1), k: () => move(-1), '/': search, '?': help, '؟': help }[key];
    if (!does) return;
    event.preventDefault();
    does();
  });
}

/** Shows the keys. */
export function help() {
  const before = document.activeElement;
  const close = h('button', { type: 'button', class: 'primary', onclick: () => dialog.close() }, t('close'));
  const rows = [['j', 'key next'], ['k', 'key previous'], ['Enter', 'key open'], ['/', 'key search'], ['Esc', 'key back'], ['?', 'key help']];
  const letters = h('input', { type: 'checkbox', checked: on(), onchange: (event) => localStorage.setItem(KEY, event.target.checked ? 'on' : 'off') });
  const dialog = h('dialog', { 'aria-labelledby': 'help-title', onclose: () => { dialog.remove(); before?.focus(); } },
    h('h2', { id: 'help-title' }, t('keyboard')),
    h('dl', { class: 'keys' }, rows.map(([key, words]) => h('div', {}, h('dt', {}, h('kbd', {}, key)), h('dd', {}, t(words))))),
    h('label', { class: 'check' }, letters, h('span', {}, t('letters on'))),
    h('p', {}, close));
  document.body.append(dialog);
  dialog.showModal();
}
