// The reference documents, what was published of them, and which of them a text is a copy of.

import { get, post } from './api.js';
import { bdi, clean, fill, h, host, outside } from './dom.js';
import { number, percent, t } from './language.js';
import { empty, english, feedLink, field, heading, itemLink, kindBadge, share, shown, time } from './parts.js';

const SHOWN = 200;

export async function show(main, route, signal) {
  const matched = h('div', {});
  const known = h('div', {});
  const found = h('div', { 'aria-live': 'polite' });
  const text = h('textarea', { name: 'text', rows: '4', dir: 'auto', required: true });
  const match = (event) => {
    event.preventDefault();
    if (!text.value.trim()) { fill(found); return; }
    shown(found, signal, async () => {
      const { matches } = await post('corpus/match', { text: text.value }, signal);
      if (matches.length === 0) return empty(t('match nothing'));
      return h('ol', { class: 'copylist' }, matches.map((one) => h('li', {},
        h('p', { class: 'meta' }, h('code', {}, bdi(`${one.corpus}/${one.document}`)), kindBadge(one.kind), share(one.similarity), h('span', {}, t('shared jaccard', { shared: one.shared, jaccard: percent(one.jaccard) }))),
        one.why && h('p', {}, english(one.why)))));
    });
  };
  fill(main, heading(t('corpus')), h('p', { class: 'lead' }, t('corpus lead')),
    h('section', { class: 'panel', 'aria-labelledby': 'matched' }, h('h2', { id: 'matched' }, t('corpus matched')), matched),
    h('section', { class: 'panel', 'aria-labelledby': 'match' }, h('h2', { id: 'match' }, t('match text')),
      h('form', { onsubmit: match }, field(t('text'), text, { class: 'field wide' }), h('button', { type: 'submit', class: 'primary' }, t('compare'))), found),
    h('section', { class: 'panel', 'aria-labelledby': 'documents' }, h('h2', { id: 'documents' }, t('documents')), known));
  await Promise.all([
    shown(matched, signal, async () => {
      const { matched: documents } = await get('corpus/matched', {}, signal);
      if (documents.length === 0) return empty(t('corpus unmatched'));
      return documents.map((one) => h('details', { class: 'former', open: documents.length < 4 },
        h('summary', {}, h('code', {}, bdi(`${one.corpus}/${one.document}`)), ' ', t('copies', { n: one.total })),
        h('ol', { class: 'copylist' }, one.copies.map((copy) => h('li', {},
          h('p', { dir: 'auto' }, h('a', { href: itemLink(copy.id) }, clean(copy.title) || t('no title'))),
          h('p', { class: 'meta' }, feedLink(copy.feed), h('span', { 'aria-hidden': 'true' }, '·'), time(copy.published_at), kindBadge(copy.kind), share(copy.similarity), copy.url && outside(copy.url, host(copy.url), { class: 'out' }))))),
        one.total > one.copies.length && h('p', { class: 'note' }, t('newest shown', { n: one.copies.length }))));
    }),
    shown(known, signal, async () => {
      const { corpora } = await get('corpus', {}, signal);
      if (corpora.length === 0) return empty(t('no corpora'));
      return corpora.map((corpus) => documents(corpus));
    }),
  ]);
  return {};
}

function documents(corpus) {
  const place = h('ul', { class: 'documents' });
  const input = h('input', { type: 'search', dir: 'auto', oninput: () => paint() });
  const status = h('p', { class: 'note' });
  function paint() {
    const wanted = input.value.trim().toLowerCase();
    const listed = corpus.documents.filter((one) => one.id.toLowerCase().includes(wanted));
    fill(place, listed.slice(0, SHOWN).map((one) => h('li', {}, h('code', {}, bdi(one.id)), ' ', h('span', { class: 'n' }, t('n words', { n: one.words })))));
    fill(status, listed.length > SHOWN ? t('first of', { n: SHOWN, all: listed.length }) : '');
  }
  paint();
  return h('details', {}, h('summary', {}, bdi(corpus.name), ' ', h('span', { class: 'badge' }, number(corpus.documents.length))),
    field(t('filter documents'), input), place, status);
}
