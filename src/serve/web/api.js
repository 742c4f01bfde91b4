// Questions to `/api/v1`.
//
// In: paths, parameters. Out: answers, or a [`Problem`]. Where a token is needed the reader is asked for it once; it is
// kept for this tab alone, and goes to this server only.

const KEY = 'rasid.token';

/** What went wrong, as the server says it (RFC 9457). */
export class Problem extends Error {
  constructor(status, document) {
    super(document?.detail ?? document?.title ?? '');
    this.status = status;
    this.kind = String(document?.type ?? '').split(':').pop();
    this.document = document ?? {};
  }
}

export const token = () => sessionStorage.getItem(KEY);

let askReader = async () => null;
/** Sets who asks the reader for a token: gets whether one was refused, gives the token or nothing. */
export function whoAsks(ask) {
  askReader = ask;
}

let asking = null;
/** One token for all who need one at the same time. */
function newToken(refused) {
  if (token() !== refused) return Promise.resolve(true);
  asking ??= askReader(refused !== null).then((given) => {
    asking = null;
    if (given) sessionStorage.setItem(KEY, given);
    return Boolean(given);
  });
  return asking;
}

/** The answer as it comes, with the token; asks for one where it is needed. */
export async function ask(path, options = {}) {
  for (;;) {
    const sent = token();
    const headers = { Accept: 'application/json', ...options.headers };
    if (sent) headers.Authorization = `Bearer ${sent}`;
    const response = await fetch(path, { cache: 'no-store', ...options, headers });
    if (response.status !== 401) return response;
    if (!(await newToken(sent))) return response;
    options.signal?.throwIfAborted();
  }
}

async function read(response) {
  const type = response.headers.get('content-type') ?? '';
  const document = type.includes('json') ? await response.json() : null;
  if (!response.ok) throw new Problem(response.status, document);
  return document;
}

/** The path with the parameters that have a value. */
export function at(path, parameters = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== null && value !== undefined && value !== '' && value !== false) query.set(name, value);
  }
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

export async function get(path, parameters = {}, signal = undefined) {
  return read(await ask(at(`/api/v1/${path}`, parameters), { signal }));
}

export async function post(path, body, signal = undefined) {
  const headers = { 'Content-Type': 'application/json' };
  return read(await ask(`/api/v1/${path}`, { method: 'POST', headers, body: JSON.stringify(body), signal }));
}

/** As [`get`], or `null` where there is no such thing. */
export async function find(path, parameters = {}, signal = undefined) {
  try {
    return await get(path, parameters, signal);
  } catch (problem) {
    if (problem instanceof Problem && problem.status === 404) return null;
    throw problem;
  }
}
