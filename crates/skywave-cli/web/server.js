// What both pages ask of the server, and its words as sentences.

/** A response of success, or an Error with the server's own sentence. */
export async function request(url, options = {}) {
  let response;
  try {
    response = await fetch(url, { ...options, signal: AbortSignal.timeout(REQUEST_MS) });
  } catch (error) {
    throw new Error(error.name === 'TimeoutError' ? 'The server does not answer.' : UNREACHABLE);
  }
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({}));
  const text = problem.detail ?? `The server answered ${response.status} ${response.statusText}`;
  const retryAfter = Number(response.headers.get('retry-after'));
  throw Object.assign(new Error(text), { retryAfter, status: response.status });
}

/** The words of an error as a sentence of the page. */
export function sentence(error) {
  const text = error.message || String(error);
  return /[.!?]$/.test(text) ? text : `${text[0].toUpperCase()}${text.slice(1)}.`;
}

/** What a person calls a source: of a path the last part. */
export function sourceName(source) {
  return source === '-' ? 'Standard input' : source.split(/[\\/]/).pop();
}

// ---- Numbers as people read them ------------------------------------------

export const whole = (number) => number?.toLocaleString('en') ?? '–';

/** Seconds, shown in milliseconds. */
export function millis(seconds) {
  return seconds == null ? '–' : `${(seconds * 1000).toFixed(seconds < 0.01 ? 1 : 0)} ms`;
}

/** A share of 1, shown in per cent. */
export function percent(share) {
  return share == null ? '–' : `${(share * 100).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`;
}

export function bitRate(bits) {
  if (bits == null) return '–';
  return bits < 1e6 ? `${(bits / 1000).toFixed(0)} kb/s` : `${(bits / 1e6).toFixed(1)} Mb/s`;
}

/** Seconds as 0:00 or 0:00:00. */
export function duration(time) {
  const seconds = Math.floor(time);
  const padded = (number) => String(number).padStart(2, '0');
  const minutes = Math.floor(seconds / 60);
  return minutes < 60
    ? `${minutes}:${padded(seconds % 60)}`
    : `${Math.floor(minutes / 60)}:${padded(minutes % 60)}:${padded(seconds % 60)}`;
}

const REQUEST_MS = 10_000;
const UNREACHABLE = 'skywave cannot be reached. Is it still running?';
