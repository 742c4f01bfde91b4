// Every screen, clicked through as a reader would.

import { api, base, check, fault, go, has, look, settled, until } from './helpers.mjs';

const press = process.env.RASID_WEB_PRESS;
const count = (page, selector) => page.locator(selector).count();

/** The list: cards, filters, copies, the way in and back by keyboard. */
export async function list(page, language) {
  await go(page, '#/');
  const root = await page.evaluate(() => [document.documentElement.lang, document.documentElement.dir].join());
  check(page, root === (language === 'ar' ? 'ar,rtl' : 'en,ltr'), `the root says ${root}`);
  check(page, (await count(page, '.card')) > 10, 'there are cards');
  await look(page, 'list');

  const fold = page.locator('.card details.copies').first();
  await fold.locator('summary').click();
  check(page, await fold.locator('li').first().isVisible(), 'copies unfold under their original');

  await page.evaluate(() => { for (const one of document.querySelectorAll('.filters details')) one.open = true; });
  await page.locator('select[name=topic]').selectOption('csto');
  await page.waitForFunction(() => location.hash.includes('topic=csto'));
  await until(page, 'the filter', async () => {
    await settled(page);
    const cards = await count(page, '.card');
    return cards > 0 && cards === await count(page, '.card:has(a.chip[href*="topic=csto"])');
  });
  await page.evaluate(() => { for (const one of document.querySelectorAll('.filters details')) one.open = true; });
  const originals = await count(page, '.card');
  await page.locator('input[name=include]').check();
  await until(page, 'the copies', async () => (await count(page, '.card.copy')) > 0 && (await count(page, '.card')) > originals);
  await look(page, 'list-filtered');
}

export async function keyboard(page) {
  await go(page, '#/');
  const focused = () => page.evaluate(() => document.activeElement.closest('article')?.dataset.id ?? '');
  const ids = await page.locator('.card').evaluateAll((cards) => cards.map((card) => card.dataset.id));
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  check(page, (await focused()) === ids[1], 'j goes to the next item');
  await page.keyboard.press('k');
  check(page, (await focused()) === ids[0], 'k goes back one');
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.waitForFunction((id) => location.hash === `#/item/${id}`, ids[1]);
  await page.locator('.words').waitFor();
  await page.keyboard.press('Escape');
  await page.locator('.card').first().waitFor();
  check(page, (await focused()) === ids[1], 'Esc leads back to the item in the list');
  await page.keyboard.press('?');
  const dialog = page.locator('dialog');
  check(page, await dialog.isVisible(), '? shows the keys');
  await look(page, 'help');
  await page.keyboard.press('Escape');
  check(page, (await dialog.count()) === 0, 'Esc closes the help');
  await page.keyboard.press('/');
  check(page, await page.evaluate(() => document.activeElement.closest('form') !== null), '/ goes to the search or the filters');
  await page.keyboard.press('Escape');
  await page.reload();
  await page.locator('.card').first().waitFor();
  await page.keyboard.press('Tab');
  const skip = await page.evaluate(() => document.activeElement.id);
  if (check(page, skip === 'skip', `Tab begins with the skip link, not with ${skip}`)) {
    await page.keyboard.press('Enter');
    check(page, (await page.evaluate(() => document.activeElement.id)) === 'main', 'the skip link leads to the content');
  }
}

/** An item: the marked words are those of the evidence; its copies stand beside it. */
export async function item(page) {
  const { items } = await api('items?limit=200');
  const one = items.find((item) => item.copies.length > 0 && item.topics.some((topic) => topic.evidence.some((place) => place.field === 'text')));
  if (!one) { fault(page, 'no sample has copies and evidence'); return; }
  await go(page, `#/item/${one.id}`);
  await page.locator('.copylist li').first().waitFor();
  const topic = one.topics[0];
  for (const place of topic.evidence.filter(({ field }) => field === 'text' || field === 'title')) {
    const text = await page.evaluate((n) => {
      const end = document.getElementById(`place-${n}`).closest('.place');
      let node = end;
      let words = '';
      while (node?.classList?.contains('place')) { words = node.querySelector('mark').textContent + words; node = node.previousSibling; }
      return words;
    }, topic.evidence.indexOf(place) + 1);
    check(page, text.endsWith(place.text.replace(/\n/g, '')), `the evidence «${place.text}» is marked as «${text}»`);
  }
  check(page, (await count(page, '.beside tbody tr')) === topic.evidence.length, 'each place has a row');
  await page.locator('.words .ref').first().click();
  check(page, await page.evaluate(() => document.activeElement.id.startsWith('row-')), 'a number leads to its row');
  await page.locator('.copylist button[aria-expanded]').first().click();
  await page.locator('.copylist .sides').first().waitFor();
  const sides = page.locator('.copylist .sides').first().locator('.side');
  check(page, (await sides.count()) === 2, 'two texts stand side by side');
  for (const at of [0, 1]) check(page, (await sides.nth(at).locator('mark.passage').count()) > 0, `the shared passages are marked on side ${at}`);
  await settled(page);
  await look(page, 'item');
  const copy = one.copies[0];
  await go(page, `#/item/${copy.id}`);
  await page.locator('.further .facts').first().waitFor();
  check(page, (await count(page, '.further .compare')) === 1, 'a copy is compared with its original');
  await look(page, 'copy');
}

/** What a hostile feed says is shown as what it says, and does nothing. */
export async function hostile(page) {
  const { items } = await api('items?feed=hostile&include=duplicates');
  check(page, items.length >= 3, `${items.length} hostile items are stored`);
  await go(page, '#/?feed=hostile&include=duplicates');
  check(page, (await count(page, '.card')) === items.length, 'each has a card');
  await look(page, 'hostile-list');
  for (const one of items) {
    await go(page, `#/item/${one.id}`);
    await page.locator('.words').waitFor();
    if (one.text.length < 10_000) await look(page, `hostile-${items.indexOf(one)}`);
    check(page, await page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth), 'nothing is wider than the screen');
    const found = await page.evaluate(() => ({
      hacked: globalThis.hacked,
      tricks: /[\u202a-\u202e\u2066-\u2069]/.test(document.body.textContent),
      foreign: [...document.querySelectorAll('main script, main img, main iframe, main svg, main style, main object')].length,
      links: [...document.querySelectorAll('a')].map((a) => a.protocol).filter((p) => !['http:', 'https:'].includes(p)),
      rel: [...document.querySelectorAll('a[target=_blank]')].filter((a) => a.rel !== 'noopener noreferrer nofollow').length,
      handlers: [...document.querySelectorAll('*')].filter((e) => [...e.attributes].some((a) => a.name.startsWith('on'))).length,
    }));
    check(page, !found.hacked && !found.tricks && !found.foreign && !found.links.length && !found.rel && !found.handlers, `of «${one.title.slice(0, 40)}»: ${JSON.stringify(found)}`);
  }
  const long = items.find((one) => one.text.length > 90_000);
  if (check(page, long, 'a text of 100 kB is stored')) {
    await go(page, `#/item/${long.id}`);
    const shown = await page.locator('.words .text').innerText();
    check(page, shown.replace(/\s/g, '').length > 75_000, `the long text is shown whole, not ${shown.length} characters of it`);
  }
  const script = items.find((one) => one.title.includes('<script') && one.text.includes('</script>'));
  if (check(page, script, 'an item with markup in it is stored')) {
    await go(page, `#/item/${script.id}`);
    await page.locator('.words').waitFor();
    check(page, (await page.locator('h1').innerText()).includes('<script'), 'markup in a title is shown as its characters');
    check(page, (await page.locator('.words').innerText()).includes('<img src=x onerror='), 'markup in a text is shown as its characters');
  }
}

export async function stories(page) {
  await go(page, '#/stories');
  await page.locator('.card').first().waitFor();
  await look(page, 'stories');
  await page.locator('.card a.title').first().click();
  await page.locator('.timeline').waitFor();
  check(page, (await count(page, '.timeline > li:not(.day)')) > 1, 'a story has several reports');
  const times = await page.locator('.timeline > li:not(.day) > .meta time').evaluateAll((all) => all.map((time) => time.dateTime));
  check(page, times.join() === [...times].sort().join(), 'they stand in the order of time');
  await look(page, 'story');
}

export async function volume(page) {
  for (const by of ['topic', 'feed']) {
    await go(page, `#/volume?by=${by}&range=48h`);
    await page.locator('.grid svg').first().waitFor();
    await page.locator('.figures summary').click();
    const whole = await api('volume?by=all&bucket=hour');
    const rows = await page.locator('.figures tbody tr td:nth-child(2)').evaluateAll((cells) => cells.map((cell) => cell.textContent.replace(/[٠-٩]/g, (d) => '٠١٢٣٤٥٦٧٨٩'.indexOf(d))));
    const sum = rows.reduce((all, n) => all + Number(n), 0);
    check(page, sum === whole.series[0].total, `the table of ${by} adds up to ${sum}, and there are ${whole.series[0].total}`);
    check(page, /M.+M/.test(await page.locator('.whole path.items').getAttribute('d')), 'the chart has bars');
    await look(page, `volume-${by}`);
  }
  await page.locator('select[name=range]').selectOption('7d');
  await page.waitForFunction(() => location.hash.includes('range=7d'));
  await settled(page);
}

export async function feeds(page) {
  await go(page, '#/feeds');
  await page.locator('.feedrow').first().waitFor();
  check(page, (await count(page, '.feedrow.failing .fault')) > 0, 'a source that fails says why');
  await look(page, 'feeds');
  await page.locator('.feedrow.failing a.title').first().click();
  await page.locator('.trouble').waitFor();
  check(page, (await count(page, 'tbody tr')) > 0, 'its polls are listed');
  await look(page, 'feed');
}

export async function trial(page) {
  let tried = null;
  page.on('response', async (response) => { if (response.url().endsWith('/topics/try')) tried = await response.json().catch(() => null); });
  await go(page, '#/try');
  await look(page, 'trial-empty');
  await page.locator('#query').pressSequentially('(كازاخستان:g OR', { delay: 20 });
  await page.locator('.wrong mark').first().waitFor();
  check(page, (await page.locator('#query').getAttribute('aria-invalid')) === 'true', 'a wrong query is marked as wrong');
  await look(page, 'trial-wrong');
  await page.locator('#query').pressSequentially(' روسيا:g)', { delay: 20 });
  await page.locator('.cards .card mark.for').first().waitFor();
  check(page, (await count(page, '.wrong')) === 0, 'a right one has no faults');
  await settled(page);
  await look(page, 'trial');
  const found = async () => tried && tried.matched > 0 && (await count(page, '.cards .card')) === tried.matches.length;
  await until(page, 'all that was found to be shown', found);
}

export async function corpus(page) {
  await go(page, '#/corpus');
  await settled(page);
  check(page, (await page.locator('section:first-of-type .copylist').innerText()).includes('افتتاح السوق القديم'), 'what was published of a document is listed');
  await page.locator('main textarea').fill('نص لا علاقة له بأي وثيقة في المدونة المرجعية على الإطلاق، كُتب للاختبار وحده.');
  await page.locator('main form button[type=submit]').click();
  await page.locator('section:nth-of-type(2) .state.empty').waitFor();
  await page.locator('section:last-of-type details summary').first().click();
  check(page, (await count(page, '.documents li')) > 0, 'the documents are listed');
  await look(page, 'corpus');
}

export async function search(page) {
  await go(page, '#/');
  if (!(await has('search?q=x'))) {
    check(page, (await count(page, '#search')) === 0, 'without a search there is no field for it');
    return;
  }
  await page.locator('#search').fill('كازاخستان');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => location.hash.includes('q='));
  await until(page, 'what the search found', async () => (await count(page, '.card mark.found')) > 0);
  await look(page, 'search');
}

/** Something is published while the page is looked at. */
export async function live(page) {
  await go(page, '#/');
  await page.waitForFunction(() => ['open', 'polling'].includes(document.getElementById('live').dataset.state));
  const publish = async () => {
    const title = await (await fetch(`${press}/more`)).text();
    await api('feeds/live/poll', { method: 'POST' });
    return title;
  };
  await page.evaluate(() => { document.activeElement.blur(); scrollTo(0, 0); globalThis.kept = true; });
  const first = await publish();
  await page.locator('.card a.title', { hasText: first }).waitFor();
  await until(page, 'the announcement', async () => (await page.locator('#announce').textContent()) !== '');
  // Somebody who reads further down is not disturbed.
  await page.evaluate(() => scrollTo(0, 1_200));
  await page.waitForFunction(() => scrollY > 200);
  const second = await publish();
  const button = page.locator('button.fresh');
  await button.waitFor();
  check(page, (await page.locator('.card a.title', { hasText: second }).count()) === 0, 'what is new waits behind a button');
  await button.click();
  await page.locator('.card a.title', { hasText: second }).waitFor();
  check(page, await page.evaluate(() => globalThis.kept === true), 'the page was not loaded again');
  await look(page, 'live');
}

/** The other language, remembered. */
export async function switched(page, language) {
  const other = language === 'ar' ? 'en' : 'ar';
  await go(page, '#/feeds');
  await page.locator('#language').click();
  await page.waitForFunction((lang) => document.documentElement.lang === lang && document.documentElement.dir === (lang === 'ar' ? 'rtl' : 'ltr'), other);
  await page.reload();
  await page.locator('main h1').waitFor();
  check(page, (await page.evaluate(() => document.documentElement.lang)) === other, 'the language is remembered');
  await page.locator('#language').click();
  await page.waitForFunction((lang) => document.documentElement.lang === lang, language);
}

/** What is not there says so. */
export async function missing(page) {
  const nothing = 'f'.repeat(32);
  page.expected.push({ status: '404', path: nothing });
  await go(page, '#/').then(() => page.goto(`${base}/#/item/${nothing}`));
  await page.locator('.state.failed').waitFor();
  await look(page, 'missing');
  await page.goto(`${base}/#/?topic=no-such-topic`);
  await page.locator('.state.empty').waitFor();
  await look(page, 'empty');
}

/** A daemon that wants a token. */
export async function token(page, right) {
  page.expected.push({ status: '401', path: '/api/v1/' });
  await page.goto(`${base}/`);
  await page.locator('dialog input').waitFor();
  await look(page, 'token');
  await page.locator('dialog input').fill('wrong');
  await page.keyboard.press('Enter');
  await page.locator('dialog strong').waitFor();
  await page.locator('dialog input').fill(right);
  await page.keyboard.press('Enter');
  await page.locator('.card').first().waitFor();
  check(page, (await page.locator('dialog').count()) === 0, 'it is asked for once');
  await page.waitForFunction(() => ['open', 'polling'].includes(document.getElementById('live').dataset.state));
  page.expected = [];
  await page.reload();
  await page.locator('.card').first().waitFor();
  check(page, (await page.locator('dialog').count()) === 0, 'it is kept in the tab');
}
