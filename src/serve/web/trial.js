// A query of topics, tried on what is stored while it is written.

import { post } from './api.js';
import { announce, bdi, clean, fill, h } from './dom.js';
import { moment, period, signed, t } from './language.js';
import { line } from './marks.js';
import { empty, english, failed, feedLink, field, heading, itemLink, link, loading, select, time } from './parts.js';

const SPANS = ['24h', '7d', '30d'];
/** A pause in writing before it is tried. */
const PAUSE = 350;

export async function show(main, route, signal) {
  const query = h('textarea', { name: 'query', id: 'query', rows: '3', dir: 'auto', spellcheck: 'false', maxlength: '4000', autocomplete: 'off', 'aria-describedby': 'faults', oninput: soon });
  query.value = route.query.get('q') ?? '';
  const since = route.query.get('since') ?? '7d';
  const span = select('since', since, [...SPANS.map((one) => [one, period(one)]), ['', t('any time')]], now);
  const faults = h('div', { id: 'faults', class: 'faults', 'aria-live': 'polite' });
  const status = h('p', { class: 'count' });
  const results = h('div', { class: 'cards', 'aria-busy': 'false' });
  const example = (text) => h('li', {}, h('button', { type: 'button', class: 'linklike', onclick: () => { query.value = text; now(); query.focus(); } }, h('code', {}, bdi(text))));
  fill(main, heading(t('trial')), h('p', { class: 'lead' }, t('trial lead')),
    h('form', { class: 'trial', onsubmit: (event) => { event.preventDefault(); now(); } },
      field(t('query'), query, { class: 'field wide' }),
      h('div', { class: 'fields' }, field(t('since'), span), h('button', { type: 'submit', class: 'primary' }, t('try')))),
    faults,
    h('details', { class: 'help', open: query.value === '' }, h('summary', {}, t('query help')),
      h('ul', { class: 'syntax' }, ['words', 'phrase', 'any', 'both', 'without', 'near', 'place', 'prefix', 'fields', 'sets'].map((one) => h('li', {}, h('code', { dir: 'auto' }, bdi(t(`syntax ${one}`))), ' ', t(`syntax ${one} means`)))),
      h('p', {}, t('examples')), h('ul', {}, ['كازاخستان:g', '"منظمة معاهدة الأمن الجماعي" OR "الأمن الجماعي"', 'title:روسيا NOT أوكرانيا', 'احتجاجات NEAR/10 وقود'].map(example))),
    status, results);

  let timer;
  let asked = null;
  function soon() { clearTimeout(timer); timer = setTimeout(now, PAUSE); }
  async function now() {
    clearTimeout(timer);
    asked?.abort();
    const text = query.value.trim();
    history.replaceState(history.state, '', link('try', { q: text, since: span.value === '7d' ? '' : span.value }));
    if (!text) {
      fill(faults); fill(status); fill(results);
      query.removeAttribute('aria-invalid');
      return;
    }
    const mine = asked = new AbortController();
    results.setAttribute('aria-busy', 'true');
    if (results.childElementCount === 0) fill(results, loading());
    try {
      const found = await post('topics/try', { query: query.value, since: span.value || null, limit: 50 }, AbortSignal.any([signal, mine.signal]));
      if (found.faults.length > 0) {
        query.setAttribute('aria-invalid', 'true');
        fill(faults, wrong(query.value, found.faults));
        fill(status); fill(results);
        return;
      }
      fill(faults);
      query.removeAttribute('aria-invalid');
      const said = t(found.complete ? 'trial found all' : 'trial found some', { n: found.matched, looked: found.looked, back: found.back_to ? moment(new Date(found.back_to)) : '–' });
      fill(status, said, found.matched > found.matches.length && h('span', {}, ' ', t('newest shown', { n: found.matches.length })));
      announce(said);
      fill(results, found.matches.length === 0 ? empty(t('trial nothing')) : found.matches.map(card));
    } catch (error) {
      if (error.name === 'AbortError') return;
      fill(status); fill(faults); fill(results, failed(error, now));
    } finally {
      if (asked === mine) results.setAttribute('aria-busy', 'false');
    }
  }
  signal.addEventListener('abort', () => clearTimeout(timer));
  if (query.value) now();
  return {};
}

/** The query with what is wrong in it, and what to do. */
function wrong(query, faults) {
  const characters = Array.from(query);
  const places = faults.map(({ start, end }) => (end > start ? { start, end } : { start: Math.max(0, Math.min(start, characters.length) - 1), end: Math.min(start + 1, characters.length) }));
  return h('div', { class: 'wrong' },
    h('p', { class: 'query', dir: 'auto' }, line(query, places, (text) => h('mark', { class: 'fault' }, text))),
    h('ul', {}, faults.map(({ start, message }) => h('li', {}, t('at character', { n: start + 1 }), ' ', english(clean(message))))));
}

function card(found) {
  const mark = (text, spans) => h('mark', { class: 'for', title: spans.map((span) => `${clean(span.rule)} ${signed(span.weight)}`).join('\n') }, text);
  const title = line(found.title || t('no title'), found.evidence.filter((one) => one.field === 'title'), mark);
  const { excerpt } = found;
  const moved = (start) => found.evidence.filter((one) => one.field === excerpt.field).map((one) => ({ ...one, start: one.start - start, end: one.end - start })).filter((one) => one.end > 0).map((one) => ({ ...one, start: Math.max(0, one.start) }));
  return h('article', { class: 'card', 'data-id': found.id },
    h('h2', { dir: 'auto' }, h('a', { class: 'title', href: itemLink(found.id) }, title)),
    h('p', { class: 'meta' }, feedLink(found.feed), h('span', { 'aria-hidden': 'true' }, '·'), time(found.published_at), h('span', { class: 'badge' }, t('places', { n: found.evidence.length }))),
    excerpt && h('p', { class: 'teaser', dir: 'auto' }, excerpt.start > 0 && '…', line(excerpt.text.replace(/\n/g, ' '), moved(excerpt.start), mark), !excerpt.last && '…'));
}

