/*
 * 事后: everything that was found and is still kept here, to be found again and dealt with.
 *
 * Belongs here: filters, the list page by page, what was done lately. Not here: dealing with one (dispose.js).
 */
import { h } from "./dom.js";
import { deed } from "./drawer.js";
import { percent, stamp, whole } from "./format.js";
import { TILES, provinceName } from "./provinces.js";
import { breachRow, flagRow } from "./rows.js";
import { ask } from "./server.js";
import { changed, sentence, state } from "./store.js";
import { said, t } from "./words.js";

const PAGE = 50;
const CHOICES = {
  severity: ["critical", "high", "medium", "low"],
  carrier: ["CMCC", "CUCC", "CTCC", "CBN"],
  disposed: ["none", "confirm", "dismiss", "except", "suspend", "appeal"],
  status: ["raised", "all", "cleared"],
};
const after = {
  filter: {},
  flags: null,
  total: 0,
  next: null,
  since: null,
  failed: null,
  asked: false,
  exceptions: null,
  deeds: null,
};

/** A flag that this view knows. */
export function knownAfter(id) {
  return after.flags?.find((each) => each.flag_id === id);
}

/** The view was opened, with what is filtered elsewhere. */
export function enterAfter() {
  after.filter = { ...state.filter };
  find();
  ask("/v1/exceptions").then(
    ({ exceptions }) => keep({ exceptions }),
    () => {},
  );
  ask("/v1/dispositions", { limit: 12 }).then(
    ({ dispositions }) => keep({ deeds: dispositions }),
    () => {},
  );
}

function keep(more) {
  Object.assign(after, more);
  changed();
}

/** A disposition was made: show it, and what it changed. */
export function heardDisposition(made) {
  const deeds =
    after.deeds && [made, ...after.deeds.filter((each) => each.disposition_id !== made.disposition_id)].slice(0, 12);
  const flags =
    after.flags?.map((flag) => (made.about.id === flag.flag_id ? { ...flag, disposition: made } : flag)) ?? null;
  keep({ deeds, flags });
  if (made.action === "except")
    ask("/v1/exceptions").then(
      ({ exceptions }) => keep({ exceptions }),
      () => {},
    );
}

/** A filter was changed. */
export function setAfter(name, value) {
  if (value) after.filter = { ...after.filter, [name]: value };
  else delete after.filter[name];
  find();
}

export function clearAfter() {
  after.filter = {};
  document.getElementById("find")?.reset();
  find();
}

export async function more() {
  await find(after.next);
}

async function find(cursor = null) {
  const wanted = (after.filter = { ...after.filter });
  if (!cursor) keep({ flags: null, failed: null });
  try {
    const found = await ask("/v1/flags", { ...wanted, limit: PAGE, cursor });
    if (after.filter !== wanted) return;
    keep({
      flags: cursor ? [...(after.flags ?? []), ...found.flags] : found.flags,
      total: found.total,
      next: found.next,
      since: found.since,
      failed: null,
    });
  } catch (error) {
    if (after.filter === wanted) keep({ failed: sentence(error) });
  }
}

/** The whole view. */
export function afterwards() {
  return h(
    "div",
    { class: "after", "data-key": "after" },
    h(
      "section",
      { class: "panel cases", "aria-labelledby": "after-title" },
      h("header", { class: "panel-head" }, h("h1", { id: "after-title" }, t("after_long"))),
      finder(),
      list(),
    ),
    h("div", { class: "beside" }, open(), done(), precision(), exceptions()),
  );
}

function finder() {
  const rules = state.summary?.rules ?? [];
  return h(
    "form",
    { class: "finder", id: "find", "data-submit": "find", "aria-label": t("find") },
    pick(
      "disposed",
      t("disposed"),
      CHOICES.disposed.map((each) => [each, each === "none" ? t("d_none") : t(`did_${each}`)]),
    ),
    pick(
      "rule",
      t("rule"),
      rules.map((each) => [each.rule, `${each.rule.split("_")[0]} ${said(each.title)}`]),
    ),
    pick(
      "severity",
      t("severity"),
      CHOICES.severity.map((each) => [each, t(each)]),
    ),
    pick(
      "carrier",
      t("carrier"),
      CHOICES.carrier.map((each) => [each, each]),
    ),
    pick(
      "province",
      t("province"),
      [...TILES].sort((a, b) => a.code - b.code).map(({ code }) => [code, provinceName(code, state.language)]),
    ),
    typed("owner", t("owner")),
    typed("signature", t("signature")),
    typed("port", t("port")),
    pick(
      "status",
      t("status"),
      [
        ["raised", t("raised")],
        ["all", t("both")],
        ["cleared", t("cleared")],
      ],
      false,
    ),
    h("button", { type: "button", class: "button", "data-do": "clear" }, t("clear")),
  );
}

function pick(name, label, choices, any = true) {
  const chosen = after.filter[name] ?? "";
  return h(
    "label",
    { class: "field", "data-key": name },
    h("span", {}, label),
    h(
      "select",
      { name, "data-change": "find" },
      any && h("option", { value: "", "data-key": "any" }, t("all")),
      choices.map(([value, words]) => h("option", { value, "data-key": value, selected: value === chosen }, words)),
    ),
  );
}

function typed(name, label) {
  return h(
    "label",
    { class: "field", "data-key": name },
    h("span", {}, label),
    h("input", { name, type: "search", value: after.filter[name] ?? "", "data-change": "find" }),
  );
}

function list() {
  if (after.failed) return h("p", { class: "problem", role: "alert" }, t("failed", { why: after.failed }));
  if (!after.flags) return h("p", { class: "empty", role: "status" }, t("loading"));
  return [
    h(
      "p",
      { class: "note", role: "status" },
      t("found", { n: whole(after.total) }),
      after.since && ` · ${t("kept_since", { at: stamp(after.since) })}`,
    ),
    after.flags.length
      ? h(
          "ol",
          { class: "flags", "data-rove": "list" },
          after.flags.map((flag) => h("li", { "data-key": flag.flag_id }, flagRow(flag))),
        )
      : h("p", { class: "empty" }, t("no_flags")),
    after.next && h("button", { type: "button", class: "button", "data-do": "more" }, t("more")),
  ];
}

function side(id, title, empty, words, content) {
  return h(
    "section",
    { class: "panel", "data-key": id, "aria-labelledby": `${id}-title` },
    h("header", { class: "panel-head" }, h("h2", { id: `${id}-title` }, title)),
    empty ? h("p", { class: "empty" }, words) : content,
  );
}

function open() {
  const found = state.summary?.breaches.open;
  return side(
    "open",
    t("breaches"),
    !found?.length,
    found ? t("no_breaches") : t("loading"),
    h("ul", { class: "rows", "data-rove": "list" }, (found ?? []).map(breachRow)),
  );
}

function done() {
  const deeds = after.deeds;
  return side(
    "done",
    t("done"),
    !deeds?.length,
    deeds ? t("nothing") : t("loading"),
    h(
      "ol",
      { class: "history" },
      (deeds ?? []).map((each) =>
        h(
          "li",
          { "data-key": each.disposition_id },
          h("b", { class: "code" }, each.rule.split("_")[0]),
          " ",
          h("ol", {}, deed(each)),
        ),
      ),
    ),
  );
}

function precision() {
  const judged = (state.summary?.precision ?? []).filter((each) => each.precision !== null);
  return side(
    "precision",
    t("precision"),
    !judged.length,
    t("nobody_judged"),
    h(
      "ul",
      { class: "rows" },
      judged.map((each) =>
        h(
          "li",
          { class: "row precision-row", "data-key": each.rule },
          h("b", { class: "code" }, each.rule.split("_")[0]),
          h("span", { class: "row-name" }, t("precision_row", { n: each.confirmed, m: each.dismissed })),
          h(
            "span",
            { class: "row-count wide" },
            percent(each.precision),
            h("span", { class: "dim" }, ` ${percent(each.low)}–${percent(each.high)}`),
          ),
        ),
      ),
    ),
  );
}

function exceptions() {
  const standing = (after.exceptions ?? []).filter((each) => !each.expired);
  return side(
    "exceptions",
    t("exceptions"),
    !standing.length,
    t("no_exceptions"),
    h(
      "ul",
      { class: "rows" },
      standing.map((each) =>
        h(
          "li",
          { class: "row exception", "data-key": each.disposition_id },
          h("b", { class: "code" }, each.rule.split("_")[0]),
          h("span", { class: "row-name" }, each.signature ?? each.owner),
          h("span", { class: "row-count wide" }, `${t("until")} ${each.until} · ${each.by}`),
          h("p", { class: "note" }, each.why),
        ),
      ),
    ),
  );
}
