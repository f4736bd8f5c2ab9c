/*
 * 事中: what is being sent, and what is wrong with it, on one screen.
 *
 * Belongs here: the order of the panels on it, figures and the stream of flags. Not here: the other panels (panels.js),
 * a flag in full (drawer.js).
 */
import { bar, river, trend } from "./charts.js";
import { h } from "./dom.js";
import { count, duration, perMille, percent, rate } from "./format.js";
import { breaches, optouts, pipeline, vane, worst } from "./limits.js";
import { china, panel, rules, tops } from "./panels.js";
import { chip, flagRow } from "./rows.js";
import { state } from "./store.js";
import { t } from "./words.js";

const LOWEST = 60; // px; lower, and a plot says nothing

/** The whole view. */
export function live() {
  const { summary } = state;
  return h(
    "div",
    { class: "live", "data-key": "live" },
    h("h1", { class: "sr" }, t("live_long")),
    figures(summary),
    h(
      "div",
      { class: `board ${summary && summary.window !== state.window ? "is-turning" : ""}` },
      panel(
        "river",
        t("river"),
        plotted("river-plot", summary, (width, height) => river(flow(summary), width, height)),
      ),
      rules(summary),
      china(summary),
      tops(summary),
      panel("trend", t("trend"), [
        plotted("trend-plot", summary, (width, height) => trend(summary.complaints, summary.at, width, height)),
        worst(summary),
      ]),
      breaches(summary),
      vane(summary),
      optouts(summary),
      pipeline(summary),
      latest(),
    ),
  );
}

/** Minutes where the window is short, hours where it is long. */
function flow(summary) {
  return state.window === "10m" || state.window === "1h" ? summary.live : summary.series;
}

function plotted(id, summary, draw) {
  const place = document.getElementById(id);
  const drawable = summary?.counting && place?.clientWidth > 0 && place.clientHeight > LOWEST;
  return h(
    "div",
    { id, class: "plotted", "data-measure": true },
    drawable ? draw(place.clientWidth, place.clientHeight) : null,
  );
}

function figures(summary) {
  const lang = state.language,
    window = t(`w${state.window}`);
  const counted = summary?.counting ? summary : null;
  const total = counted?.totals[state.window],
    coverage = counted?.coverage[state.window];
  const health = summary?.health,
    open = Object.entries(counted?.breaches.by_rule ?? {}).filter(([, n]) => n > 0);
  const refusals = counted?.optouts;
  const waited = health?.judged_at && summary ? Math.max(0, (summary.wall_at - health.judged_at) / 1000) : null;
  return h(
    "section",
    { class: "figures", "aria-label": t("live_long") },
    figure(
      "sends",
      t("per_second"),
      rate(summary?.rates.sends, lang),
      total && t("sub_sends", { n: count(total.sends, lang), window }),
    ),
    figure(
      "flagged",
      t("flagged"),
      count(total?.flagged, lang),
      total &&
        t("sub_share", {
          share: perMille(total.sends ? total.flagged / total.sends : null),
          rate: rate(summary.rates.flags, lang),
        }),
      total?.flagged ? "red" : "",
    ),
    figure(
      "coverage",
      t("coverage"),
      percent(coverage),
      total && t("sub_undecided", { n: count(total.undecided, lang) }),
      "",
      coverage !== null && coverage !== undefined && bar([coverage, "plain"], [1 - coverage, "unknown"]),
    ),
    figure(
      "open",
      t("open_breaches"),
      counted ? String(open.reduce((sum, [, n]) => sum + n, 0)) : "–",
      counted && (open.map(([rule, n]) => `${rule.slice(0, 2)} ${n}`).join(" · ") || t("sub_none_open")),
      open.length ? "red" : "",
    ),
    figure(
      "heeded",
      t("after_refusal"),
      count(refusals?.after_opt_out, lang),
      refusals &&
        (refusals.refusals ? t("sub_refusals", { n: count(refusals.refusals, lang) }) : t("sub_no_refusals")),
      refusals?.after_opt_out ? "red" : "",
      null,
      refusals?.ignored > 0 &&
        h("b", { class: "seal-text" }, ` · ${t("sub_ignored", { m: count(refusals.ignored, lang) })}`),
    ),
    figure(
      "behind",
      t("behind"),
      count(health?.lag, lang),
      health && (health.judged_at ? t("sub_fresh", { for: duration(waited, lang) }) : t("sub_never")),
      health?.lag > 0 && waited > 30 ? "amber" : "",
    ),
  );
}

function figure(id, label, value, below, tone = "", picture = null, more = null) {
  return h(
    "div",
    { class: `figure ${tone}`, "data-key": id, id: `figure-${id}` },
    h("span", { class: "figure-label" }, label),
    h("span", { class: "figure-value" }, value),
    h("span", { class: "figure-below" }, picture, below || " ", more),
  );
}

// -- the stream of flags --------------------------------------------------------------------------------------------

function latest() {
  const filters = Object.entries(state.filter);
  return h(
    "section",
    { class: "panel latest", "data-key": "latest", id: "latest", "aria-labelledby": "latest-title" },
    h(
      "header",
      { class: "panel-head" },
      h("h2", { id: "latest-title" }, t("latest")),
      state.held &&
        h(
          "span",
          { class: "note" },
          t("held"),
          state.waiting.length > 0 && ` · ${t("held_more", { n: state.waiting.length })}`,
        ),
      h("a", { href: "#/after", class: "quiet-link" }, t("all_after")),
    ),
    filters.length > 0 &&
      h(
        "div",
        { class: "chips" },
        filters.map(([name, value]) => chip(name, value)),
      ),
    flagList(),
  );
}

function flagList() {
  if (state.flags === null)
    return h(
      "p",
      { class: "empty", role: "status" },
      state.flagsFailed ? t("failed", { why: state.flagsFailed }) : t("loading"),
    );
  if (!state.flags.length) return h("p", { class: "empty" }, t("no_flags"));
  return h(
    "ol",
    { class: "flags", "data-rove": "list" },
    state.flags.map((flag) =>
      h("li", { "data-key": flag.flag_id, class: state.fresh.has(flag.flag_id) ? "fresh" : null }, flagRow(flag)),
    ),
  );
}
