/*
 * Panels of the live view: limits and what comes near them, refusals, and how we do ourselves.
 *
 * Belongs here: which numbers of the summary a panel shows. Not here: their order (live.js), rules and places
 * (panels.js), pictures (charts.js).
 */
import { level } from "./charts.js";
import { h } from "./dom.js";
import { DASH, clock, count, duration, whole } from "./format.js";
import { instead, panel } from "./panels.js";
import { breachRow } from "./rows.js";
import { state } from "./store.js";
import { said, t } from "./words.js";

/** Who is nearest to the limit of complaints, or beyond it. */
export function worst(summary) {
  if (!summary?.counting) return null;
  const listed = summary.complaints.worst.slice(0, 3);
  return h(
    "div",
    { class: "worst" },
    h(
      "ul",
      { class: "rows" },
      listed.map((each) =>
        h(
          "li",
          { class: "row level-row", "data-key": `${each.owner}/${each.port}` },
          h(
            "span",
            { class: "row-name", title: each.port },
            said(each.name) || (each.owner ?? t("unknown")),
            h("span", { class: "dim code" }, ` ${each.port}`),
          ),
          level(each.level),
          h("span", { class: "row-count wide" }, `${Math.round(each.level * 100)}% ${t("of_limit")}`),
        ),
      ),
    ),
    h("p", { class: "note" }, t("trend_note", { n: summary.complaints.least })),
  );
}

export function breaches(summary) {
  const open = summary?.breaches.open ?? [];
  return panel(
    "breaches",
    t("breaches"),
    instead(summary, !open.length, "no_breaches") ??
      h("ul", { class: "rows scroll", "data-rove": "list" }, open.map(breachRow)),
  );
}

export function vane(summary) {
  const found = summary?.vane;
  const lines = !found
    ? []
    : [
        ...found.rising_complaints.map((each) => [
          "vane_complaints",
          each,
          t("vane_rise", { n: each.count, m: each.expected }),
        ]),
        ...found.rising_sends.map((each) => [
          "vane_sends",
          each,
          t("vane_rise", { n: count(each.count, state.language), m: count(each.expected, state.language) }),
        ]),
        ...found.new_signatures.map((each) => [
          "vane_signatures",
          each,
          t("vane_new", { n: count(each.sends, state.language) }),
        ]),
        ...found.new_ports.map((each) => ["vane_ports", each, t("vane_new", { n: count(each.sends, state.language) })]),
      ];
  return panel(
    "vane",
    t("vane"),
    instead(summary, !lines.length, "no_vane") ??
      h(
        "ul",
        { class: "rows" },
        lines
          .slice(0, 6)
          .map(([kind, each, told]) =>
            h(
              "li",
              { class: "row budding", "data-key": `${kind}/${each.subject}` },
              h("span", { class: "tag" }, t(kind)),
              h(
                "span",
                { class: "row-name" },
                each.subject.map((part) => (part === null ? t("unknown") : nameOf(summary, part))).join(" · "),
              ),
              h("span", { class: "row-count wide" }, told, each.promotion && ` · ${each.promotion}`),
            ),
          ),
      ),
  );
}

/** What an owner is called, where any part of the summary says so. */
function nameOf(summary, owner) {
  const known = [
    ...(summary.top.owner ?? []).map((each) => [each.subject, each.name]),
    ...[...summary.optouts.owners, ...summary.complaints.worst].map((each) => [each.owner, each.name]),
  ];
  return said(known.find(([id]) => id === owner)?.[1]) || owner;
}

export function optouts(summary) {
  const found = summary?.optouts;
  return panel(
    "optouts",
    t("optouts"),
    instead(summary, false) ?? [
      h(
        "dl",
        { class: "sums" },
        sum(t("refusals"), found.refusals),
        sum(t("after_one"), found.after_opt_out, "red"),
        sum(t("ignored"), found.ignored, "red"),
      ),
      h(
        "ul",
        { class: "rows" },
        found.owners
          .slice(0, 4)
          .map((each) =>
            h(
              "li",
              { class: "row refusing", "data-key": String(each.owner) },
              h("span", { class: "row-name" }, said(each.name) || (each.owner ?? t("unknown"))),
              h(
                "span",
                { class: "row-count wide" },
                whole(each.after_opt_out),
                each.ignored > 0 && h("b", { class: "seal-text" }, ` · ${t("ignored")} ${each.ignored}`),
              ),
            ),
          ),
      ),
    ],
  );
}

function sum(label, value, tone = "") {
  return h("div", {}, h("dt", {}, label), h("dd", { class: value ? tone : "" }, count(value, state.language)));
}

// -- ourselves ------------------------------------------------------------------------------------------------------

export function pipeline(summary) {
  if (!summary) return panel("pipeline", t("pipeline"), instead(summary, false));
  const { health } = summary,
    { language } = state,
    left = Object.values(health.left_out ?? {}).reduce((all, n) => all + n, 0);
  const waited = health.judged_at ? Math.max(0, (summary.wall_at - health.judged_at) / 1000) : null;
  const since =
    waited === null ? DASH : waited < 3600 ? t("ago", { for: duration(waited, language) }) : clock(health.judged_at);
  const facts = [
    [t("lag"), whole(health.lag)],
    [t("ledger_lag"), whole(health.ledger_lag)],
    [t("judged"), since],
    [t("late_raised"), whole(health.corrections?.raised_late)],
    [t("late_cleared"), whole(health.corrections?.cleared)],
    left > 0 && [t("left_out"), whole(left)],
  ].filter(Boolean);
  return panel("pipeline", t("pipeline"), [
    h(
      "dl",
      { class: "facts" },
      facts.map(([label, value]) => h("div", { "data-key": label }, h("dt", {}, label), h("dd", {}, value))),
    ),
    h(
      "ul",
      { class: "workers", "aria-label": t("workers") },
      (health.workers ?? []).map((each) =>
        h(
          "li",
          {
            class: "worker",
            title: `${t(each.ready ? "ready" : "not_ready")} · ${t("partitions")} ${(each.partitions ?? []).join(" ")}`,
            "data-key": each.name ?? each.address,
          },
          h("span", { class: `dot-state ${each.ready ? "good" : "bad"}`, "aria-hidden": "true" }),
          h("b", {}, each.name ?? each.address),
          h(
            "span",
            { class: "dim" },
            ` ${each.ready ? "" : `${t("not_ready")} · `}${(each.partitions ?? []).join(" ")}`,
          ),
        ),
      ),
    ),
  ]);
}
