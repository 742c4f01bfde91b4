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
  const bar = (at, n, below) => {
    const tall = (n / most) * height;
    return `M${x(at).toFixed(1)} ${(height - tall - (below / most) * height).toFixed(1)}h${width.toFixed(1)}v${tall.toFixed(1)}h-${width.toFixed(1)}z`;
  };
  const [one, other, hits] = [[], [], []];
  for (let at = 0; at < count; at += 1) {
    const [n, more] = [items[at], copies[at] ?? 0];
    if (n + more === 0) continue;
    if (n > 0) one.push(bar(at, n, 0));
    if (more > 0) other.push(bar(at, more, n));
    const words = `${say(at)}: ${t('n items', { n })}${more ? ` · ${t('copies', { n: more })}` : ''}`;
    // The whole height can be pointed at, where the bar itself is small.
    hits.push(svg('rect', { class: 'hit', x: x(at).toFixed(1), y: 0, width: width.toFixed(1), height }, svg('title', {}, words)));
  }
  return svg('svg', { class: 'bars', role: 'img', 'aria-label': label, viewBox: `0 0 ${WIDTH} ${height}`, preserveAspectRatio: 'none' },
    svg('line', { class: 'base', x1: 0, x2: WIDTH, y1: height - 0.5, y2: height - 0.5 }),
    svg('path', { class: 'items', d: one.join('') }), svg('path', { class: 'copies', d: other.join('') }), hits);
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
