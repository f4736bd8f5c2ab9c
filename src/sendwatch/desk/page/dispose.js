/*
 * 事后: dealing with a flag or a breach, with who and why.
 *
 * Belongs here: the form, and sending it. Not here: what a disposition does (the server), how it is listed (drawer.js).
 */
import { h } from "./dom.js";
import { day } from "./format.js";
import { redrawDrawer, opened } from "./drawer.js";
import { tell } from "./server.js";
import { refresh, sentence, state } from "./store.js";
import { t } from "./words.js";

export const ACTIONS = ["confirm", "dismiss", "except", "suspend", "appeal"];
const DAY = 86_400_000;

/** The form; nothing for those who may only look. */
export function dispose(open) {
  if (!state.me || state.me.role === "viewer") return null;
  const { form } = open,
    dated = form.action === "except" || form.action === "suspend";
  const mayNot = form.action === "suspend" && state.me.role !== "admin" && !state.me.open;
  return h(
    "form",
    { class: "dispose", "data-key": `dispose/${open.id}`, "data-submit": "dispose", id: "dispose" },
    h("h3", {}, t("dispose")),
    h(
      "div",
      { class: "actions", role: "radiogroup", "aria-label": t("dispose") },
      ACTIONS.filter((each) => open.kind === "flag" || each !== "except").map((each) =>
        h(
          "label",
          { class: "action", "data-key": each },
          h("input", {
            type: "radio",
            name: "action",
            value: each,
            "data-change": "action",
            checked: form.action === each,
          }),
          h("span", {}, t(each)),
        ),
      ),
    ),
    h("p", { class: "note", id: "action-note" }, mayNot ? t("admin_only") : t(`about_${form.action}`)),
    dated &&
      h(
        "label",
        { class: "field", "data-key": "until" },
        h("span", {}, t("last_day"), form.action === "suspend" && h("em", { class: "dim" }, ` ${t("optional")}`)),
        h("input", {
          type: "date",
          name: "until",
          min: day(Date.now()),
          value: form.action === "except" ? day(Date.now() + 30 * DAY) : null,
          required: form.action === "except",
        }),
      ),
    h(
      "label",
      { class: "field", "data-key": "why" },
      h("span", {}, t("why_field")),
      h("textarea", {
        name: "why",
        rows: 2,
        required: true,
        minlength: 3,
        maxlength: 1000,
        "data-own": true,
        "aria-describedby": "why-hint",
      }),
    ),
    h(
      "p",
      { class: "note", id: "why-hint" },
      `${t("why_hint")} ${t("as_whom", { name: state.me.name, role: t(state.me.role) })}`,
    ),
    h(
      "button",
      { type: "submit", class: "button main", disabled: form.state === "sending" || mayNot },
      form.state === "sending" ? t("recording") : t("record"),
    ),
    h(
      "p",
      { class: form.error ? "problem" : "note good", role: "status" },
      form.error ?? (form.state === "done" ? t("recorded") : ""),
    ),
  );
}

/** Another action was chosen. */
export function chooseAction(action) {
  Object.assign(opened().form, { action, state: "ready", error: null });
  redrawDrawer();
}

/** Send it; what was typed stays until it is recorded. */
export async function sendDisposition(form) {
  const open = opened(),
    given = new FormData(form);
  const body = {
    about: { kind: open.kind, id: open.id },
    action: open.form.action,
    why: given.get("why").trim(),
    until: given.get("until") || null,
  };
  Object.assign(open.form, { state: "sending", error: null });
  redrawDrawer();
  try {
    const made = await tell("/v1/dispositions", body);
    open.form.state = "done";
    if (!open.history?.some((each) => each.disposition_id === made.disposition_id))
      open.history = [...(open.history ?? []), made];
    form.reset();
    refresh();
  } catch (error) {
    Object.assign(open.form, {
      state: "ready",
      error: t("failed", { why: error.status ? sentence(error) : t("unreachable") }),
    });
  }
  redrawDrawer();
}
