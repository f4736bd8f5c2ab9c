/*
 * The server's API: one call, one stream.
 *
 * Belongs here: addresses, errors, reconnecting. Not here: what is done with an answer (store.js).
 */

const HEADERS = { "Content-Type": "application/json", "X-Requested-With": "sendwatch" };

/** What the server refused, or that it cannot be reached (`status` 0); the message is a sentence. */
export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** GET an address with parameters; null and empty ones are left out, a list is repeated. */
export function ask(path, parameters = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const each of [value].flat()) if (each !== null && each !== undefined && each !== "") query.append(name, each);
  }
  const written = query.toString();
  return call("GET", written ? `${path}?${written}` : path);
}

/** POST plain values. */
export function tell(path, body) {
  return call("POST", path, body);
}

/** DELETE. */
export function end(path) {
  return call("DELETE", path);
}

async function call(method, path, body) {
  let response;
  try {
    response = await fetch(path, {
      method,
      headers: method === "GET" ? {} : HEADERS,
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "same-origin",
    });
  } catch {
    throw new Refused(0, "");
  }
  if (response.status === 204) return null;
  const value = await response.json().catch(() => null);
  if (!response.ok) throw new Refused(response.status, value?.detail || value?.title || `HTTP ${response.status}`);
  if (value === null) throw new Refused(response.status, "");
  return value;
}

const EVENTS = ["hello", "flags", "breach", "disposition", "pulse", "changed"];
const AGAIN_MS = 2000;

/**
 * Follow the stream: `heard(event, value)` for each event, `lost()` when the connection ends. The browser reconnects
 * by itself, except after an answer that is no stream (a restart behind a proxy): then we do.
 */
export function follow(heard, lost) {
  let source;
  let wanted = true;
  const connect = () => {
    if (!wanted) return;
    source = new EventSource("/v1/stream");
    for (const event of EVENTS) source.addEventListener(event, ({ data }) => heard(event, JSON.parse(data)));
    source.onerror = () => {
      lost();
      if (source.readyState === EventSource.CLOSED) setTimeout(connect, AGAIN_MS);
    };
  };
  connect();
  return () => {
    wanted = false;
    source.close();
  };
}
