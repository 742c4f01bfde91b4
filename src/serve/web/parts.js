// Pieces that several screens have: links, times, topics, verdicts, and what stands there while nothing else can.

import { Problem } from './api.js';
import { bdi, fill, h, host, outside } from './dom.js';
import { ago, exact, has, percent, t } from './language.js';
import { feedTitle, topicLabel } from './names.js';

/** The address of a screen of this page. */
export function link(path, parameters = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value) query.set(name, value);
  const text = query.toString();
  return `#/${path}${text ? `?${text}` : ''}`;
}

export const itemLink = (id) => link(`item/${id}`);

const DUPLICATE = new Set(['exact', 'near', 'contained']);
/** Whether listings leave the item out. */
export const isHidden = (item) => DUPLICATE.has(item.verdict.kind) || Boolean(item.superseded_by);

/** When, as long ago; the exact time when it is pointed at. */
export function time(at, show = ago) {
  const moment = new Date(at);
  return h('time', { datetime: at, title: exact(moment), 'data-ago': show === ago }, show(moment));
}

/** Tells the times that are shown anew. */
export function refreshTimes() {
  for (const element of document.querySelectorAll('time[data-ago]')) {
    element.textContent = ago(new Date(element.dateTime));
  }
}

export function feedLink(id) {
  return h('a', { class: 'feed', href: link('', { feed: id }) }, bdi(feedTitle(id)));
}

/** The topics as links; those that are only worth a look are told apart. */
export function topicChips(topics) {
  if (topics.length === 0) return null;
  const chip = (topic) => h('li', {}, h('a', {
    class: `chip ${topic.decision}`,
    href: link('', { topic: topic.id }),
    title: t(topic.decision === 'match' ? 'topic matches' : 'topic maybe'),
  }, bdi(topicLabel(topic.id)), topic.decision === 'maybe' && h('span', { 'aria-hidden': 'true' }, ' ؟')));
  return h('ul', { class: 'chips', 'aria-label': t('topics') }, topics.map(chip));
}

export const kindName = (kind) => (has(`kind ${kind}`) ? t(`kind ${kind}`) : kind);

/** The kind of a verdict, where it says something. */
export function kindBadge(kind) {
  if (kind === 'new') return null;
  return h('span', { class: `badge kind-${kind}` }, kindName(kind));
}

export const share = (similarity) => h('span', { class: 'share', title: t('similarity') }, percent(similarity));

/** Copies, folded. */
export function copies(item, open = false) {
  if (item.copies.length === 0) return null;
  const one = (copy) => h('li', {},
    feedLink(copy.feed), ' ', time(copy.published_at), ' ',
    h('a', { href: itemLink(copy.id) }, kindName(copy.kind)), ' ', share(copy.similarity), ' ',
    copy.url && outside(copy.url, host(copy.url), { class: 'out' }));
  return h('details', { class: 'copies', open },
    h('summary', {}, t('copies', { n: item.copies.length })),
    h('ul', {}, item.copies.map(one)));
}

export const loading = () => h('p', { class: 'state', role: 'status' }, h('span', { class: 'spinner', 'aria-hidden': 'true' }), t('loading'));
export const empty = (words, ...more) => h('div', { class: 'state empty' }, h('p', {}, words), more);

/** What went wrong, in words, and a way on. */
export function failed(error, again) {
  const problem = error instanceof Problem;
  let words = t('error unreachable');
  if (problem && error.status === 401) words = t('error token');
  else if (problem && error.status === 404) words = t('error missing');
  else if (problem) words = t('error status', { status: error.status });
  else if (!(error instanceof TypeError)) words = t('error page');
  const detail = error.message && h('p', { class: 'detail', lang: 'en', dir: 'ltr' }, error.message);
  return h('div', { class: 'state failed', role: 'alert' }, h('p', {}, words), detail,
    again && h('button', { type: 'button', onclick: again }, t('try again')));
}

/** Runs `work`, showing that it runs, and what went wrong. What comes too late is left out. */
export async function shown(place, signal, work) {
  fill(place, loading());
  try {
    const made = await work();
    if (!signal.aborted) fill(place, made);
  } catch (error) {
    if (signal.aborted || error.name === 'AbortError') return;
    fill(place, failed(error, () => shown(place, signal, work)));
  }
}

/** A heading of a screen. The focus goes there when the screen changes. */
export const heading = (...children) => h('h1', { tabindex: '-1' }, children);

/** Words of the server, which speaks English. */
export const english = (text) => h('span', { lang: 'en', dir: 'ltr', class: 'english' }, text);

/** A field with its label. */
export function field(label, control, properties = {}) {
  return h('label', { class: 'field', ...properties }, h('span', {}, label), control);
}

/** A choice of one. */
export function select(name, value, options, onchange) {
  return h('select', { name, onchange }, options.map(([id, words]) => h('option', { value: id, selected: id === value }, words)));
}

/** Facts, name by name; those without a value are left out. */
export function facts(rows) {
  const there = rows.filter(([, value]) => value !== null && value !== undefined && value !== '' && value !== false);
  return h('dl', { class: 'facts' }, there.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))));
}

/** A table that can be scrolled by itself where it is too wide, by keyboard too. */
export function table(caption, head, rows, properties = {}) {
  return h('div', { class: 'scroll', role: 'region', tabindex: '0', 'aria-label': caption },
    h('table', properties,
      h('caption', { class: 'unseen' }, caption),
      h('thead', {}, h('tr', {}, head.map((cell) => h('th', { scope: 'col' }, cell)))),
      h('tbody', {}, rows)));
}
