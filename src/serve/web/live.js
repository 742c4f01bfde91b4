// The log as it grows.
//
// In: the position to begin after. Out: every record after it, once and in order, to whoever listens; and how the
// connection is. The stream is read with `fetch`, because an `EventSource` cannot send a token. Where there is no stream
// the log is asked again and again, each time waiting for more.

import { ask, at, get } from './api.js';

const listeners = new Set();
const watchers = new Set();
/** Hidden for so long, the page lets go of its connection, of which a browser has few. */
const PATIENCE = 60_000;
/** Behind by more than this, it is quicker to begin anew. */
const TOO_FAR = 2_000;

let seq = 0;
let state = 'connecting';
let streams = true;
let running = null;
let sleeping = null;

/** Calls `each` with every record, and with `null` where the reader must begin anew. */
export function listen(each) {
  listeners.add(each);
  return () => listeners.delete(each);
}

/** Calls `watch` with the state of the connection, now and when it changes. */
export function watch(each) {
  watchers.add(each);
  each(state);
}

function become(next) {
  if (state === next) return;
  state = next;
  watchers.forEach((each) => each(state));
}

function hand(record) {
  if (record && record.seq <= seq) return;
  if (record) seq = record.seq;
  listeners.forEach((each) => each(record));
}

/** Begins to follow after `position`; once. */
export function start(position) {
  if (running) return;
  seq = position;
  running = new AbortController();
  follow(running.signal);
  document.addEventListener('visibilitychange', () => {
    clearTimeout(sleeping);
    if (document.hidden) {
      sleeping = setTimeout(() => { running.abort(); become('paused'); }, PATIENCE);
    } else if (running.signal.aborted) {
      running = new AbortController();
      follow(running.signal);
    }
  });
}

const pause = (milliseconds, signal) => new Promise((done) => {
  const timer = setTimeout(done, milliseconds);
  signal.addEventListener('abort', () => { clearTimeout(timer); done(); }, { once: true });
});

async function follow(signal) {
  let failures = 0;
  while (!signal.aborted) {
    try {
      await catchUp(signal);
      const reached = () => { failures = 0; become(streams ? 'open' : 'polling'); };
      await (streams ? stream(signal, reached) : poll(signal, reached));
      // Ended by the server, which may be on its way out.
      if (streams) await pause(500 + Math.random() * 500, signal);
    } catch (error) {
      if (signal.aborted) return;
      failures += 1;
      become('down');
      // Twice as long each time, and not all readers at once.
      await pause(Math.min(30_000, 1_000 * 2 ** Math.min(failures, 5)) * (0.5 + Math.random() / 2), signal);
    }
  }
}

/** Begins anew where what was missed is too much, or where the store is another. */
async function catchUp(signal) {
  const { store } = await get('stats', {}, signal);
  if (store.last_seq < seq || store.last_seq - seq > TOO_FAR) {
    seq = store.last_seq;
    hand(null);
  }
}

async function stream(signal, reached) {
  const response = await ask(at('/api/v1/stream', { after: String(seq) }), { signal, headers: { Accept: 'text/event-stream' } });
  const type = response.headers.get('content-type') ?? '';
  if (!response.ok || !type.startsWith('text/event-stream')) {
    await response.body?.cancel();
    if (response.status !== 404 && response.status !== 406) throw new Error(`the stream answers ${response.status}`);
    streams = false;
    return;
  }
  reached();
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  let lines = [];
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    rest += value;
    let end;
    while ((end = rest.search(/\r\n|\n|\r(?=.)/s)) >= 0) {
      const line = rest.slice(0, end);
      rest = rest.slice(end + (rest.startsWith('\r\n', end) ? 2 : 1));
      if (line) lines.push(line);
      else { event(lines); lines = []; }
    }
  }
}

function event(lines) {
  const data = lines.filter((line) => line.startsWith('data:')).map((line) => line.slice(5).replace(/^ /, '')).join('\n');
  if (!data) {
    // Nothing passed, but this is how far the log was read.
    const id = lines.find((line) => line.startsWith('id:'));
    if (id) seq = Math.max(seq, Number.parseInt(id.slice(3), 10) || 0);
    return;
  }
  let record;
  try {
    record = JSON.parse(data);
  } catch {
    return;
  }
  if (typeof record?.seq === 'number' && record.id) hand(record);
}

async function poll(signal, reached) {
  reached();
  for (;;) {
    const reading = await get('log', { after: String(seq), wait: '25s', limit: 200 }, signal);
    reading.records.forEach(hand);
    seq = Math.max(seq, reading.last);
  }
}
