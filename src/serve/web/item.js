// One item: its words with the evidence in them, why it has its verdict, its copies beside it, its story.

import { find, get } from './api.js';
import { bdi, clean, fill, h, host, outside, shortened, tricks } from './dom.js';
import { languageName, number, signed, t } from './language.js';
import { line, paragraphs } from './marks.js';
import { topicLabel } from './names.js';
import { verdict, copiesBeside } from './compare.js';
import { facts, feedLink, heading, itemLink, kindBadge, link, shown, table, time } from './parts.js';

export async function show(main, route, signal) {
  const id = route.parts[1] ?? '';
  await shown(main, signal, async () => {
    const item = await get(`items/${encodeURIComponent(id)}`, {}, signal);
    const place = h('div', { class: 'item' });
    paint(place, item, signal, route.query.get('topic') ?? item.topics[0]?.id);
    return place;
  });
  return { title: main.querySelector('h1')?.textContent };
}

function paint(place, item, signal, topicId) {
  const topic = item.topics.find((found) => found.id === topicId);
  const evidence = (topic?.evidence ?? []).map((one, at) => ({ ...one, n: at + 1 }));
  const of = (name) => evidence.filter((one) => one.field === name);
  const repeats = !item.summary || item.text.startsWith(item.summary) || item.summary === item.text;
  const hidden = tricks(item.title) + tricks(item.summary) + tricks(item.text);
  const title = item.title ? line(item.title, of('title'), mark) : clean(shortened(item.text, 100) || t('no title'));

  fill(place,
    h('article', {},
      h('header', {},
        heading(h('bdi', {}, title)),
        h('p', { class: 'meta' }, feedLink(item.feed), h('span', { 'aria-hidden': 'true' }, '·'), time(item.published_at), kindBadge(item.verdict.kind),
          item.url && outside(item.url, h('span', {}, t('open at'), ' ', bdi(host(item.url))), { class: 'button out' }))),
      hidden > 0 && h('p', { class: 'note' }, t('tricks removed', { n: hidden })),
      item.topics.length > 1 && h('div', { class: 'choice', role: 'group', 'aria-label': t('evidence of') },
        item.topics.map((found) => h('button', {
          type: 'button',
          'aria-pressed': String(found.id === topicId),
          onclick: () => { paint(place, item, signal, found.id); place.querySelector('.choice [aria-pressed="true"]').focus(); },
        }, bdi(topicLabel(found.id))))),
      h('div', { class: 'columns' },
        h('div', { class: 'words' },
          !repeats && h('section', { class: 'summary', 'aria-label': t('summary') }, paragraphs(item.summary, of('summary'), mark)),
          h('section', { class: 'text', 'aria-label': t('text') },
            item.text ? paragraphs(item.text, of('text'), mark) : h('p', { class: 'note' }, t('no text')))),
        h('aside', { class: 'beside', 'aria-label': t('about item') },
          topic && why(topic, evidence),
          known(item)),
        h('div', { class: 'further' }, verdict(item, signal), copiesBeside(item, signal), revisions(item, signal), story(item, signal)))));
}

/** A place that speaks for the topic, with the number of its row. */
function mark(text, spans, ending) {
  const against = spans.every((span) => span.weight < 0);
  const said = spans.map((span) => `${clean(span.rule)} ${signed(span.weight)}`).join('\n');
  return h('span', { class: 'place' },
    h('mark', { class: against ? 'against' : 'for', title: said }, text),
    ending.map((span) => h('button', {
      type: 'button',
      class: 'ref',
      id: `place-${span.n}`,
      'aria-label': t('evidence n', { n: span.n, rule: clean(span.rule), weight: signed(span.weight) }),
      onclick: () => go(`row-${span.n}`),
    }, number(span.n))));
}

function go(id) {
  const target = document.getElementById(id);
  target?.scrollIntoView({ block: 'center' });
  target?.focus({ preventScroll: true });
}

function why(topic, evidence) {
  const rows = evidence.map((one) => {
    const inWords = ['title', 'summary', 'text'].includes(one.field);
    const words = bdi(shortened(one.text, 80));
    const there = inWords ? h('button', { type: 'button', class: 'linklike', id: `row-${one.n}`, onclick: () => go(`place-${one.n}`) }, words) : words;
    return h('tr', {}, h('td', {}, number(one.n)), h('td', {}, bdi(one.rule)), h('td', { class: one.weight < 0 ? 'weight less' : 'weight' }, h('bdi', { dir: 'ltr' }, signed(one.weight))), h('td', {}, t(`field ${one.field}`)), h('td', {}, there));
  });
  return h('section', { class: 'panel' },
    h('h2', {}, t('why topic'), ' ', h('a', { href: link('', { topic: topic.id }) }, bdi(topicLabel(topic.id)))),
    h('p', {}, t(topic.decision === 'match' ? 'topic matches' : 'topic maybe'), ' · ', t('score'), ' ', h('bdi', { dir: 'ltr' }, signed(topic.score))),
    table(t('evidence'), ['#', t('rule'), t('weight'), t('where'), t('words')], rows));
}

function known(item) {
  const where = { feed: 'from feed', page: 'from page', summary: 'from summary', fetch: 'from fetch' };
  return h('section', { class: 'panel' },
    h('h2', {}, t('about item')),
    facts([
      [t('source'), feedLink(item.feed)],
      [t('published'), h('span', {}, time(item.published_at), ' ', t(where[item.published_from]))],
      [t('stored'), time(item.stored_at)],
      [t('language'), item.language && languageName(item.language)],
      [t('text source'), t(where[item.text_from])],
      [t('authors'), item.authors.length > 0 && item.authors.flatMap((name, at) => [at > 0 && '، ', bdi(name)])],
      [t('tags'), item.tags.length > 0 && item.tags.flatMap((name, at) => [at > 0 && '، ', bdi(name)])],
      [t('address'), item.canonical_url && outside(item.canonical_url, bdi(item.canonical_url, { dir: 'ltr', class: 'long' }))],
      [t('image'), item.image && outside(item.image, t('image not loaded'))],
      [t('number'), h('a', { href: itemLink(item.id) }, h('code', {}, item.id))],
      [t('position'), number(item.seq)],
      [t('judged'), item.judged && h('span', {}, t(`judged ${item.judged.kind}`), ' ', time(item.judged.at), item.judged.why && h('span', {}, ' — ', bdi(item.judged.why)))],
    ]));
}

function revisions(item, signal) {
  if (item.revision < 2) return null;
  const place = h('div', {});
  const load = () => shown(place, signal, async () => {
    const { revisions: former } = await get(`items/${item.id}/revisions`, {}, signal);
    if (former.length === 0) return h('p', { class: 'note' }, t('revisions gone'));
    return former.reverse().map((one) => h('details', { class: 'former' },
      h('summary', {}, t('revision n', { n: one.revision }), ' · ', time(one.replaced_at), ' · ', bdi(shortened(one.title, 90))),
      h('h3', { dir: 'auto' }, clean(one.title)), h('div', { class: 'text' }, paragraphs(one.text, [], mark))));
  });
  load();
  return h('section', { class: 'panel' }, h('h2', {}, t('revisions')), place);
}

function story(item, signal) {
  if (!item.story) return null;
  const place = h('div', {});
  const section = h('section', { class: 'panel' }, h('h2', {}, t('its story')), place);
  const load = () => shown(place, signal, async () => {
    const told = await find(`stories/${item.story}`, {}, signal);
    const others = (told?.items ?? []).filter((other) => other.id !== item.id);
    if (others.length === 0) return h('p', { class: 'note' }, t('story alone'));
    return [
      h('ol', { class: 'others' }, others.slice(0, 8).map((other) => h('li', {}, time(other.published_at), ' ', feedLink(other.feed), ' ', h('a', { href: itemLink(other.id) }, bdi(shortened(other.title, 160) || t('no title')))))),
      h('p', {}, h('a', { class: 'button', href: link(`story/${item.story}`) }, t('whole story', { n: told.size }))),
    ];
  });
  load();
  return section;
}
