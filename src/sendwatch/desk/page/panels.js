/*
 * Panels of the live view: which rules, where, who.
 *
 * Belongs here: which numbers of the summary a panel shows, and that it says so while there are none. Not here: their
 * order (live.js), limits and the pipeline (limits.js), pictures (charts.js).
 */
import { bar } from "./charts.js";
import { h } from "./dom.js";
import { DASH, count, perMille, whole } from "./format.js";
import { TILES, provinceMark, provinceName } from "./provinces.js";
import { seal } from "./rows.js";
import { state } from "./store.js";
import { said, t } from "./words.js";

/** A panel with a heading. */
export function panel(id, title, content, more = null) {
  return h(
    "section",
    { class: `panel ${id}`, "data-key": id, id, "aria-labelledby": `${id}-title` },
    h("header", { class: "panel-head" }, h("h2", { id: `${id}-title` }, title), more),
    content,
  );
}

/** What is said in place of content: loading, not counting, failed, or nothing yet; null where there is content. */
export function instead(summary, empty, word = "nothing") {
  if (!summary) return h("p", { class: "empty" }, state.failure ? t("failed", { why: state.failure }) : t("loading"));
  if (!summary.counting) return h("p", { class: "empty" }, DASH);
  return empty ? h("p", { class: "empty" }, t(word)) : null;
}

export function rules(summary) {
  const missing = instead(summary, false);
  const most = Math.max(1, ...(summary?.rules ?? []).map((each) => each.flags));
  const families = ["C", "G", "B"].map((letter) => [
    letter,
    (summary?.rules ?? []).filter((each) => each.rule[0] === letter),
  ]);
  return panel(
    "rules",
    t("rules"),
    missing ??
      h(
        "div",
        { "data-rove": "list" },
        families.map(([letter, family]) => [
          h("h3", { "data-key": `family-${letter}` }, t(`family_${letter}`)),
          h(
            "ul",
            { class: "rows", "data-key": letter },
            family.map((each) => ruleRow(each, most)),
          ),
        ]),
      ),
  );
}

function ruleRow(each, most) {
  const on = state.filter.rule === each.rule;
  return h(
    "li",
    { "data-key": each.rule },
    h(
      "button",
      {
        type: "button",
        class: "row rule",
        "data-do": "filter",
        "data-with": `rule=${each.rule}`,
        "data-item": true,
        "aria-pressed": String(on),
        tabindex: -1,
      },
      seal(each.severity),
      h("b", { class: "code" }, each.rule.split("_")[0]),
      h(
        "span",
        { class: "row-name", title: said(each.title) },
        said(each.title),
        each.mode !== "on" && h("em", { class: "tag" }, t(each.mode)),
      ),
      bar([each.flags / most, "flagged"]),
      h("span", { class: `row-count ${each.flags ? "" : "zero"}` }, count(each.flags, state.language)),
    ),
  );
}

// -- where ----------------------------------------------------------------------------------------------------------

const MEASURES = {
  flagged: (each) => each.flagged,
  share: (each) => (each.sends ? each.flagged / each.sends : null),
  undecided: (each) => each.undecided,
};

export function china(summary) {
  const measure = MEASURES[state.measure],
    known = new Map((summary?.provinces ?? []).map((each) => [each.subject, each]));
  const most = Math.max(...[...known.values()].map((each) => measure(each) ?? 0), 0);
  const choice = h(
    "span",
    { class: "choice", role: "group", "aria-label": t("map_show") },
    Object.keys(MEASURES).map((name) =>
      h(
        "button",
        {
          type: "button",
          "data-key": name,
          "data-do": "measure",
          "data-with": name,
          "aria-pressed": String(state.measure === name),
        },
        t(`m_${name}`),
      ),
    ),
  );
  return panel(
    "china",
    t("china"),
    instead(summary, false) ?? [
      h(
        "div",
        { class: "map", "data-rove": "grid" },
        TILES.map((tile) => mapTile(tile, known.get(tile.code), measure, most)),
        elsewhere(known.get(null), measure),
        legend(),
      ),
      carriers(summary),
    ],
    choice,
  );
}

/** Sends of which nobody said where: they are not left out of the map. */
function elsewhere(each, measure) {
  if (!each?.sends) return null;
  const value = measure(each),
    shown = state.measure === "share" ? perMille(value) : count(value, state.language);
  return h(
    "p",
    { class: "tile nowhere", "data-key": "nowhere", title: `${t("province")}: ${t("unknown")}` },
    h("span", { class: "tile-name" }, t("no_province")),
    h("span", { class: "tile-count" }, shown),
  );
}

/** What the colours mean, where the map has no land. */
function legend() {
  const kind = state.measure === "undecided" ? "unknown" : "heat";
  return h(
    "p",
    { class: "legend", "data-key": "legend", "aria-hidden": "true" },
    t("few"),
    [1, 2, 3, 4, 5].map((step) => h("span", { class: `${kind}-${step}` })),
    t("many"),
  );
}

function mapTile({ code, row, column }, each, measure, most) {
  const { language } = state,
    value = each ? measure(each) : null,
    on = state.filter.province === code;
  const shown = value === null ? DASH : state.measure === "share" ? perMille(value) : count(value, language);
  const step = value && most ? Math.ceil((value / most) ** 0.7 * 5) : 0;
  const words = `${provinceName(code, language)}: ${each ? `${t(`m_${state.measure}`)} ${shown}, ${whole(each.sends)} ${t("sends")}` : t("no_sends")}`;
  const kind = !each || !each.sends ? "none" : state.measure === "undecided" ? `unknown-${step}` : `heat-${step}`;
  return h(
    "button",
    {
      type: "button",
      class: `tile r${row} c${column} ${kind}`,
      "data-key": code,
      "data-do": "filter",
      "data-with": `province=${code}`,
      "data-item": true,
      "aria-pressed": String(on),
      "aria-label": words,
      title: words,
      tabindex: -1,
    },
    h("span", { class: "tile-name" }, provinceMark(code, language)),
    h("span", { class: "tile-count" }, shown),
  );
}

function carriers(summary) {
  if (!summary.carriers.length) return h("p", { class: "empty" }, t("nothing"));
  return h(
    "ul",
    { class: "rows carriers", "aria-label": t("carriers"), "data-rove": "list" },
    [...summary.carriers]
      .sort((a, b) => b.sends - a.sends)
      .slice(0, 5)
      .map((each) => {
        const share = each.sends ? each.flagged / each.sends : 0,
          open = each.sends ? each.undecided / each.sends : 0;
        const name = each.subject ?? t("unknown");
        return h(
          "li",
          { "data-key": name },
          h(
            "button",
            {
              type: "button",
              class: "row carrier",
              "data-do": "filter",
              "data-with": `carrier=${name}`,
              "data-item": true,
              "aria-pressed": String(state.filter.carrier === name),
              tabindex: -1,
              disabled: each.subject === null,
            },
            h("span", { class: "row-name" }, said(each.name) || name),
            bar([share, "flagged"], [Math.max(0, 1 - share - open), "plain"], [open, "unknown"]),
            h(
              "span",
              { class: "row-count wide" },
              `${count(each.flagged, state.language)} / ${count(each.sends, state.language)}`,
            ),
          ),
        );
      }),
  );
}

const FEW = 50; // sends, of which a share says little

// -- who ------------------------------------------------------------------------------------------------------------

export function tops(summary) {
  const lists = [
    ["owner", "owners"],
    ["signature", "signatures"],
    ["port", "ports"],
  ];
  return panel(
    "top",
    t("top"),
    instead(summary, false) ??
      lists.map(([family, title]) =>
        h("div", { class: "top-list", "data-key": family }, h("h3", {}, t(title)), topList(summary, family)),
      ),
  );
}

function topList(summary, family) {
  const listed = (summary.top[family] ?? []).slice(0, 4);
  if (!listed.length) return h("p", { class: "empty" }, t("nothing"));
  const most = Math.max(1, ...listed.map((each) => each.flagged));
  return h(
    "ul",
    { class: "rows", "data-rove": "list" },
    listed.map((each) => {
      const name = said(each.name) || (each.subject ?? t("unknown"));
      return h(
        "li",
        { "data-key": String(each.subject) },
        h(
          "button",
          {
            type: "button",
            class: "row top",
            "data-do": "filter",
            "data-with": `${family}=${each.subject}`,
            "data-item": true,
            "aria-pressed": String(state.filter[family] === each.subject),
            tabindex: -1,
            disabled: each.subject === null,
            title: each.subject,
          },
          h("span", { class: `row-name ${family === "port" ? "code" : ""}` }, name),
          bar([each.flagged / most, "flagged"]),
          h("span", { class: "row-count" }, count(each.flagged, state.language)),
          h("span", { class: "row-share" }, each.sends < FEW ? "" : perMille(each.flagged / each.sends)),
        ),
      );
    }),
  );
}
