/*
 * 事前: a planned send held against everything that is known, before it is sent.
 *
 * Belongs here: the form, its answer. Not here: any judgement. What is typed stays in the form: it is not kept, and
 * recipients are shown by their line, never by number.
 */
import { bar } from "./charts.js";
import { h } from "./dom.js";
import { answers } from "./drawer.js";
import { fieldName, fieldValue } from "./evidence.js";
import { instant, local, whole } from "./format.js";
import { seal } from "./rows.js";
import { tell } from "./server.js";
import { changed, sentence, state } from "./store.js";
import { Unreadable, rowsOf } from "./table.js";
import { said, t } from "./words.js";

const MOST = 10_000;
const TYPES = ["", "marketing", "marketing.retail", "marketing.finance", "service", "otp"];
const CARRIERS = ["", "CMCC", "CUCC", "CTCC", "CBN"];
const VERDICTS = ["flagged", "undecided", "unknown", "refused", "clean"];
const check = { state: "ready", answer: null, lines: [], error: null, planned: null };

/** The whole view. */
export function before() {
  if (state.summary) check.planned ??= local(Math.ceil((state.summary.at || Date.now()) / 3_600_000) * 3_600_000);
  return h(
    "div",
    { class: "before", "data-key": "before" },
    h(
      "section",
      { class: "panel ask", "aria-labelledby": "before-title" },
      h("header", { class: "panel-head" }, h("h1", { id: "before-title" }, t("before_long"))),
      h("p", { class: "note" }, t("check_intro")),
      form(),
    ),
    h(
      "section",
      {
        class: "panel answer-panel",
        id: "check-answer",
        "aria-live": "polite",
        "aria-busy": String(check.state === "asking"),
        "aria-label": t("result"),
      },
      answer(),
    ),
  );
}

function form() {
  return h(
    "form",
    { class: "form", "data-submit": "check", id: "check", autocomplete: "off" },
    field(
      "text",
      t("text"),
      h("textarea", { name: "text", rows: 5, required: true, maxlength: 4000, spellcheck: "false", "data-own": true }),
      t("text_hint"),
      "wide",
    ),
    field("signature", t("signature"), h("input", { name: "signature", maxlength: 128 }), null, "", true),
    field(
      "port",
      t("port"),
      h("input", { name: "port", required: true, pattern: "[0-9]{1,40}", inputmode: "numeric" }),
    ),
    field("sp", t("sp"), h("input", { name: "sp", required: true, maxlength: 128 })),
    field("template", t("template"), h("input", { name: "template", maxlength: 128 }), null, "", true),
    field("category", t("category"), select("category", TYPES)),
    field("carrier", t("carrier"), select("carrier", CARRIERS)),
    field(
      "planned",
      t("planned"),
      h("input", { type: "datetime-local", name: "planned", value: check.planned, required: true }),
    ),
    field(
      "recipients",
      t("recipients"),
      h("textarea", { name: "recipients", rows: 5, spellcheck: "false", "data-own": true }),
      t("recipients_hint", { n: whole(MOST) }),
      "wide",
    ),
    field(
      "file",
      t("from_file"),
      h("input", { type: "file", name: "file", accept: ".csv,.txt,text/plain,text/csv" }),
      t("file_hint"),
      "wide",
    ),
    h(
      "div",
      { class: "wide submit" },
      h(
        "button",
        { type: "submit", class: "button main", disabled: check.state === "asking" },
        t(check.state === "asking" ? "checking" : "do_check"),
      ),
      h("p", { class: "problem", role: "alert" }, check.error ?? ""),
    ),
  );
}

function field(name, label, control, hint = null, kind = "", optional = false) {
  if (hint) control.setAttribute("aria-describedby", `hint-${name}`);
  return h(
    "div",
    { class: `field ${kind}`, "data-key": name },
    h("label", {}, h("span", {}, label, optional && h("em", { class: "dim" }, ` ${t("optional")}`)), control),
    hint && h("p", { class: "note", id: `hint-${name}` }, hint),
  );
}

function select(name, values) {
  return h(
    "select",
    { name },
    values.map((value) => h("option", { value, "data-key": value || "none" }, value || t("any"))),
  );
}

/** Ask. */
export async function sendCheck(form) {
  const given = new FormData(form),
    text = (name) => given.get(name).trim() || null;
  Object.assign(check, { state: "asking", error: null });
  changed();
  try {
    const file = given.get("file"),
      rows = [...rowsOf(given.get("recipients")), ...rowsOf(file?.size ? await file.text() : "")];
    const send = {
      text: text("text"),
      signature: text("signature"),
      port: text("port"),
      sp: text("sp"),
      template: text("template"),
      category: text("category"),
      carrier: text("carrier"),
      planned_at: instant(given.get("planned")),
    };
    check.answer = await tell("/v1/check", { send, recipients: rows.map((row) => row.recipient), details: "flagged" });
    check.lines = rows.map((row) => row.line);
  } catch (error) {
    check.error =
      error instanceof Unreadable
        ? t(error.message, error.fields)
        : t("failed", { why: error.status === 0 ? t("unreachable") : sentence(error) });
  }
  check.state = "ready";
  changed();
}

function answer() {
  const found = check.answer;
  if (!found) return h("p", { class: "empty tall" }, check.state === "asking" ? t("checking") : t("check_empty"));
  const asked = found.asked ?? 0;
  return [
    h("header", { class: "panel-head" }, h("h2", {}, asked ? t("asked", { n: whole(asked) }) : t("message_alone"))),
    asked > 0 && inSum(found.sum, asked),
    !found.complete && h("p", { class: "notice-line" }, t("incomplete")),
    (found.notes ?? []).map((note) => h("p", { class: "note" }, said(note))),
    asked > 0 && byRule(found.rules),
    campaign(found.readiness),
    asked > 0 && each(found),
    h(
      "section",
      { "data-key": "message" },
      h("h3", {}, t("the_message")),
      answers(found.answers ?? [], asked > 0 ? "recipient" : null),
    ),
  ];
}

function inSum(sum, asked) {
  return h(
    "div",
    { class: "verdicts" },
    bar(
      [sum.flagged / asked, "flagged"],
      [(sum.undecided + sum.unknown + sum.refused) / asked, "unknown"],
      [sum.clean / asked, "plain"],
    ),
    h(
      "dl",
      { class: "sums" },
      VERDICTS.map((name) =>
        h(
          "div",
          { "data-key": name, class: sum[name] ? "" : "zero" },
          h("dt", {}, t(`s_${name}`)),
          h("dd", { class: name === "flagged" && sum[name] ? "red" : "" }, whole(sum[name])),
        ),
      ),
    ),
  );
}

function byRule(rules) {
  const told = rules.filter((each) => each.flagged || each.unknown || Object.keys(each.undecided ?? {}).length);
  if (!told.length) return null;
  return h(
    "section",
    { "data-key": "rules" },
    h("h3", {}, t("by_rule")),
    h(
      "ul",
      { class: "rows" },
      told.map((each) => {
        const undecided = Object.values(each.undecided ?? {}).reduce((all, n) => all + n, 0);
        const told = [
          undecided > 0 && `${t("undecided")} ${whole(undecided)}`,
          each.unknown > 0 && `${t("unknown")} ${whole(each.unknown)}`,
        ].filter(Boolean);
        return h(
          "li",
          { class: "row checked", "data-key": each.rule },
          seal(each.severity),
          h("b", { class: "code" }, each.rule.split("_")[0]),
          h("span", { class: "row-name" }, said(each.title)),
          h(
            "span",
            { class: "row-count wide" },
            each.flagged > 0 && h("b", { class: "seal-text" }, whole(each.flagged)),
            each.flagged > 0 && told.length > 0 && " · ",
            told.join(" · "),
          ),
        );
      }),
    ),
  );
}

function campaign(ready) {
  if (!ready) return null;
  return h(
    "section",
    { "data-key": "campaign" },
    h("h3", {}, t("campaign")),
    h(
      "dl",
      { class: "sums" },
      h("div", {}, h("dt", {}, t("expected")), h("dd", {}, String(ready.expected_complaints))),
      h("div", {}, h("dt", {}, t("room")), h("dd", { class: ready.room === 0 ? "red" : "" }, whole(ready.room))),
    ),
    h(
      "ul",
      { class: "rows" },
      ready.concerns.map((each) =>
        h(
          "li",
          { class: "row concern", "data-key": each.rule },
          h("b", { class: "code" }, each.rule.split("_")[0]),
          h("span", { class: "row-name" }, said(each.title)),
          h("span", { class: "tag" }, t(each.sure ? "sure" : "maybe")),
          h(
            "p",
            { class: "note" },
            Object.entries(each.evidence)
              .map(([name, value]) => `${fieldName(name)} ${fieldValue(name, value)}`)
              .join(" · "),
          ),
        ),
      ),
    ),
  );
}

function each(found) {
  if (!found.recipients?.length) return null;
  return h(
    "section",
    { "data-key": "each" },
    h("h3", {}, t("each")),
    h(
      "ol",
      { class: "each", tabindex: 0, "aria-label": t("each") },
      found.recipients.slice(0, 200).map((one) =>
        h(
          "li",
          { "data-key": String(one.n), class: `one is-${one.verdict}` },
          h("span", { class: "line-number" }, `${t("line")} ${check.lines[one.n]}`),
          h("b", { class: "outcome" }, t(`s_${one.verdict}`)),
          h(
            "ul",
            {},
            one.flags.map((flag) =>
              h("li", {}, h("b", { class: "code" }, flag.rule.split("_")[0]), ` ${said(flag.reason)}`),
            ),
            one.undecided
              .slice(0, 3)
              .map((open) =>
                h(
                  "li",
                  { class: "dim" },
                  h("b", { class: "code" }, open.rule.split("_")[0]),
                  ` ${t("undecided")}: ${said(open.reason_words) || open.reason}`,
                ),
              ),
            one.why && one.verdict !== "refused" && h("li", { class: "dim" }, said(one.why)),
          ),
        ),
      ),
    ),
    found.left_out + Math.max(0, found.recipients.length - 200) > 0 &&
      h(
        "p",
        { class: "note" },
        t("more_left", { n: whole(found.left_out + Math.max(0, found.recipients.length - 200)) }),
      ),
  );
}
