// The words of the page: both languages have the same, each form of a counted word is there, and what the screens ask
// for exists.
//
// Out: exit code 1 where anything is missing, and what.

import { readFileSync, readdirSync } from 'node:fs';

const folder = new URL('../../src/serve/web/', import.meta.url);
// By their text: the folder has no package that would say that these are modules.
const read = (file) => readFileSync(new URL(file, folder), 'utf8');
const load = async (file) => (await import(`data:text/javascript,${encodeURIComponent(read(file))}`)).default;
const words = { ar: await load('words_ar.js'), en: await load('words_en.js') };
const FORMS = { ar: ['zero', 'one', 'two', 'few', 'many', 'other'], en: ['one', 'other'] };
const wrong = [];

const names = (text) => [...new Set([...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name))].filter((name) => name !== 'n').sort().join();
for (const [language, own] of Object.entries(words)) {
  const other = words[language === 'ar' ? 'en' : 'ar'];
  for (const [key, value] of Object.entries(own)) {
    if (!(key in other)) wrong.push(`${key}: only in ${language}`);
    else if (typeof value !== typeof other[key]) wrong.push(`${key}: counted in one language only`);
    else if (typeof value === 'string' && names(value) !== names(other[key])) wrong.push(`${key}: other values in each language`);
    if (typeof value === 'object' && FORMS[language].join() !== Object.keys(value).join()) wrong.push(`${key}: the forms of ${language} are ${FORMS[language]}`);
  }
}
let asked = 0;
for (const file of readdirSync(folder).filter((file) => file.endsWith('.js') && !file.startsWith('words'))) {
  const text = read(file);
  const keys = [...text.matchAll(/\bt\('([^']+)'/g)].map(([, key]) => key);
  const choices = [...text.matchAll(/\bt\([^'`()]*\? '([^']+)' : '([^']+)'/g)].flatMap(([, a, b]) => [a, b]);
  for (const key of [...keys, ...choices]) {
    asked += 1;
    if (!(key in words.en)) wrong.push(`${file}: asks for \`${key}\``);
  }
}
if (asked < 100) wrong.push(`only ${asked} words are asked for: the screens were not found`);
wrong.forEach((one) => console.error(one));
console.log(`${asked} words, ${wrong.length} faults`);
process.exitCode = wrong.length > 0 ? 1 : 0;
