// A browser that is watched: what a page may not do is noted, whatever is being tested.
//
// In: the address of a daemon. Out: pages; and every fault: an error on the console, a request that leaves the origin, a
// serious fault of accessibility, a page wider than the screen.

import { createRequire } from 'node:module';
import { mkdirSync, readFileSync } from 'node:fs';
import { chromium } from 'playwright-core';

const require = createRequire(import.meta.url);
const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const SHOTS = process.env.RASID_WEB_SHOTS;

export const base = process.env.RASID_WEB_BASE;
export const faults = [];

/** Routes that another version of the daemon may not have: the page asks, and goes on without. */
const MAY_BE_MISSING = ['/api/v1/search', '/api/v1/stream'];

export async function launch() {
  const args = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage'];
  return chromium.launch({ executablePath: process.env.RASID_CHROMIUM ?? '/usr/bin/chromium', args });
}

export function fault(page, what) {
  const words = `${page.label}: ${what}`;
  faults.push(words);
  console.error(`FAULT ${words}`);
}

export function check(page, holds, what) {
  if (!holds) fault(page, what);
  return holds;
}

/** A page of its own, as somebody of that language and screen would have it. */
export async function open(browser, { label, locale, size, scheme, touch = false }) {
  const context = await browser.newContext({ viewport: size, locale, colorScheme: scheme, hasTouch: touch, reducedMotion: 'reduce' });
  const page = await context.newPage();
  page.label = label;
  page.expected = [];
  page.setDefaultTimeout(120_000);
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(`${base}/`) && !url.startsWith('data:')) fault(page, `a request leaves the origin: ${url.slice(0, 200)}`);
  });
  page.on('console', (message) => {
    if (message.type() !== 'error') return;
    const { url } = message.location();
    const path = url.startsWith(base) ? new URL(url).pathname : url;
    if (/404/.test(message.text()) && MAY_BE_MISSING.includes(path)) return;
    if (page.expected.some((one) => message.text().includes(one.status) && path.includes(one.path))) return;
    fault(page, `on the console: ${message.text()} (${path})`);
  });
  page.on('pageerror', (error) => fault(page, `an error of a script: ${error.stack}`));
  page.on('dialog', (dialog) => { fault(page, `a dialog of a script: ${dialog.message()}`); dialog.dismiss(); });
  return page;
}

/** Goes to a screen of the page, and waits until it stands. */
export async function go(page, hash) {
  await page.goto(`${base}/${hash}`);
  await page.locator('main h1').first().waitFor();
  await settled(page);
}

/** Waits until nothing is loading any more. */
export async function settled(page) {
  await page.waitForFunction(() => !document.querySelector('main .spinner, main [aria-busy="true"]'));
}

/** Looks at the screen as it stands: by the rules of accessibility, and by its width; keeps a picture where asked to. */
export async function look(page, name) {
  if (SHOTS) {
    mkdirSync(SHOTS, { recursive: true });
    await page.screenshot({ path: `${SHOTS}/${name}-${page.label}.png`, fullPage: true });
  }
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => globalThis.axe.run(
    // A drawing is one picture with words of its own.
    { include: [['html']], exclude: [['svg > *']] },
    { resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] },
  ));
  for (const one of violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')) {
    fault(page, `${name}: axe: ${one.id} (${one.impact}): ${one.help}: ${one.nodes.slice(0, 3).map((node) => `${node.target} ${node.any.map((any) => any.message).join('; ')}`).join(' | ')}`);
  }
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  check(page, wider <= 0, `${name}: the page is ${wider} px wider than the screen`);
  const unnamed = await page.evaluate(() => document.body.innerText.match(/\{\w+\}|undefined|\[object|NaN/)?.[0]);
  check(page, !unnamed, `${name}: \`${unnamed}\` is shown`);
}

export async function api(path, options = {}) {
  const response = await fetch(`${base}/api/v1/${path}`, options);
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

/** Whether the daemon has such a route. */
export const has = async (path) => (await fetch(`${base}/api/v1/${path}`)).status !== 404;

/** Asks again until it holds. */
export async function until(page, what, holds) {
  const end = Date.now() + 120_000;
  while (Date.now() < end) {
    if (await holds()) return true;
    await new Promise((done) => { setTimeout(done, 100); });
  }
  fault(page, `waited too long for ${what}`);
  return false;
}
