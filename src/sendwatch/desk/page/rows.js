/*
 * What stands in several places: a flag and a breach as a row, a filter to take off, the stamp of a severity.
 *
 * Belongs here: one thing, drawn small. Not here: lists of them.
 */
import { h } from "./dom.js";
import { shortStamp } from "./format.js";
import { provinceName } from "./provinces.js";
import { state } from "./store.js";
import { said, t } from "./words.js";

/** A filter that is on, to take off. */
export function chip(name, value) {
  const rule = name === "rule" && state.summary?.rules.find((each) => each.rule === value);
  const named = rule ? `${value.split("_")[0]} ${said(rule.title)}` : value;
  const shown = name === "province" ? provinceName(value, state.language) : named;
  const what = `${t(name)} ${shown}`;
  return h(
    "button",
    {
      type: "button",
      class: "chip",
      "data-key": name,
      "data-do": "filter",
      "data-with": name,
      "aria-label": t("remove", { what }),
    },
    what,
    h("span", { "aria-hidden": "true" }, " ×"),
  );
}

/** One flag as a row to open. */
export function flagRow(flag) {
  const { send } = flag,
    cleared = flag.status === "cleared";
  const at = [
    flag.owner_name || send.owner || t("unknown"),
    send.signature && `【${send.signature}】`,
    send.port,
    provinceName(send.province, state.language) || null,
    send.carrier,
  ];
  return h(
    "button",
    {
      type: "button",
      class: `flag ${cleared ? "is-cleared" : ""}`,
      "data-do": "flag",
      "data-with": flag.flag_id,
      "data-item": true,
      tabindex: -1,
    },
    h(
      "span",
      { class: "flag-head" },
      seal(flag.severity),
      h("b", { class: "code" }, flag.rule.split("_")[0]),
      h("span", { class: "flag-title" }, said(flag.title)),
      cleared && h("em", { class: "tag" }, t("cleared")),
      flag.late && !cleared && h("em", { class: "tag" }, t("late")),
      flag.shadow && h("em", { class: "tag" }, t("shadow")),
      flag.disposition && h("em", { class: "tag done" }, t(`did_${flag.disposition.action}`)),
      h("time", {}, shortStamp(send.at)),
    ),
    h("span", { class: "flag-why" }, said(flag.reason)),
    h("span", { class: "flag-at" }, at.filter(Boolean).join(" · ")),
  );
}

/** How grave, as a stamp: colour, and a letter for those who don't see it. */
export function seal(severity) {
  const word = t(severity);
  return h(
    "span",
    { class: `seal ${severity}`, title: word },
    h("span", { "aria-hidden": "true" }, state.language === "zh" ? word[0] : word[0].toUpperCase()),
    h("span", { class: "sr" }, word),
  );
}

/** One breach as a row to open. */
export function breachRow(each) {
  return h(
    "li",
    { "data-key": each.breach_id },
    h(
      "button",
      {
        type: "button",
        class: "flag breach",
        "data-do": "breach",
        "data-with": each.breach_id,
        "data-item": true,
        tabindex: -1,
      },
      h(
        "span",
        { class: "flag-head" },
        seal(each.severity),
        h("b", { class: "code" }, each.rule.split("_")[0]),
        h("span", { class: "flag-title" }, said(each.title)),
        each.disposition && h("em", { class: "tag done" }, t(`did_${each.disposition.action}`)),
        h("time", {}, shortStamp(each.opened_at)),
      ),
      h("span", { class: "flag-why" }, said(each.reason)),
    ),
  );
}
