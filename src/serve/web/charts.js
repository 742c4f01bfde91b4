// Counts over time, drawn.
//
// In: counts, one for each stretch. Out: a drawing that grows with its place, and says in words what it shows. Time runs
// as the language is read.

import { svg } from './dom.js';
import { number, t } from './language.js';

const WIDTH = 1000;

/**
 * Bars, the copies on top of the items. `say(at)` names a stretch; `top` is the count that reaches the upper edge.
 */
export function bars({ items, copies = [], top, height = 120, label, say }) {
  const count = items.length;
  const most = Math.max(top ?? 0, 1, ...items.map((n, at) => n + (copies[at] ?? 0)));
  const step = WIDTH / Math.max(count, 1);
  const width = Math.max(step * 0.84, Math.min(step, 1));
  const rtl = document.documentElement.dir === 'rtl';
  const x = (at) => (rtl ? WIDTH - (at + 1) * step : at * step) + (step - width) / 2;
  const bar = (at, n, below, name) => {
    const tall = (n / most) * height;
    return svg('rect', { class: name, x: x(at).toFixed(2), y: (height - tall - (below / most) * height).toFixed(2), width: width.toFixed(2), height: tall.toFixed(2) });
  };
  const groups = [];
  for (let at = 0; at < count; at += 1) {
    const [one, other] = [items[at], copies[at] ?? 0];
    const words = `${say(at)}: ${t('n items', { n: one })}${other ? `، ${t('copies', { n: other })}` : ''}`;
    groups.push(svg('g', {}, svg('title', {}, words),
      // The whole height can be pointed at, where the bar itself is small.
      svg('rect', { class: 'hit', x: x(at).toFixed(2), y: 0, width: width.toFixed(2), height }),
      one > 0 && bar(at, one, 0, 'items'), other > 0 && bar(at, other, one, 'copies')));
  }
  return svg('svg', { class: 'bars', role: 'img', 'aria-label': label, viewBox: `0 0 ${WIDTH} ${height}`, preserveAspectRatio: 'none' },
    svg('line', { class: 'base', x1: 0, x2: WIDTH, y1: height - 0.5, y2: height - 0.5 }), groups);
}

/** The highest count, for a scale that several drawings share. */
export const highest = (series) => Math.max(0, ...series.flatMap(({ items, copies }) => items.map((n, at) => n + (copies[at] ?? 0))));

/** What a drawing shows, in one sentence. */
export function summed(items, copies, say) {
  const total = items.reduce((sum, n) => sum + n, 0);
  const at = items.reduce((best, n, i) => (n > items[best] ? i : best), 0);
  const more = copies.reduce((sum, n) => sum + n, 0);
  return t('chart says', { n: total, copies: number(more), most: number(items[at] ?? 0), when: items.length ? say(at) : '' });
}
