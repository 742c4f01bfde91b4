// Elements made of text, never of markup.
//
// In: names, properties, texts of strangers. Out: nodes. What a feed says reaches the page as text nodes only, without
// the characters that turn a line around, and isolated from what stands beside it.

// Overrides, embeddings and isolates of directions; control characters but the tab and the line feed; tags; what is
// invisible and joins nothing. Marks that only hint at a direction (LRM, RLM, ALM) and the joiners stay.
const UNWANTED =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u200b\u2028\u2029\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu;
const TRICKS = /[\u202a-\u202e\u2066-\u2069]|[\u{e0000}-\u{e007f}]/gu;

/** `text` without what is not meant to be seen. */
export function clean(text) {
  return String(text ?? '').replace(UNWANTED, '');
}

/** How many characters of `text` turn directions around or hide something. */
export function tricks(text) {
  return (String(text ?? '').match(TRICKS) ?? []).length;
}

/** The first `most` characters, on one line. */
export function shortened(text, most) {
  const line = clean(text).replace(/\s+/g, ' ').trim();
  const characters = Array.from(line.slice(0, most * 2 + 2));
  return characters.length > most ? `${characters.slice(0, most).join('').trimEnd()}…` : line;
}

function add(parent, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    parent.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return parent;
}

/** An element. `properties`: attributes, `on…` listeners, `class`; `true` is an empty attribute, `false` and `null` none. */
export function h(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === 'function') element.addEventListener(key.slice(2), value);
    else if (key === 'value') element.value = value;
    else if (key === 'checked') element.checked = value;
    else element.setAttribute(key, value === true ? '' : String(value));
  }
  return add(element, children);
}

const SVG = 'http://www.w3.org/2000/svg';

/** As [`h`], of a drawing. */
export function svg(name, properties = {}, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(properties)) {
    if (value !== null && value !== undefined && value !== false) element.setAttribute(key, String(value));
  }
  return add(element, children);
}

/** A stranger's text within a line of ours. */
export function bdi(text, properties = {}) {
  return h('bdi', properties, clean(text));
}

/** Puts `children` in place of all that `parent` holds. */
export function fill(parent, ...children) {
  parent.replaceChildren();
  return add(parent, children);
}

/** Whether the address leads to a page, and nowhere else. */
export function isWeb(address) {
  if (typeof address !== 'string' || !URL.canParse(address)) return false;
  return ['http:', 'https:'].includes(new URL(address).protocol);
}

/** A link to a page of a stranger; its words alone where the address is none of a page. */
export function outside(address, words, properties = {}) {
  const shown = words instanceof Node ? words : bdi(words);
  if (!isWeb(address)) return h('span', {}, shown);
  const rel = 'noopener noreferrer nofollow';
  return h('a', { ...properties, href: address, rel, target: '_blank', referrerpolicy: 'no-referrer' }, shown);
}

/** The host of an address, to be shown. */
export function host(address) {
  return isWeb(address) ? new URL(address).host : '';
}

let announcing;
/** Says something to whoever hears the page instead of seeing it. */
export function announce(text) {
  const place = document.getElementById('announce');
  place.textContent = '';
  clearTimeout(announcing);
  announcing = setTimeout(() => { place.textContent = text; }, 150);
}
