// How the sources are doing, and why.

import { get } from './api.js';
import { bdi, clean, fill, h, outside } from './dom.js';
import { bytes, has, number, span, t } from './language.js';
import { empty, english, facts, field, heading, link, select, shown, table, time } from './parts.js';

/** In one word how a feed is doing. */
function state(feed) {
  if (!feed.enabled) return 'off';
  if (!feed.cursor?.last_poll) return 'unpolled';
  return feed.cursor.failures > 0 ? 'failing' : 'well';
}

const badge = (name) => h('span', { class: `status ${name}` }, t(`feed ${name}`));
const fault = (kind) => (has(`fault ${kind}`) ? t(`fault ${kind}`) : kind);
const RANK = { failing: 0, unpolled: 1, well: 2, off: 3 };

export async function show(main, route, signal) {
  const wanted = route.query.get('state') ?? '';
  const place = h('div', {});
  const states = [['', t('all')], ...Object.keys(RANK).map((name) => [name, t(`feed ${name}`)])];
  fill(main, heading(t('feeds')),
    h('form', { class: 'filters', onsubmit: (event) => event.preventDefault() },
      h('div', { class: 'fields' }, field(t('state'), select('state', wanted, states, (event) => { location.hash = link('feeds', { state: event.target.value }); })))),
    place);
  await shown(place, signal, async () => {
    const { feeds } = await get('feeds', {}, signal);
    const counted = Object.keys(RANK).map((name) => [name, feeds.filter((feed) => state(feed) === name).length]).filter(([, n]) => n > 0);
    const listed = feeds.filter((feed) => !wanted || state(feed) === wanted).sort((a, b) => RANK[state(a)] - RANK[state(b)]);
    return [
      h('p', { class: 'tally' }, counted.map(([name, n]) => h('span', {}, badge(name), ' ', number(n)))),
      listed.length === 0 ? empty(t('no feeds')) : h('ul', { class: 'feedlist' }, listed.map(row)),
    ];
  });
  return {};
}

function row(feed) {
  const cursor = feed.cursor;
  const name = state(feed);
  return h('li', { class: `feedrow ${name}` },
    h('p', { class: 'name' }, badge(name), ' ', h('a', { class: 'title', href: link(`feeds/${feed.id}`) }, bdi(feed.title))),
    h('p', { class: 'meta' },
      name === 'off' && feed.disabled_reason && bdi(feed.disabled_reason),
      cursor?.last_poll && h('span', {}, t('last poll'), ' ', time(cursor.last_poll)),
      feed.enabled && cursor && h('span', {}, t('next poll'), ' ', time(cursor.next)),
      cursor && h('span', {}, t('stored entries', { n: cursor.stored }))),
    name === 'failing' && cursor.last_error && h('p', { class: 'fault' }, h('strong', {}, fault(cursor.last_error.kind)), ' ',
      t('failures in a row', { n: cursor.failures }), h('span', { class: 'english', lang: 'en', dir: 'ltr' }, clean(cursor.last_error.message))));
}

export async function one(main, route, signal) {
  await shown(main, signal, async () => {
    const feed = await get(`feeds/${encodeURIComponent(route.parts[1] ?? '')}`, {}, signal);
    const { cursor, polls } = feed;
    const name = state(feed);
    const last = polls.find((poll) => poll.outcome.error);
    return [
      heading(bdi(feed.title), ' ', badge(name)),
      h('p', {}, outside(feed.url, bdi(feed.url, { dir: 'ltr', class: 'long' }))),
      name === 'failing' && last && trouble(last),
      h('section', { class: 'panel' }, h('h2', {}, t('why next')),
        facts([
          [t('next poll'), feed.enabled ? cursor && time(cursor.next) : t('feed off')],
          [t('why off'), !feed.enabled && feed.disabled_reason && bdi(feed.disabled_reason)],
          [t('by rule'), cursor?.rule && english(cursor.rule)],
          [t('interval'), cursor && span(cursor.interval)],
          [t('last poll'), cursor?.last_poll && time(cursor.last_poll)],
          [t('failures'), cursor?.failures > 0 && number(cursor.failures)],
          [t('unchanged'), cursor?.not_modified > 0 && number(cursor.not_modified)],
          [t('polls ever'), cursor && number(cursor.polls)],
          [t('entries ever'), cursor && h('a', { href: link('', { feed: feed.id }) }, number(cursor.stored))],
          [t('moved to'), cursor?.moved_to && outside(cursor.moved_to, bdi(cursor.moved_to, { dir: 'ltr', class: 'long' }))],
        ])),
      h('section', { class: 'panel' }, h('h2', {}, t('last polls')), polls.length === 0 ? h('p', { class: 'note' }, t('no polls')) : history(polls)),
    ];
  });
  return { title: main.querySelector('h1')?.textContent };
}

function trouble({ outcome: { error } }) {
  return h('section', { class: 'panel trouble' },
    h('h2', {}, fault(error.kind)),
    h('p', {}, english(clean(error.message))),
    h('p', {}, t('what to do'), ' ', english(clean(error.hint))),
    h('p', { class: 'note' }, t(`severity ${error.severity}`)));
}

function history(polls) {
  const rows = polls.map(({ at, outcome }) => {
    const came = outcome.error ? h('span', { class: 'status failing' }, fault(outcome.error.kind))
      : outcome.not_modified ? t('not modified')
        : t('entries new', { n: outcome.entries, new: outcome.new, revised: outcome.revised });
    const notes = [...outcome.notes, outcome.error?.message].filter(Boolean);
    return h('tr', {}, h('td', {}, time(at)), h('td', {}, came),
      h('td', {}, outcome.status === null ? '' : h('bdi', { dir: 'ltr' }, String(outcome.status))),
      h('td', {}, outcome.bytes > 0 ? bytes(outcome.bytes) : ''),
      h('td', {}, outcome.rejected > 0 ? number(outcome.rejected) : ''),
      h('td', {}, outcome.format && bdi(outcome.format), notes.length > 0 && h('ul', { class: 'notes' }, notes.map((note) => h('li', {}, english(clean(note)))))));
  });
  return table(t('last polls'), [t('when'), t('outcome'), 'HTTP', t('size'), t('rejected'), t('notes')], rows, { class: 'wide' });
}
