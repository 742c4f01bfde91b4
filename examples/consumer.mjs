// A consumer in JavaScript, for Node 18 or later, without packages: node consumer.mjs ADDRESS NAME FILE
//
// Writes the title of every item to FILE, once. A token is taken from RASID_TOKEN. Killed at any time and started again, it
// goes on where it stopped: what was dealt with is acknowledged after it was written, and each line has the `seq` of its
// record, so that a record that comes once more is known.
import { appendFileSync, closeSync, existsSync, fsyncSync, openSync, readFileSync, truncateSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const [address, name, path] = process.argv.slice(2);
const consumer = `${address.replace(/\/$/, "")}/api/v1/consumers/${name}`;

const headers = { "Content-Type": "application/json" };
if (process.env.RASID_TOKEN) headers.Authorization = `Bearer ${process.env.RASID_TOKEN}`;

/** What is answered; none where nobody is there, or has no time. */
async function ask(method, url, body) {
  try {
    const answer = await fetch(url, { method, headers, body: body && JSON.stringify(body), signal: AbortSignal.timeout(60_000) });
    if ([429, 502, 503, 504].includes(answer.status)) return undefined;
    return { status: answer.status, body: await answer.text() };
  } catch {
    return undefined;
  }
}

/** The last record in the file. A line without its end was cut off in the middle, and comes again. */
function lastWritten() {
  if (!existsSync(path)) return 0;
  const text = readFileSync(path);
  const whole = text.subarray(0, text.lastIndexOf("\n") + 1);
  truncateSync(path, whole.length);
  const lines = whole.toString().trimEnd().split("\n");
  return lines.at(-1) ? JSON.parse(lines.at(-1)).seq : 0;
}

let last = lastWritten();
const file = openSync(path, "a");
for (;;) {
  const answer = await ask("GET", `${consumer}?limit=100&wait=30s`);
  if (answer === undefined) {
    await sleep(500);
  } else if (answer.status === 404) {
    await ask("PUT", consumer, { from: "beginning", kind: "examples/consumer.mjs" });
  } else if (answer.status !== 200) {
    console.error(answer.body);
    closeSync(file);
    process.exit(1);
  } else {
    const { records, offset, next } = JSON.parse(answer.body);
    const told = records.filter(({ seq }) => seq > last).map(({ seq, kind, item }) => JSON.stringify({ seq, kind, title: item?.title ?? null }));
    if (told.length > 0) appendFileSync(file, `${told.join("\n")}\n`);
    fsyncSync(file);
    last = Math.max(last, next);
    if (next > offset) await ask("POST", `${consumer}/ack`, { seq: next });
  }
}
