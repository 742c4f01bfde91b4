// Places in a text, marked.
//
// In: a text as stored, and places in it, counted in Unicode scalar values. Out: nodes with the same text, the places
// marked, overlapping ones too.

import { clean, h } from './dom.js';

/**
 * The text with its places marked. `make(text, spans, ending)` gives the node for a stretch that lies within `spans`;
 * `ending` are those that end with it.
 */
export function marked(characters, spans, make, from = 0, to = characters.length) {
  const inside = spans.filter((span) => span.start < to && span.end > from && span.end > span.start);
  const cuts = new Set([from, to]);
  for (const span of inside) {
    cuts.add(Math.max(from, span.start));
    cuts.add(Math.min(to, span.end));
  }
  const places = [...cuts].sort((a, b) => a - b);
  const nodes = [];
  for (let i = 0; i + 1 < places.length; i += 1) {
    const [start, end] = [places[i], places[i + 1]];
    const text = clean(characters.slice(start, end).join(''));
    const within = inside.filter((span) => span.start <= start && span.end >= end);
    if (within.length === 0) nodes.push(document.createTextNode(text));
    else nodes.push(make(text, within, within.filter((span) => Math.min(to, span.end) === end)));
  }
  return nodes;
}

/** The text as paragraphs, each by its own direction. */
export function paragraphs(text, spans, make) {
  const characters = Array.from(text);
  const made = [];
  let from = 0;
  for (let at = 0; at <= characters.length; at += 1) {
    if (at < characters.length && characters[at] !== '\n') continue;
    if (characters.slice(from, at).some((c) => c.trim())) {
      made.push(h('p', { dir: 'auto' }, marked(characters, spans, make, from, at)));
    }
    from = at + 1;
  }
  return made;
}

/** One line of text. */
export const line = (text, spans, make) => marked(Array.from(text), spans, make);
