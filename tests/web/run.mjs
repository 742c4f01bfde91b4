// Clicks through the web page of a running daemon, in both languages, on a desktop and on a phone.
//
// In, by the environment: RASID_WEB_BASE (the daemon), RASID_WEB_PRESS (whoever publishes something more),
// RASID_WEB_TOKEN (only what a token needs is tested), RASID_CHROMIUM, RASID_WEB_SHOTS (a folder for pictures).
// RASID_WEB_ONLY (names of tests, with commas). Out: exit code 1 where anything is wrong, and what.

import { faults, fault, launch, open } from './helpers.mjs';
import * as screens from './screens.mjs';

const DESKTOP = { width: 1280, height: 900 };
const PHONE = { width: 390, height: 844 };
const READERS = [
  { label: 'ar-desktop', language: 'ar', locale: 'ar', size: DESKTOP, scheme: 'light' },
  { label: 'ar-phone', language: 'ar', locale: 'ar-EG', size: PHONE, scheme: 'dark', touch: true },
  { label: 'en-desktop', language: 'en', locale: 'en-GB', size: DESKTOP, scheme: 'dark' },
  { label: 'en-phone', language: 'en', locale: 'en-GB', size: PHONE, scheme: 'light', touch: true },
];
const ALL = ['list', 'keyboard', 'item', 'hostile', 'stories', 'volume', 'feeds', 'trial', 'corpus', 'search', 'missing', 'switched', 'live'];

const token = process.env.RASID_WEB_TOKEN;
const wanted = (process.env.RASID_WEB_ONLY ?? '').split(',').filter(Boolean);
const names = token ? ['token'] : ALL.filter((name) => wanted.length === 0 || wanted.includes(name));

const browser = await launch();

async function run(reader, name) {
  const page = await open(browser, reader);
  const began = Date.now();
  try {
    await screens[name](page, name === 'token' ? token : reader.language);
  } catch (error) {
    fault(page, `${name}: ${error.stack}`);
  }
  console.log(`${reader.label} ${name}: ${Date.now() - began} ms`);
  await page.context().close();
}

// Side by side, but for what changes what the others look at.
const [alone, together] = [names.filter((name) => name === 'live'), names.filter((name) => name !== 'live')];
await Promise.all(READERS.map(async (reader) => { for (const name of together) await run(reader, name); }));
for (const reader of READERS) for (const name of alone) await run(reader, name);
await browser.close();
console.log(`${faults.length} faults`);
process.exitCode = faults.length > 0 ? 1 : 0;
