// Why an item has its verdict, and two texts side by side with what they share.

import { get } from './api.js';
import { bdi, clean, fill, h, shortened } from './dom.js';
import { has, list, number, percent, span, t } from './language.js';
import { line, paragraphs } from './marks.js';
import { english, facts, feedLink, itemLink, kindBadge, kindName, share, shown, time } from './parts.js';

const TINTS = 6;

/** What the verdict rests on, with both texts where there is another. */
export function verdict(item, signal) {
  if (item.verdict.kind === 'new' || !item.verdict.of) return null;
  const place = h('div', {});
  const load = () => shown(place, signal, async () => {
    const found = await get(`items/${item.id}/passages`, {}, signal);
    return explained(item, found, signal);
  });
  load();
  return h('section', { class: 'panel' }, h('h2', {}, t('why verdict'), ' ', kindBadge(item.verdict.kind)), place);
}

async function explained(item, found, signal) {
  const of = found.of ?? '';
  const itself = of === `item:${item.id}`;
  const original = found.original;
  const what = of.startsWith('corpus:')
    ? h('span', {}, t('of corpus'), ' ', h('code', {}, bdi(of.slice(7))))
    : original && h('a', { href: itemLink(original.id) }, bdi(original.title || t('no title')));
  const parts = [
    facts([
      [t('verdict'), h('span', {}, kindName(found.verdict.kind), ' ', found.verdict.similarity > 0 && share(found.verdict.similarity))],
      [t('compared with'), what],
      [t('why'), reason(found)],
    ]),
  ];
  if (found.note) parts.push(h('p', { class: 'note' }, english(found.note)));
  if (!found.comparison) return parts;
  let other = null;
  if (itself) {
    const { revisions } = await get(`items/${item.id}/revisions`, {}, signal);
    other = revisions.at(-1) ?? null;
  } else if (original) other = await get(`items/${original.id}`, {}, signal);
  parts.push(beside(item, other, found.comparison, itself));
  return parts;
}

/** The reason, in the language of the page; the server's own sentence with it. */
function reason(found) {
  const { reason: of, why } = found;
  if (!of) return why && english(why);
  const words = (kinds) => list(kinds.map((kind) => (has(`because ${kind}`) ? t(`because ${kind}`) : kind)));
  return h('div', {},
    h('p', {}, t('shared shingles', { shared: of.shared, ours: of.ours, theirs: of.theirs, containment: percent(of.containment), jaccard: percent(of.jaccard) })),
    of.needed.length > 0 && h('p', {}, t('needed'), ' ', words(of.needed)),
    of.evidence.length > 0 && h('p', {}, t('speaks'), ' ', words(of.evidence)),
    why && h('details', {}, h('summary', {}, t('in english')), h('p', {}, english(why))));
}

/** The copies of an original, each with what was done to it, and beside it when asked. */
export function copiesBeside(item, signal) {
  if (item.copies.length === 0) return null;
  const place = h('div', {});
  const load = () => shown(place, signal, async () => {
    const found = await get(`items/${item.id}/passages`, {}, signal);
    const rows = found.copies.map((copy) => copyRow(item, copy, signal));
    return [h('ol', { class: 'copylist' }, rows), found.more_copies > 0 && h('p', { class: 'note' }, t('more copies', { n: found.more_copies }))];
  });
  load();
  return h('section', { class: 'panel', id: 'copies' }, h('h2', {}, t('copies', { n: item.copies.length })), place);
}

function copyRow(item, copy, signal) {
  const place = h('div', { id: `beside-${copy.id}` });
  const button = h('button', { type: 'button', 'aria-expanded': 'false', 'aria-controls': place.id, onclick: () => toggle() }, t('side by side'));
  const toggle = () => {
    const open = button.getAttribute('aria-expanded') !== 'true';
    button.setAttribute('aria-expanded', String(open));
    if (!open) { fill(place); return; }
    shown(place, signal, async () => {
      const [found, other] = await Promise.all([get(`items/${copy.id}/passages`, { of: item.id }, signal), get(`items/${copy.id}`, {}, signal)]);
      return beside(other, item, found.comparison, false);
    });
  };
  return h('li', {},
    h('p', { class: 'meta' }, feedLink(copy.feed), h('span', { 'aria-hidden': 'true' }, '·'), time(copy.published_at),
      copy.after !== 0 && h('span', {}, t(copy.after > 0 ? 'later by' : 'earlier by', { span: span(Math.abs(copy.after)) })),
      kindBadge(copy.kind), share(copy.similarity)),
    h('p', { dir: 'auto' }, h('a', { href: itemLink(copy.id) }, clean(copy.title) || t('no title'))),
    changed(copy.changes),
    button, place);
}

/** What was done to a text, in words. */
function changed(changes) {
  const said = [
    changes.headline && t('changed headline'),
    changes.kept < 0.97 && t('changed kept', { kept: percent(changes.kept) }),
    changes.paragraphs > 0 && t('changed paragraphs', { n: changes.paragraphs }),
    changes.paragraphs === 0 && changes.words > 3 && t('changed words', { n: changes.words }),
    changes.reworded > 0 && t('changed reworded', { n: changes.reworded }),
    changes.numbers > 0 && t('changed numbers', { n: changes.numbers }),
    changes.rearranged && t('changed order'),
  ].filter(Boolean);
  return h('p', { class: 'changes' }, said.length > 0 ? list(said) : t('changed nothing'));
}

/** Two texts; what they share has the same number and colour in both. */
function beside(ours, theirs, comparison, former) {
  const spans = (side, name) => comparison.passages.flatMap((passage, at) => {
    const place = passage[side];
    if (!place) return [];
    const n = at + 1;
    const changes = passage.changes.map((change) => change[side]).filter((change) => change && change.field === name && change.end > change.start);
    const own = place.field === name ? [{ start: place.start, end: place.end, n, side }] : [];
    return [...own, ...changes.map(({ start, end }) => ({ start, end, n, side, changed: true }))];
  });
  const column = (side, words, head) => h('div', { class: 'side' },
    h('h3', {}, head),
    h('p', { class: 'sidetitle', dir: 'auto' }, line(words.title, spans(side, 'title'), passageMark)),
    h('div', { class: 'text', tabindex: '0', role: 'region', 'aria-label': head }, paragraphs(words.text, spans(side, 'text'), passageMark)));
  const { coverage } = comparison;
  const numbers = comparison.numbers.filter((one) => one.theirs_in);
  return h('div', { class: 'compare' },
    h('p', {}, t('coverage', { ours: percent(coverage.ours), theirs: percent(coverage.theirs) }), ' ',
      comparison.passages.length === 0 ? t('no passages') : t('passages', { n: comparison.passages.length })),
    numbers.length > 0 && h('ul', { class: 'numbers' }, numbers.map((one) => h('li', {}, t('another number'), ' ', bdi(shortened(one.ours_in, 90)), ' ≠ ', bdi(shortened(one.theirs_in, 90))))),
    h('div', { class: 'sides' },
      column('ours', ours, former ? t('words now') : h('span', {}, t('this text'), ' ', feedLink(ours.feed)).textContent),
      theirs && column('theirs', theirs, former ? t('words before') : h('span', {}, t('other text'), ' ', feedLink(theirs.feed)).textContent)));
}

function passageMark(text, spans, ending) {
  const whole = spans.find((span) => !span.changed) ?? spans[0];
  const changed = spans.some((span) => span.changed);
  const ends = ending.some((span) => !span.changed);
  return h('span', { class: 'place' },
    h('mark', { class: `passage tint-${whole.n % TINTS}${changed ? ' changed' : ''}`, title: t(changed ? 'differs' : 'passage n', { n: whole.n }) }, text),
    ends && h('sup', { 'aria-label': t('passage n', { n: whole.n }), role: 'note' }, number(whole.n)));
}

