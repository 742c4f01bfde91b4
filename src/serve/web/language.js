// The page's own language: its words, numbers and times.
//
// In: keys of words, figures, moments. Out: strings in Arabic or English. The choice is remembered.

import ar from './words_ar.js';
import en from './words_en.js';

const WORDS = { ar, en };
const KEY = 'rasid.language';

function chosen() {
  const kept = localStorage.getItem(KEY);
  if (kept in WORDS) return kept;
  const wanted = navigator.languages.map((tag) => tag.slice(0, 2)).find((tag) => tag in WORDS);
  return wanted ?? 'ar';
}

let language = chosen();
let formats = {};

function prepare() {
  // Of the reader's own region where the browser names one; always the calendar that the news is dated by.
  const own = navigator.languages.find((tag) => tag.startsWith(`${language}-`)) ?? language;
  const locale = `${own}-u-ca-gregory`;
  formats = {
    number: new Intl.NumberFormat(locale),
    decimal: new Intl.NumberFormat(locale, { maximumFractionDigits: 2 }),
    signed: new Intl.NumberFormat(locale, { maximumFractionDigits: 2, minimumFractionDigits: 2, signDisplay: 'exceptZero' }),
    percent: new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 0 }),
    moment: new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' }),
    exact: new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeStyle: 'long' }),
    clock: new Intl.DateTimeFormat(locale, { hour: 'numeric', minute: '2-digit' }),
    day: new Intl.DateTimeFormat(locale, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' }),
    short: new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short' }),
    shortUtc: new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', timeZone: 'UTC' }),
    ago: new Intl.RelativeTimeFormat(locale, { numeric: 'auto' }),
    plural: new Intl.PluralRules(language),
    list: new Intl.ListFormat(locale, { type: 'conjunction' }),
    bytes: new Intl.NumberFormat(locale, { maximumFractionDigits: 1 }),
    language: new Intl.DisplayNames(locale, { type: 'language' }),
  };
  document.documentElement.lang = language;
  document.documentElement.dir = language === 'ar' ? 'rtl' : 'ltr';
}
prepare();

export const current = () => language;

export function choose(other) {
  language = other;
  localStorage.setItem(KEY, other);
  prepare();
}

/** Words of the page; `{name}` in them takes the value of `name`. Of several forms the one that `n` needs. */
export function t(key, values = {}) {
  let words = WORDS[language][key];
  if (words === undefined) throw new Error(`no words for ${key}`);
  if (typeof words === 'object') words = words[formats.plural.select(values.n ?? 0)] ?? words.other;
  const value = (name) => (typeof values[name] === 'number' ? formats.number.format(values[name]) : values[name]);
  return words.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? value(name) : whole));
}

/** A period that reaches back from now, such as `24h`, in words. */
export const period = (text) => t(text.endsWith('h') ? 'last hours' : 'last days', { n: Number.parseInt(text, 10) });

/** Whether there are words of that key. */
export const has = (key) => key in WORDS[language];

export const number = (n) => formats.number.format(n);
export const decimal = (n) => formats.decimal.format(n);
export const signed = (n) => formats.signed.format(n);
export const percent = (n) => formats.percent.format(n);
export const list = (parts) => formats.list.format(parts);
export const clock = (at) => formats.clock.format(at);
export const day = (at) => formats.day.format(at);
export const moment = (at) => formats.moment.format(at);
export const exact = (at) => formats.exact.format(at);
export const short = (at) => formats.short.format(at);
export const shortUtc = (at) => formats.shortUtc.format(at);

export function languageName(tag) {
  try {
    return formats.language.of(tag);
  } catch {
    return tag;
  }
}

const STEPS = [['year', 31_557_600], ['month', 2_629_800], ['day', 86_400], ['hour', 3_600], ['minute', 60]];

/** How long before or after now, in words. */
export function ago(at) {
  const seconds = (at.getTime() - Date.now()) / 1000;
  const [unit, size] = STEPS.find(([, size]) => Math.abs(seconds) >= size) ?? ['second', 1];
  if (unit === 'second' && Math.abs(seconds) < 45) return t('just now');
  return formats.ago.format(Math.trunc(seconds / size), unit);
}

/** A span such as `15m` or `1h 30m`, or seconds, in words. */
export function span(text) {
  let seconds = 0;
  if (typeof text === 'number') seconds = text;
  else {
    const units = { ms: 0.001, s: 1, m: 60, min: 60, h: 3_600, d: 86_400, w: 604_800 };
    for (const [, n, unit] of String(text).matchAll(/(\d+)\s*([a-z]+)/g)) seconds += Number(n) * (units[unit] ?? 0);
  }
  const [unit, size] = STEPS.find(([, size]) => seconds >= size) ?? ['second', 1];
  const locale = formats.number.resolvedOptions().locale;
  const shown = new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long', maximumFractionDigits: 1 });
  return shown.format(seconds / size);
}

export function bytes(n) {
  const step = ['byte', 'kilobyte', 'megabyte', 'gigabyte'];
  let at = 0;
  let size = n;
  while (size >= 1000 && at < step.length - 1) { size /= 1000; at += 1; }
  const locale = formats.number.resolvedOptions().locale;
  return new Intl.NumberFormat(locale, { style: 'unit', unit: step[at], unitDisplay: 'short', maximumFractionDigits: 1 }).format(size);
}
