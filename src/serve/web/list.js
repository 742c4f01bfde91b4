// The items as they come in: filters, search, and the list, which goes on by itself.
//
// In: the filters in the address, the log. Out: cards. Promise: the list is what a listing would give now: whoever shows
// what is new, hides what is a duplicate and replaces an item by its id is always right. Nothing moves under the eyes of
// somebody who reads further down: what came meanwhile waits behind a button.

import { Problem, find, get } from './api.js';
import { announce, clean, fill, h, shortened } from './dom.js';
import { languageName, number, period, t } from './language.js';
import { listen } from './live.js';
import { line } from './marks.js';
import { byName, feedIds, feedTitle, topicIds, topicLabel } from './names.js';
import { copies, empty, failed, feedLink, field, heading, isHidden, itemLink, kindBadge, link, loading, select, time, topicChips } from './parts.js';

const FILTERS = ['q', 'topic', 'feed', 'language', 'since', 'until', 'include'];
const LANGUAGES = ['ar', 'en', 'fr', 'fa', 'ru', 'tr', 'ur'];
const SPANS = ['1h', '24h', '7d', '30d'];
const PAGE = 30;
const MOST_WAITING = 500;
/** A list that has grown longer than this by itself is read anew. */
const MOST_SHOWN = 600;

let searchable = null;
/** Whether there is a search; asked once. */
async function canSearch(signal) {
  if (searchable === null) searchable = (await find('search', { q: 'خبر', limit: 1 }, signal).catch((error) => (error instanceof Problem ? {} : null))) !== null;
  return searchable;
}

/** A list that was shown last: whoever comes back finds it as it was. */
let kept = null;

class List {
  constructor(key, filters) {
    Object.assign(this, { key, filters, items: [], hits: new Map(), next: null, total: null, notes: [], waiting: new Map(), scroll: 0, last: null, changed: () => {}, arrived: () => {} });
    this.stop = listen((record) => this.hear(record));
  }

  async load(signal) {
    const { q, since, until, ...rest } = this.filters;
    const parameters = { ...rest, since, until: until && nextDay(until), limit: PAGE, cursor: this.next };
    if (!q) {
      const page = await get('items', parameters, signal);
      this.add(page.items);
      this.next = page.next;
      return;
    }
    const found = await get('search', { q, ...parameters }, signal);
    this.total = found.total ?? null;
    this.notes = [found.building && t('search building'), found.partial && t('search partial')].filter(Boolean);
    this.add(found.items.map((hit) => {
      const item = hit.item ?? hit;
      this.hits.set(item.id, hit.highlights ?? []);
      return item;
    }));
    this.next = found.next ?? null;
  }

  add(items) {
    const known = new Set(this.items.map((item) => item.id));
    this.items.push(...items.filter((item) => !known.has(item.id)));
  }

  holds(item) {
    const { topic, feed, language, since, until, include } = this.filters;
    const at = new Date(item.published_at);
    return (include || !isHidden(item))
      && (!topic || item.topics.some((found) => found.id === topic))
      && (!feed || item.feed === feed)
      && (!language || (item.language ?? '').toLowerCase().split('-')[0] === language.toLowerCase())
      && (!since || at >= begin(since))
      && (!until || at < new Date(nextDay(until)));
  }

  hear(record) {
    if (record === null) { this.stale = true; this.changed(); return; }
    // What a search finds is ordered by more than time: it stays as it was found.
    if (this.filters.q) return;
    const { id, item } = record;
    const at = this.items.findIndex((other) => other.id === id);
    if (!item || !this.holds(item)) {
      this.waiting.delete(id);
      if (at >= 0) { this.items.splice(at, 1); this.changed(); }
    } else if (at >= 0) {
      this.items[at] = item;
      this.changed(id);
    } else if (!(this.next && this.items.length && before(this.items.at(-1), item) < 0)) {
      this.waiting.set(id, item);
      if (this.waiting.size > MOST_WAITING) this.stale = true;
      this.arrived();
    }
    const of = item && isHidden(item) ? originalOf(item) : null;
    if (of && this.items.some((other) => other.id === of)) this.renew(of);
  }

  /** Reads an item again, whose copies are others now. */
  async renew(id) {
    const item = await find(`items/${id}`).catch(() => null);
    const at = this.items.findIndex((other) => other.id === id);
    if (item && at >= 0 && this.holds(item)) { this.items[at] = item; this.changed(id); }
  }

  /** Puts what waits where it belongs. */
  take() {
    const taken = [...this.waiting.values()];
    this.waiting.clear();
    this.items.push(...taken);
    this.items.sort(before);
    return new Set(taken.map((item) => item.id));
  }
}

const before = (a, b) => b.published_at.localeCompare(a.published_at) || b.seq - a.seq;

function originalOf(item) {
  if (item.superseded_by) return item.superseded_by;
  const of = item.verdict.of ?? '';
  return of.startsWith('item:') ? of.slice(5) : null;
}

function begin(since) {
  const [, n, unit] = since.match(/^(\d+)([hd])$/) ?? [];
  return n ? new Date(Date.now() - n * (unit === 'h' ? 3_600_000 : 86_400_000)) : new Date(`${since}T00:00:00Z`);
}

/** The day that is chosen counts. */
function nextDay(until) {
  const at = new Date(`${until}T00:00:00Z`);
  if (Number.isNaN(at.getTime())) return until;
  at.setUTCDate(at.getUTCDate() + 1);
  return at.toISOString().slice(0, 10);
}

export async function show(main, route, signal) {
  const filters = Object.fromEntries(FILTERS.map((name) => [name, route.query.get(name) ?? '']));
  const key = JSON.stringify(filters);
  const search = await canSearch(signal);
  if (!search) filters.q = '';
  signal.throwIfAborted();

  const place = h('div', { class: 'cards' });
  const more = h('div', { class: 'more' });
  const fresh = h('button', { type: 'button', class: 'fresh', hidden: true, onclick: () => { paint(list.take()); scrollTo({ top: 0 }); place.querySelector('a.title')?.focus({ preventScroll: true }); } });
  const count = h('p', { class: 'count' });
  const title = filters.q ? t('found for', { q: clean(filters.q) }) : t('list');
  fill(main, heading(title), form(filters, search), count, fresh, place, more);

  let list;
  if (kept?.key === key && !kept.stale) list = kept;
  else {
    kept?.stop();
    list = kept = new List(key, filters);
  }

  function paint(added = new Set()) {
    const cards = new Map([...place.children].map((card) => [card.dataset.id, card]));
    const wanted = list.items.map((item) => {
      const there = cards.get(item.id);
      if (there && there.item === item) return there;
      const made = card(item, list.hits.get(item.id));
      made.item = item;
      if (added.has(item.id)) made.classList.add('added');
      return made;
    });
    const focused = place.contains(document.activeElement) ? document.activeElement.closest('article')?.dataset.id : null;
    if (wanted.length === 0) fill(place, empty(t(narrowed(filters) ? 'nothing found' : 'nothing yet'), narrowed(filters) && h('p', {}, h('a', { href: '#/' }, t('clear filters')))));
    else place.replaceChildren(...wanted);
    if (focused) wanted.find((made) => made.dataset.id === focused)?.querySelector('a.title')?.focus({ preventScroll: true });
    fill(count, list.total !== null && t('results', { n: list.total }), list.notes.map((note) => h('span', { class: 'note' }, ' ', note)));
    fill(more, list.next && h('button', { type: 'button', onclick: further }, t('more')));
    waiting();
  }

  function waiting() {
    fresh.hidden = list.waiting.size === 0;
    fresh.textContent = t('show new', { n: list.waiting.size });
  }

  async function further() {
    const from = list.items.length;
    fill(more, loading());
    try {
      await list.load(signal);
      if (signal.aborted) return;
      paint();
      place.children[from]?.querySelector('a.title')?.focus({ preventScroll: true });
    } catch (error) {
      if (!signal.aborted) fill(more, failed(error, further));
    }
  }

  let saying;
  list.changed = () => { if (list.stale) again(); else paint(); };
  list.arrived = () => {
    const reading = scrollY > 200 || place.contains(document.activeElement) || document.hidden;
    if (list.stale || (!reading && list.items.length > MOST_SHOWN)) { again(); return; }
    const n = list.waiting.size;
    if (reading) waiting();
    else paint(list.take());
    clearTimeout(saying);
    saying = setTimeout(() => announce(t('new items', { n })), 800);
  };
  signal.addEventListener('abort', () => {
    list.scroll = list.painted ?? 0;
    list.changed = () => {};
    list.arrived = () => {};
    removeEventListener('scroll', remember);
  });
  function remember() { list.painted = scrollY; }
  addEventListener('scroll', remember, { passive: true });
  place.addEventListener('click', (event) => {
    const card = event.target.closest('a.title')?.closest('article');
    if (card) list.last = card.dataset.id;
  });

  async function again() {
    list.stop();
    list = kept = new List(key, filters);
    show(main, route, signal);
  }

  if (list.items.length > 0) {
    list.take();
    paint();
    const back = list.last && place.querySelector(`[data-id="${CSS.escape(list.last)}"] a.title`);
    if (back && route.back) {
      scrollTo({ top: list.scroll });
      back.focus({ preventScroll: true });
      return { focused: true };
    }
    return {};
  }
  fill(place, loading());
  try {
    await list.load(signal);
    if (!signal.aborted) paint();
  } catch (error) {
    list.stale = true;
    if (!signal.aborted) fill(place, failed(error, () => show(main, route, signal)));
  }
  return {};
}

const narrowed = (filters) => FILTERS.some((name) => filters[name]);

function form(filters, search) {
  const all = ['', t('all')];
  const topics = topicIds().sort(byName(topicLabel)).map((id) => [id, clean(topicLabel(id))]);
  const feeds = feedIds().sort(byName(feedTitle)).map((id) => [id, clean(feedTitle(id))]);
  const known = (options, value) => (value && !options.some(([id]) => id === value) ? [...options, [value, clean(value)]] : options);
  const languages = LANGUAGES.map((tag) => [tag, languageName(tag)]);
  const spans = SPANS.map((span) => [span, period(span)]);
  const dated = /^\d{4}-\d\d-\d\d$/.test(filters.since);
  const made = h('form', { class: 'filters', role: 'search', 'aria-label': t('filters'), onsubmit: (event) => { event.preventDefault(); go(); } });
  function go() {
    const given = Object.fromEntries(new FormData(made));
    const { span, from, ...rest } = given;
    location.hash = link('', { ...rest, since: from || span });
  }
  const change = () => go();
  const set = ['topic', 'feed', 'language', 'since', 'until', 'include'].filter((name) => filters[name]).length;
  const wide = matchMedia('(min-width: 60rem)').matches;
  fill(made,
    search && h('div', { class: 'search' },
      field(t('search'), h('input', { type: 'search', name: 'q', id: 'search', value: filters.q, dir: 'auto', autocomplete: 'off', enterkeyhint: 'search', maxlength: '400', placeholder: t('search hint') })),
      h('button', { type: 'submit', class: 'primary' }, t('search'))),
    h('details', { open: wide || set > 0 },
      h('summary', {}, t('filters'), set > 0 && h('span', { class: 'badge' }, number(set))),
      h('div', { class: 'fields' },
        field(t('topic'), select('topic', filters.topic, known([all, ...topics], filters.topic), change)),
        field(t('source'), select('feed', filters.feed, known([all, ...feeds], filters.feed), change)),
        field(t('language'), select('language', filters.language, known([all, ...languages], filters.language), change)),
        field(t('since'), select('span', dated ? '' : filters.since, known([['', t('any time')], ...spans], dated ? '' : filters.since), change)),
        field(t('from day'), h('input', { type: 'date', name: 'from', value: dated ? filters.since : '', onchange: change })),
        field(t('until day'), h('input', { type: 'date', name: 'until', value: filters.until, onchange: change })),
        h('label', { class: 'check' }, h('input', { type: 'checkbox', name: 'include', value: 'duplicates', checked: filters.include === 'duplicates', onchange: change }), h('span', {}, t('include copies'))),
        set > 0 && h('a', { class: 'button', href: link('', { q: filters.q }) }, t('clear filters')))));
  return made;
}

const found = (text) => h('mark', { class: 'found' }, text);

function card(item, highlights) {
  const of = (name) => (highlights ?? []).filter((place) => place.field === name);
  const words = item.title || shortened(item.text, 100) || t('no title');
  const title = item.title ? line(item.title, of('title'), found) : clean(words);
  const hit = of('text')[0];
  const teaser = hit ? around(item.text, of('text')) : shortened(item.summary || item.text, 260);
  return h('article', { class: `card${isHidden(item) ? ' copy' : ''}`, 'data-id': item.id },
    h('h2', { dir: 'auto' }, h('a', { class: 'title', href: itemLink(item.id) }, title)),
    h('p', { class: 'meta' }, feedLink(item.feed), h('span', { 'aria-hidden': 'true' }, '·'), time(item.published_at),
      kindBadge(item.verdict.kind), item.revision > 1 && h('span', { class: 'badge' }, t('revised times', { n: item.revision - 1 })),
      item.language && item.language !== 'ar' && h('span', { class: 'badge' }, languageName(item.language))),
    teaser && h('p', { class: 'teaser', dir: 'auto' }, teaser),
    topicChips(item.topics),
    copies(item));
}

const AROUND = 110;

/** The words around the first place that a search found. */
function around(text, spans) {
  const from = Math.max(0, spans[0].start - AROUND);
  const characters = Array.from(text).slice(from, spans[0].end + AROUND * 2).join('').replace(/\n/g, ' ');
  const moved = spans.map(({ start, end }) => ({ start: start - from, end: end - from }));
  return h('span', {}, from > 0 && '…', line(characters, moved.filter((span) => span.start >= 0), found), '…');
}
