// The page: which screen is shown, in which language, and what stands around it.

import { Problem, get, whoAsks } from './api.js';
import * as corpus from './corpus.js';
import { bdi, fill, h } from './dom.js';
import * as feeds from './feeds.js';
import * as item from './item.js';
import { follow, help } from './keys.js';
import { choose, current, t } from './language.js';
import * as list from './list.js';
import * as live from './live.js';
import * as names from './names.js';
import { failed, link, loading, refreshTimes } from './parts.js';
import * as stories from './stories.js';
import * as trial from './trial.js';
import * as volume from './volume.js';

/** The first part of the address, the screen, and where it stands in the navigation. */
const SCREENS = {
  '': { show: list.show, under: '', name: 'list' },
  item: { show: item.show, under: '', name: 'item' },
  stories: { show: stories.show, under: 'stories', name: 'stories' },
  story: { show: stories.one, under: 'stories', name: 'story' },
  volume: { show: volume.show, under: 'volume', name: 'volume' },
  feeds: { show: (main, route, signal) => (route.parts[1] ? feeds.one : feeds.show)(main, route, signal), under: 'feeds', name: 'feeds' },
  try: { show: trial.show, under: 'try', name: 'trial' },
  corpus: { show: corpus.show, under: 'corpus', name: 'corpus' },
};
const NAVIGATION = [['', 'list'], ['stories', 'stories'], ['volume', 'volume'], ['feeds', 'feeds'], ['try', 'trial'], ['corpus', 'corpus']];

const main = document.getElementById('main');
let leaving = new AbortController();
let first = true;
let ready = null;
/** How far one can go back without leaving the page. */
let depth = 0;
let going = 'new';

function route() {
  const [path, query] = location.hash.replace(/^#\/?/, '').split('?');
  const parts = path.split('/').map((part) => { try { return decodeURIComponent(part); } catch { return part; } });
  return { parts, query: new URLSearchParams(query ?? '') };
}

/** Loads what every screen needs, once. */
async function prepare() {
  const [overview] = await Promise.all([get('stats'), names.load()]);
  live.start(overview.store.last_seq);
  foot(overview);
}

async function render() {
  leaving.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  const where = { ...route(), back: going === 'back' };
  going = 'new';
  const screen = SCREENS[where.parts[0]] ?? SCREENS[''];
  frame(screen);
  const focus = !first;
  first = false;
  try {
    if (ready === null) fill(main, loading());
    ready ??= prepare();
    await ready;
  } catch (error) {
    ready = null;
    if (!signal.aborted) fill(main, failed(error, render));
    return;
  }
  if (signal.aborted) return;
  try {
    if (focus) scrollTo({ top: 0 });
    const showing = screen.show(main, where, signal);
    const heading = main.querySelector('h1');
    if (focus && heading) heading.focus({ preventScroll: true });
    const { title, focused } = (await showing) ?? {};
    if (signal.aborted) return;
    document.title = `${title ? `${title.trim().slice(0, 120)} · ` : ''}${title ? '' : `${t(screen.name)} · `}${t('rasid')}`;
    if (focus && !focused && (document.activeElement === document.body || document.activeElement === null)) main.querySelector('h1')?.focus({ preventScroll: true });
  } catch (error) {
    if (signal.aborted || error.name === 'AbortError') return;
    fill(main, failed(error, render));
    if (!(error instanceof Problem || error instanceof TypeError)) throw error;
  }
}

function frame(screen) {
  document.getElementById('skip').textContent = t('skip');
  fill(document.querySelector('.brand span'), t('rasid'));
  document.querySelector('.brand').setAttribute('aria-label', t('home'));
  const nav = document.getElementById('nav');
  nav.setAttribute('aria-label', t('screens'));
  fill(nav, h('ul', {}, NAVIGATION.map(([path, name]) => h('li', {}, h('a', { href: link(path), 'aria-current': screen.under === path ? 'page' : null }, t(`nav ${name}`))))));
  const other = current() === 'ar' ? 'en' : 'ar';
  fill(document.getElementById('tools'),
    h('button', { type: 'button', id: 'language', lang: other, onclick: () => turn(other) }, other === 'ar' ? 'العربية' : 'English'),
    h('button', { type: 'button', id: 'help', 'aria-label': t('keyboard'), title: t('keyboard'), onclick: help }, h('span', { 'aria-hidden': 'true' }, current() === 'ar' ? '؟' : '?')));
  state(now);
}

function turn(language) {
  choose(language);
  render().then(() => document.getElementById('language').focus());
  if (ready) ready.then(() => get('stats')).then(foot).catch(() => {});
}

let now = 'connecting';
function state(next) {
  now = next;
  const place = document.getElementById('live');
  place.dataset.state = next;
  fill(place, h('span', { class: 'dot', 'aria-hidden': 'true' }), h('span', {}, t(`live ${next}`)));
}

function foot({ version, store, feeds: counts }) {
  fill(document.getElementById('foot'),
    h('p', {}, t('foot', { items: store.items, copies: store.duplicates, feeds: counts.enabled }), counts.failing > 0 && h('span', {}, ' · ', h('a', { href: link('feeds', { state: 'failing' }) }, t('failing feeds', { n: counts.failing }))), ' · ', t('rasid'), ' ', bdi(version)));
}

/** Asks the reader for a token. */
function token(refused) {
  return new Promise((done) => {
    const before = document.activeElement;
    const input = h('input', { type: 'password', name: 'token', autocomplete: 'off', required: true, dir: 'ltr', 'aria-describedby': 'token-why' });
    let given = null;
    const dialog = h('dialog', { 'aria-labelledby': 'token-title', onclose: () => { dialog.remove(); before?.focus?.(); done(given); } },
      h('form', { method: 'dialog', onsubmit: (event) => { event.preventDefault(); given = input.value.trim() || null; dialog.close(); } },
        h('h2', { id: 'token-title' }, t('token title')),
        h('p', { id: 'token-why' }, refused ? h('strong', {}, t('token refused'), ' ') : null, t('token why')),
        h('label', { class: 'field wide' }, h('span', {}, t('token')), input),
        h('p', { class: 'buttons' }, h('button', { type: 'submit', class: 'primary' }, t('token send')), h('button', { type: 'button', onclick: () => dialog.close() }, t('cancel')))));
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** One screen back, or up where one came from elsewhere. */
function back() {
  const { parts } = route();
  const screen = SCREENS[parts[0]] ?? SCREENS[''];
  if (screen.name === 'list' && location.hash.replace(/^#\/?/, '') === '') return;
  if (depth > 0) history.back();
  else location.hash = link(screen.under === parts[0] && !parts[1] ? '' : screen.under);
}

history.scrollRestoration = 'manual';
whoAsks(token);
live.watch(state);
follow(back);
addEventListener('hashchange', () => {
  const known = typeof history.state?.depth === 'number';
  going = known ? 'back' : 'new';
  depth = known ? history.state.depth : depth + 1;
  if (!known) history.replaceState({ depth }, '');
  render();
});
history.replaceState({ depth: 0 }, '');
document.getElementById('skip').addEventListener('click', (event) => {
  event.preventDefault();
  main.focus();
});
setInterval(refreshTimes, 30_000);
let footing = null;
live.listen(() => {
  footing ??= setTimeout(() => { footing = null; get('stats').then(foot).catch(() => {}); }, 3_000);
});
render();
