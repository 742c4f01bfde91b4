// Stories, and one story from its first report on.

import { get } from './api.js';
import { bars, summed } from './charts.js';
import { bdi, clean, fill, h } from './dom.js';
import { clock, day, moment, number, period, span, t } from './language.js';
import { copies, empty, feedLink, field, heading, itemLink, kindBadge, link, select, shown, time } from './parts.js';

const SPANS = ['24h', '7d', '30d'];

export async function show(main, route, signal) {
  const since = route.query.get('since') ?? '';
  const place = h('div', { class: 'cards' });
  const spans = [['', t('any time')], ...SPANS.map((one) => [one, period(one)])];
  fill(main, heading(t('stories')), h('p', { class: 'lead' }, t('stories lead')),
    h('form', { class: 'filters', onsubmit: (event) => event.preventDefault() },
      h('div', { class: 'fields' }, field(t('since'), select('since', since, spans, (event) => { location.hash = link('stories', { since: event.target.value }); })))),
    place);
  await shown(place, signal, async () => {
    const { stories } = await get('stories', { since, limit: 50 }, signal);
    if (stories.length === 0) return empty(t('no stories'));
    return stories.map((story) => h('article', { class: 'card' },
      h('h2', { dir: 'auto' }, h('a', { class: 'title', href: link(`story/${story.id}`) }, clean(story.title) || t('no title'))),
      h('p', { class: 'meta' }, t('n items', { n: story.size - story.copies }), story.copies > 0 && h('span', {}, '· ', t('copies', { n: story.copies })),
        h('span', { 'aria-hidden': 'true' }, '·'), t('last report'), ' ', time(story.last_seen)),
      sources(story)));
  });
  return {};
}

function sources(story) {
  return h('ul', { class: 'chips', 'aria-label': t('sources') }, story.sources.slice(0, 8).map((source) =>
    h('li', {}, h('a', { class: 'chip plain', href: link('', { feed: source.feed }) }, feedLink(source.feed).firstChild, h('span', { class: 'n' }, ' ', number(source.items))))));
}

/** The hours from the first to the last, the empty ones too; whole days where there are too many. */
function buckets(hours) {
  const at = hours.map(({ hour }) => Date.parse(hour));
  let size = 3_600_000;
  if ((at.at(-1) - at[0]) / size > 240) size = 86_400_000;
  const first = Math.floor(at[0] / size);
  const counts = new Array(Math.floor(at.at(-1) / size) - first + 1).fill(0);
  hours.forEach(({ items }, i) => { counts[Math.floor(at[i] / size) - first] += items; });
  return { counts, begin: (i) => new Date((first + i) * size) };
}

export async function one(main, route, signal) {
  await shown(main, signal, async () => {
    const story = await get(`stories/${encodeURIComponent(route.parts[1] ?? '')}`, {}, signal);
    const { counts, begin } = buckets(story.hours);
    const say = (at) => moment(begin(at));
    const lasted = (Date.parse(story.last_seen) - Date.parse(story.first_seen)) / 1000;
    let before = '';
    const entries = story.items.flatMap((item, at) => {
      const at_ = new Date(item.published_at);
      const today = day(at_);
      const head = today !== before && h('li', { class: 'day' }, h('h2', {}, today));
      before = today;
      return [head, h('li', { class: at === 0 ? 'first' : '' },
        h('p', { class: 'meta' }, time(item.published_at, clock), feedLink(item.feed), kindBadge(item.verdict), at === 0 && h('span', { class: 'badge' }, t('first report'))),
        h('p', { class: 'headline', dir: 'auto' }, h('a', { class: 'title', href: itemLink(item.id) }, clean(item.title) || t('no title'))),
        copies(item))];
    });
    return [
      heading(bdi(story.title || t('no title'))),
      h('p', { class: 'meta' }, t('n items', { n: story.size - story.copies }), story.copies > 0 && h('span', {}, '· ', t('copies', { n: story.copies })),
        h('span', {}, '· ', t('from to', { from: moment(new Date(story.first_seen)), to: moment(new Date(story.last_seen)) })),
        lasted > 0 && h('span', {}, `(${span(lasted)})`)),
      sources(story),
      counts.length > 1 && h('figure', { class: 'chart' }, bars({ items: counts, label: summed(counts, [], say), say }),
        h('figcaption', { class: 'axis' }, h('span', {}, say(0)), h('span', {}, say(counts.length - 1)))),
      h('ol', { class: 'timeline' }, entries),
      story.size - story.copies > story.items.length && h('p', { class: 'note' }, t('story cut', { n: story.items.length })),
    ];
  });
  return { title: main.querySelector('h1')?.textContent };
}
