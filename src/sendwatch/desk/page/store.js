/*
 * What the page knows: the last summary, the flags that came since, whether news still comes, what is filtered.
 *
 * Belongs here: the state and how events change it. Not here: drawing. Whoever changes it calls `changed`.
 */
import { Refused, ask, follow } from "./server.js";

const LATEST = 60;
const STALE_MS = 6000,
  LOST_MS = 2500;
const EVERY_MS = 30_000;
const SOON_MS = 700;
export const FILTERS = ["rule", "severity", "carrier", "province", "owner", "signature", "port", "sp"];

export const state = {
  language: document.documentElement.lang.startsWith("zh") ? "zh" : "en",
  theme: document.documentElement.dataset.theme,
  view: "live",
  window: "1d",
  measure: "flagged", // what the map shows: flagged, share, undecided
  me: null,
  summary: null,
  failure: null, // why there is no summary, as a sentence
  connected: false,
  heardAt: 0, // this machine's clock
  flags: null, // newest first; null: not yet asked
  flagsFailed: null,
  filter: {},
  held: false, // somebody reads the list: it stands still
  waiting: [],
  fresh: new Set(), // which came with the last news
};

let redraw = () => {};
let tellDisposition = () => {};

/** Draw again whenever anything changed. */
export function whenChanged(draw) {
  redraw = draw;
}

/** Hear of every disposition that anybody makes. */
export function whenDisposed(listen) {
  tellDisposition = listen;
}

export function changed() {
  redraw();
}

/** Since when (ms, this machine's clock) nothing was heard; null: news is fresh, or none was ever heard. */
export function staleSince(now) {
  return state.heardAt && now - state.heardAt > (state.connected ? STALE_MS : LOST_MS) ? state.heardAt : null;
}

/** Ask who we are; then, if we may, for everything. */
export async function begin() {
  try {
    state.me = await ask("/v1/me");
  } catch (error) {
    state.failure = error.message;
    changed();
    setTimeout(begin, 2000);
    return;
  }
  state.failure = null;
  changed();
  if (state.me.role === null) return;
  follow(hear, lose);
  await Promise.all([refresh(), refreshFlags()]);
  setInterval(refresh, EVERY_MS);
}

let asking = null;

/** Fetch the summary for the window that is chosen; of several wishes at once the last is heeded. */
export async function refresh() {
  const mine = (asking = Symbol("summary"));
  try {
    const summary = await ask("/v1/summary", { window: state.window });
    if (asking !== mine) return;
    state.summary = summary;
    state.failure = null;
  } catch (error) {
    if (asking !== mine) return;
    state.failure = sentence(error);
    if (error.status === 401) state.me = { ...state.me, role: null };
  }
  changed();
}

let soon = null;

/** The same in a moment, once for all that happens until then. */
function refreshSoon() {
  soon ??= setTimeout(() => {
    soon = null;
    refresh();
  }, SOON_MS);
}

/** Fetch the latest flags that the filter lets through. */
export async function refreshFlags() {
  const wanted = state.filter;
  try {
    const { flags } = await ask("/v1/flags", { ...wanted, limit: LATEST });
    if (state.filter !== wanted) return;
    state.flags = flags;
    state.waiting = [];
    state.flagsFailed = null;
  } catch (error) {
    if (state.filter !== wanted) return;
    state.flagsFailed = sentence(error);
  }
  changed();
}

/** Let the list show only what has this value, or (the same again, or null) everything. */
export function filterBy(name, value) {
  const { [name]: before, ...others } = state.filter;
  state.filter = value === null || before === value ? others : { ...others, [name]: value };
  state.flags = null;
  changed();
  refreshFlags();
}

/** Stand still while somebody reads, and catch up afterwards. */
export function hold(held) {
  if (state.held === held) return;
  state.held = held;
  if (!held && state.waiting.length) {
    take(state.waiting);
    state.waiting = [];
  }
  changed();
}

/** What went wrong as a sentence; the server's own are in English. */
export function sentence(error) {
  if (error instanceof Refused) return error.message || "unreachable";
  return String(error.message ?? error);
}

function lose() {
  state.connected = false;
  changed();
}

function hear(event, value) {
  const again = !state.connected && state.heardAt > 0;
  state.connected = true;
  state.heardAt = Date.now();
  if (event === "hello" && again) {
    refresh();
    refreshFlags();
  } else if (event === "pulse" && state.summary) {
    state.summary = beat(state.summary, value);
  } else if (event === "flags") {
    const fitting = value.flags.filter(fits);
    if (state.held) state.waiting.push(...fitting);
    else take(fitting);
  } else if (event === "disposition") {
    dispose(value);
  } else if (event === "changed" || event === "breach") {
    refreshSoon();
  }
  changed();
}

/** A summary with what a pulse knows better. */
function beat(summary, pulse) {
  const day = state.window === "1d" ? (pulse.flags_by_rule_1d ?? {}) : {};
  return {
    ...summary,
    at: pulse.at,
    wall_at: pulse.wall_at,
    counting: pulse.counting,
    rates: pulse.rates,
    totals: { ...summary.totals, ...pulse.totals },
    coverage: { ...summary.coverage, ...pulse.coverage },
    health: pulse.health ?? summary.health,
    breaches: { ...summary.breaches, by_rule: pulse.open_breaches ?? summary.breaches.by_rule },
    rules: summary.rules.map((rule) => (rule.rule in day ? { ...rule, flags: day[rule.rule] } : rule)),
  };
}

function take(flags) {
  const known = new Map((state.flags ?? []).map((flag) => [flag.flag_id, flag]));
  for (const flag of flags) {
    if (flag.status === "cleared" && !known.has(flag.flag_id)) continue;
    if (flag.status !== "cleared") known.delete(flag.flag_id); // newest change first; one that is cleared stays in place
    known.set(flag.flag_id, flag);
  }
  const order = [...known.values()];
  const fresh = flags.filter((flag) => flag.status !== "cleared").map((flag) => flag.flag_id);
  const isFresh = new Set(fresh);
  if (fresh.length) state.fresh = isFresh;
  state.flags = [
    ...order.filter((flag) => isFresh.has(flag.flag_id)).reverse(),
    ...order.filter((flag) => !isFresh.has(flag.flag_id)),
  ].slice(0, LATEST);
}

function dispose(disposition) {
  tellDisposition(disposition);
  const { kind, id } = disposition.about;
  if (kind !== "flag" || !state.flags) return;
  state.flags = state.flags.map((flag) => (flag.flag_id === id ? { ...flag, disposition } : flag));
}

function fits(flag) {
  return Object.entries(state.filter).every(([name, value]) => {
    if (name === "rule" || name === "severity") return flag[name] === value;
    return name === "port" ? flag.send.port.startsWith(value) : flag.send[name] === value;
  });
}
