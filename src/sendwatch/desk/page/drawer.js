/*
 * One flag, or one breach, in full: why, on what evidence, what every rule says, what people did about it.
 *
 * Belongs here: what is asked for when it opens, and how it is shown. Not here: the form to deal with it (dispose.js).
 *
 * What is known already stands there at once; evidence and the other rules' answers follow as they come. A flag that
 * is corrected meanwhile is seen to be.
 */
import { dispose } from "./dispose.js";
import { h, show } from "./dom.js";
import { shortStamp, stamp } from "./format.js";
import { facts, factsOfSend, fieldName, fieldValue, fields } from "./evidence.js";
import { seal } from "./rows.js";
import { ask } from "./server.js";
import { sentence, state } from "./store.js";
import { said, t } from "./words.js";

const place = () => document.getElementById("drawer");
let open = null; // {kind, id, brief, full, explained, history, failed, explainFailed, form}

/** Open a flag, from whichever list knows it. */
export function openFlag(id, brief) {
  begin({ kind: "flag", id, brief });
  const mine = open;
  ask(`/v1/flags/${encodeURIComponent(id)}`).then(
    (full) => mine === open && arrive({ full, history: full.history ?? [] }),
    (error) => mine === open && arrive({ failed: error }),
  );
  ask("/v1/explain", { flag: id }).then(
    (explained) => mine === open && arrive({ explained }),
    (error) => mine === open && arrive({ explainFailed: error }),
  );
}

/** Open a breach. */
export function openBreach(id, brief) {
  begin({ kind: "breach", id, brief });
  const mine = open;
  ask("/v1/dispositions", { about: id }).then(
    ({ dispositions }) => mine === open && arrive({ history: [...dispositions].reverse() }),
    (error) => mine === open && arrive({ failed: error }),
  );
}

function begin(about) {
  open = { history: null, form: { action: "confirm", state: "ready" }, ...about };
  redrawDrawer();
  if (!place().open) place().showModal();
  place().scrollTop = 0;
}

function arrive(more) {
  Object.assign(open, more);
  redrawDrawer();
}

/** What is open, for the form; null: nothing. */
export function opened() {
  return open;
}

/** Close it; the browser gives the focus back to where it was. */
export function closeDrawer() {
  place().close();
}

export function forgetDrawer() {
  open = null;
}

/** Draw it again, in another language or with news about it. */
export function redrawDrawer() {
  if (!open) return;
  const flag = open.full ?? open.brief;
  const now = (state.flags ?? []).find((each) => each.flag_id === open.id);
  const cleared = (now ?? flag)?.status === "cleared" || flag?.status === "closed";
  show(
    place(),
    h(
      "header",
      { class: "drawer-head" },
      h(
        "h2",
        { id: "drawer-title" },
        flag && seal(flag.severity),
        h("b", { class: "code" }, flag?.rule.split("_")[0]),
        ` ${said(flag?.title)}`,
        cleared && h("em", { class: "tag" }, t("cleared")),
      ),
      h("button", { type: "button", class: "button close", "data-do": "close" }, t("close")),
    ),
    h("p", { class: "why" }, said(flag?.reason)),
    open.kind === "flag" ? aboutFlag(flag) : aboutBreach(flag),
    done(),
    dispose(open),
    open.kind === "flag" && everyRule(),
  );
}

function aboutFlag(flag) {
  const missing =
    open.failed?.status === 403 ? t("needs_analyst") : open.failed && t("failed", { why: sentence(open.failed) });
  return h(
    "div",
    { class: "drawer-facts", "data-key": "about" },
    law(flag.law),
    factsOfSend(flag),
    open.full?.archived && h("p", { class: "note" }, t("archived")),
    open.full?.because && h("p", { class: "note" }, t("because", open.full.because)),
    h("h3", {}, t("evidence")),
    open.full ? fields(open.full.evidence) : h("p", { class: "empty" }, missing || t("loading")),
  );
}

function law(clause) {
  if (!clause) return null;
  return h(
    "p",
    { class: "law" },
    h("span", { class: "dim" }, `${t("clause")} `),
    `${clause.pack} · ${clause.clause}`,
    !clause.checked && h("em", { class: "tag amber" }, t("unchecked")),
  );
}

function aboutBreach(breach) {
  const pairs = (values) =>
    Object.entries(values ?? {}).map(([name, value]) => [fieldName(name), fieldValue(name, value)]);
  return h(
    "div",
    { class: "drawer-facts", "data-key": "about" },
    h("h3", {}, t("subject")),
    facts(
      pairs(breach.subject).map(([name, value], n) => {
        const known = breach.names?.[Object.keys(breach.subject)[n]];
        return [name, known ? `${known} · ${value}` : value];
      }),
    ),
    h("h3", {}, t("measures")),
    facts(pairs(breach.measures)),
    h("h3", {}, t("against")),
    facts(pairs(breach.limit)),
    h("p", { class: "note" }, `${stamp(breach.window.from)} – ${stamp(breach.window.until)}`),
  );
}

function done() {
  const list = open.history;
  return h(
    "section",
    { "data-key": "history", id: "history" },
    h("h3", {}, t("history")),
    list === null && !open.failed && h("p", { class: "empty" }, t("loading")),
    list?.length === 0 && h("p", { class: "empty" }, t("no_history")),
    h("ol", { class: "history" }, (list ?? []).map(deed)),
  );
}

/** What somebody did, as a line. */
export function deed(each) {
  return h(
    "li",
    { "data-key": each.disposition_id, class: "deed" },
    h("b", {}, t(`did_${each.action}`)),
    each.until && ` ${t("until")} ${each.until}`,
    h("span", { class: "dim" }, ` ${each.by} · ${shortStamp(each.made_at)}`),
    h("p", {}, each.why),
  );
}

const TELLING = ["flagged", "undecided", "suppressed", "recipient"];

function everyRule() {
  const { explained, explainFailed } = open;
  const failed =
    explainFailed?.status === 403 ? t("needs_analyst") : explainFailed && t("failed", { why: sentence(explainFailed) });
  return h(
    "section",
    { class: "answers-part", "data-key": "answers", id: "answers" },
    h(
      "h3",
      {},
      t("every_rule"),
      explained && h("span", { class: "note" }, ` · ${t(explained.by === "worker" ? "by_worker" : "by_topics")}`),
    ),
    explained ? answers(explained.answers) : h("p", { class: "empty", role: "status" }, failed || t("explaining")),
    explained &&
      h(
        "details",
        { class: "as-text", "data-key": "text" },
        h("summary", {}, t("as_text")),
        h("pre", { tabindex: 0, "aria-label": t("as_text") }, explained.text),
      ),
    h("p", { class: "note" }, t("logged")),
  );
}

/** Every rule's answer: those that matter, and behind them the others; `quiet`: an outcome that does not matter here. */
export function answers(list, quiet = null) {
  const matters = (each) => TELLING.includes(each.outcome) && each.outcome !== quiet,
    telling = list.filter(matters),
    others = list.filter((each) => !matters(each));
  const order = (one, other) => TELLING.indexOf(one.outcome) - TELLING.indexOf(other.outcome);
  const counted = new Map();
  for (const each of others) counted.set(outcome(each), (counted.get(outcome(each)) ?? 0) + 1);
  return [
    telling.length > 0 && h("ul", { class: "answers" }, telling.sort(order).map(answer)),
    others.length > 0 &&
      h(
        "details",
        { class: "others", "data-key": "others" },
        h("summary", {}, [...counted].map(([words, n]) => `${words} ${n}`).join(" · ")),
        h("ul", { class: "answers" }, others.map(answer)),
      ),
  ];
}

function answer(each) {
  return h(
    "li",
    { class: `answer is-${each.outcome}`, "data-key": each.rule },
    h("b", { class: "code" }, each.rule.split("_")[0]),
    h("span", { class: "row-name" }, said(each.title)),
    h("span", { class: "outcome" }, outcome(each), said(each.reason_words) && `: ${said(each.reason_words)}`),
  );
}

function outcome(each) {
  return each.outcome === "recipient" ? t("per_recipient") : said(each.outcome_words) || each.outcome;
}
