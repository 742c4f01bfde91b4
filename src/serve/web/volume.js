// How much there is of each topic or source, over time.

import { get } from './api.js';
import { bars, highest, summed } from './charts.js';
import { bdi, fill, h } from './dom.js';
import { moment, number, period, shortUtc, t } from './language.js';
import { byName, feedIds, feedTitle, topicIds, topicLabel } from './names.js';
import { empty, field, heading, link, select, shown, table } from './parts.js';

const RANGES = { '24h': ['hour', 24], '48h': ['hour', 48], '7d': ['day', 7], '30d': ['day', 30], '90d': ['day', 90], '365d': ['day', 365] };

export async function show(main, route, signal) {
  const by = route.query.get('by') === 'feed' ? 'feed' : 'topic';
  const range = route.query.get('range') in RANGES ? route.query.get('range') : '30d';
  const same = route.query.get('scale') !== 'own';
  const go = (other) => { location.hash = link('volume', { by, range, scale: same ? '' : 'own', ...other }); };
  const place = h('div', {});
  fill(main, heading(t('volume')),
    h('form', { class: 'filters', onsubmit: (event) => event.preventDefault() },
      h('div', { class: 'fields' },
        field(t('volume by'), select('by', by, [['topic', t('by topic')], ['feed', t('by feed')]], (event) => go({ by: event.target.value }))),
        field(t('range'), select('range', range, Object.keys(RANGES).map((one) => [one, period(one)]), (event) => go({ range: event.target.value }))),
        h('label', { class: 'check' }, h('input', { type: 'checkbox', name: 'scale', checked: same, onchange: (event) => go({ scale: event.target.checked ? '' : 'own' }) }), h('span', {}, t('same scale'))))),
    h('p', { class: 'legend' }, h('span', { class: 'key items' }), t('items in sight'), h('span', { class: 'key copies' }), t('copies of others')),
    place);
  await shown(place, signal, async () => {
    const [bucket, count] = RANGES[range];
    const size = bucket === 'hour' ? 3_600_000 : 86_400_000;
    const since = new Date(Date.now() - (count - 1) * size).toISOString();
    const ask = (which) => get('volume', { by: which, bucket, since }, signal);
    const [all, found] = await Promise.all([ask('all'), ask(by)]);
    if (all.series.length === 0) return empty(t('volume empty'));
    const begin = (at) => new Date(Date.parse(found.since) + at * size);
    const say = (at) => (bucket === 'hour' ? moment(begin(at)) : shortUtc(begin(at)));
    const name = by === 'topic' ? topicLabel : feedTitle;
    const silent = (by === 'topic' ? topicIds() : feedIds()).filter((id) => !found.series.some((series) => series.id === id)).sort(byName(name));
    const top = same ? highest(found.series) : undefined;
    const chart = (series, label, most) => h('figure', { class: 'chart' },
      h('figcaption', {}, label, h('span', { class: 'n' }, number(series.total), series.total_copies > 0 && h('span', { class: 'plus' }, ` + ${number(series.total_copies)}`))),
      bars({ items: series.items, copies: series.copies, top: most, label: `${label.textContent}: ${summed(series.items, series.copies, say)}`, say }),
      h('div', { class: 'axis' }, h('span', {}, say(0)), h('span', {}, say(found.buckets - 1))));
    const filter = (id) => link('', by === 'topic' ? { topic: id } : { feed: id });
    const total = all.series[0];
    return [
      h('section', { class: 'whole', 'aria-label': t('everything') }, chart(total, h('span', {}, t('everything')), undefined)),
      h('div', { class: 'grid' }, found.series.map((series) => chart(series, h('a', { href: filter(series.id) }, bdi(name(series.id))), top))),
      silent.length > 0 && h('p', { class: 'note' }, t('silent'), ' ', silent.flatMap((id, at) => [at > 0 && '، ', h('a', { href: filter(id) }, bdi(name(id)))])),
      h('details', { class: 'figures' }, h('summary', {}, t('as table')),
        table(t('volume'), [t(bucket === 'hour' ? 'hour utc' : 'day utc'), t('everything'), ...found.series.map((series) => bdi(name(series.id)))],
          total.items.map((n, at) => h('tr', {}, h('th', { scope: 'row' }, say(at)), h('td', {}, number(n)), found.series.map((series) => h('td', {}, number(series.items[at]))))).reverse())),
    ];
  });
  return {};
}
