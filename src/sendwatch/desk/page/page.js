/*
 * The page: which view is shown, what keys and clicks do, when it is drawn again.
 *
 * Belongs here: the head of the page, listening, drawing at most once a frame. Not here: what a view shows.
 */
import { afterwards, clearAfter, enterAfter, heardDisposition, knownAfter, more, setAfter } from "./after.js";
import { before, sendCheck } from "./before.js";
import { chooseAction, sendDisposition } from "./dispose.js";
import { h, show } from "./dom.js";
import { closeDrawer, forgetDrawer, openBreach, openFlag, redrawDrawer } from "./drawer.js";
import { clock, count, duration, stamp } from "./format.js";
import { live } from "./live.js";
import { end, tell } from "./server.js";
import { begin, filterBy, hold, refresh, staleSince, state, whenChanged, whenDisposed } from "./store.js";
import { keepStop } from "./walk.js";
import { t } from "./words.js";

const VIEWS = { before, live, after: afterwards };
const DAY = 86_400_000;
const HOLD_MS = 30_000;
const login = { error: null };

// -- drawing --------------------------------------------------------------------------------------------------------

let due = false;

function draw() {
  if (due) return;
  due = true;
  requestAnimationFrame(() => {
    due = false;
    drawNow();
  });
}

function drawNow() {
  const stale = staleSince(Date.now());
  document.documentElement.lang = state.language === "zh" ? "zh-CN" : "en";
  document.documentElement.dataset.theme = state.theme;
  document.body.classList.toggle("is-stale", stale !== null);
  document.getElementById("skip").textContent = t("skip");
  document.title = `${t(state.view)} · sendwatch`;
  show(document.getElementById("head"), head(stale));
  show(document.getElementById("notice"), notices(stale));
  show(document.getElementById("main"), state.me?.role === null ? door() : VIEWS[state.view]());
  redrawDrawer();
  for (const list of document.querySelectorAll("[data-rove]")) keepStop(list);
}

function head(stale) {
  const { summary, me } = state;
  return [
    h(
      "div",
      { class: "brand" },
      h("img", { src: "seal.svg", alt: "", width: 22, height: 22 }),
      h("b", {}, "sendwatch"),
    ),
    h(
      "nav",
      { "aria-label": t("views") },
      ["before", "live", "after"].map((view) =>
        h("a", { href: `#/${view}`, "data-key": view, "aria-current": state.view === view ? "page" : null }, t(view)),
      ),
    ),
    h(
      "div",
      { class: "about-now" },
      promotion(summary),
      h(
        "span",
        { class: "clock", title: t("event_time") },
        summary?.at ? `${stamp(summary.at)}` : "–",
        h("span", { class: "dim" }, " UTC+8"),
      ),
      connection(stale),
    ),
    h(
      "div",
      { class: "switches", role: "group", "aria-label": t("settings") },
      state.view === "live" &&
        h(
          "span",
          { class: "choice", role: "group", "aria-label": t("window"), "data-key": "window" },
          ["10m", "1h", "1d", "30d"].map((each) =>
            h(
              "button",
              {
                type: "button",
                "data-key": each,
                "data-do": "window",
                "data-with": each,
                "aria-pressed": String(state.window === each),
              },
              t(`w${each}`),
            ),
          ),
        ),
      h(
        "button",
        {
          type: "button",
          class: "button",
          "data-key": "language",
          "data-do": "language",
          "aria-label": t("language_label"),
          lang: state.language === "zh" ? "en" : "zh-CN",
        },
        t("language"),
      ),
      h(
        "button",
        { type: "button", class: "button", "data-key": "theme", "data-do": "theme", "aria-label": t("theme_label") },
        t(state.theme === "dark" ? "light" : "dark"),
      ),
      me &&
        me.role &&
        !me.open &&
        h(
          "button",
          {
            type: "button",
            class: "button",
            "data-key": "logout",
            "data-do": "logout",
            title: `${me.name} · ${t(me.role)}`,
          },
          t("logout"),
        ),
    ),
  ];
}

function connection(stale) {
  const kind = stale !== null ? "stale" : state.heardAt ? "live" : "starting";
  return h(
    "span",
    { class: `connection is-${kind}`, id: "connection" },
    h("span", { class: "lamp", "aria-hidden": "true" }),
    t(`is_${kind}`),
  );
}

/** The promotion that it is, or the next one. */
function promotion(summary) {
  if (!summary?.complaints) return null;
  const now = summary.at || summary.wall_at,
    known = summary.complaints.promotions;
  const on = known.find((each) => each.since <= now && now < each.until);
  const next = known.filter((each) => each.since > now).sort((one, other) => one.since - other.since)[0];
  if (!on && !next) return null;
  const words = on
    ? t("promotion_day", { n: Math.floor((now - on.since) / DAY) + 1, of: Math.round((on.until - on.since) / DAY) })
    : t("promotion_in", { n: Math.ceil((next.since - now) / DAY) });
  return h("span", { class: `campaign-chip ${on ? "on" : ""}` }, h("b", {}, (on ?? next).name), ` ${words}`);
}

function notices(stale) {
  const { summary, language } = state,
    health = summary?.health,
    told = [];
  if (stale !== null)
    told.push(["stale", t("stale", { at: clock(stale), for: duration((Date.now() - stale) / 1000, language) })]);
  else if (!summary && state.failure !== null) told.push(["stale", t("unreachable")]);
  else if (health?.behind?.includes("registries") || health?.behind?.includes("published"))
    told.push(["amber", t(health.behind.includes("registries") ? "reading_registries" : "reading_published")]);
  else if (summary && !summary.counting) told.push(["amber", t("not_counting")]);
  else if (health?.lag > 0 && health.judged_at && summary.wall_at - health.judged_at > 60_000) {
    told.push(["amber", t("lagging", { lag: count(health.lag, language), at: clock(health.judged_at) })]);
  }
  return told.map(([kind, words]) => h("p", { class: `notice ${kind}`, "data-key": kind }, words));
}

/** Where one logs in. */
function door() {
  return h(
    "form",
    { class: "panel door", "data-submit": "login", "data-key": "door" },
    h("h1", {}, t("login")),
    h("p", { class: "note" }, t("login_why")),
    h(
      "label",
      { class: "field" },
      h("span", {}, t("token")),
      h("input", { type: "password", name: "token", required: true, autocomplete: "current-password" }),
    ),
    h("button", { type: "submit", class: "button main" }, t("login")),
    h("p", { class: "problem", role: "alert" }, login.error ?? ""),
  );
}

// -- what clicks do -------------------------------------------------------------------------------------------------

function remember(name, value) {
  try {
    localStorage.setItem(`sendwatch.${name}`, value);
  } catch {
    // forbidden: it holds until the page is left
  }
}

const DEEDS = {
  window: (value) => ((state.window = value), draw(), refresh()),
  measure: (value) => ((state.measure = value), draw()),
  language: () => (remember("language", (state.language = state.language === "zh" ? "en" : "zh")), draw()),
  theme: () => (remember("theme", (state.theme = state.theme === "dark" ? "light" : "dark")), draw()),
  filter: (value) =>
    filterBy(
      ...(value.includes("=")
        ? [value.slice(0, value.indexOf("=")), value.slice(value.indexOf("=") + 1)]
        : [value, null]),
    ),
  flag: (id) => openFlag(id, state.flags?.find((each) => each.flag_id === id) ?? knownAfter(id)),
  breach: (id) =>
    openBreach(
      id,
      state.summary.breaches.open.find((each) => each.breach_id === id),
    ),
  close: closeDrawer,
  clear: clearAfter,
  more,
  logout: () => end("/v1/session").finally(() => location.reload()),
};

const SUBMITS = {
  check: sendCheck,
  dispose: sendDisposition,
  find: () => {},
  login: async (form) => {
    try {
      await tell("/v1/session", { token: new FormData(form).get("token") });
      location.reload();
    } catch (error) {
      login.error = error.status === 401 ? t("login_failed") : t("failed", { why: error.message || t("unreachable") });
      draw();
    }
  },
};

document.addEventListener("click", (event) => {
  const found = event.target.closest("[data-do]");
  if (found) DEEDS[found.dataset.do](found.dataset.with);
  else if (event.target.id === "drawer" && event.offsetX < 0) closeDrawer(); // beside it
});
document.addEventListener("submit", (event) => {
  event.preventDefault();
  SUBMITS[event.target.dataset.submit]?.(event.target);
});
document.addEventListener("change", ({ target }) => {
  if (target.dataset.change === "find") setAfter(target.name, target.value.trim());
  if (target.dataset.change === "action") chooseAction(target.value);
});
document.getElementById("drawer").addEventListener("close", forgetDrawer);

// -- reading the list of flags: it stands still, but not for ever ------------------------------------------------------

let letGo = 0;

function reading(event) {
  const inside = event.type !== "pointerleave" && event.target.closest?.(".latest .flags");
  clearTimeout(letGo);
  hold(Boolean(inside));
  if (inside) letGo = setTimeout(() => hold(false), HOLD_MS);
}
document.addEventListener("pointermove", reading, { passive: true });
document.addEventListener("focusin", reading);
document.documentElement.addEventListener("pointerleave", reading);

// -- which view -----------------------------------------------------------------------------------------------------

function goTo() {
  const view = location.hash.replace(/^#\//, "");
  const before = state.view;
  state.view = view in VIEWS ? view : "live";
  if (state.view === "after") enterAfter();
  drawNow();
  drawNow(); // plots are as wide as their places, which are there only now
  if (before !== state.view) document.getElementById("main").focus();
}

addEventListener("hashchange", goTo);
addEventListener("resize", draw);
setInterval(draw, 1000);
whenChanged(draw);
whenDisposed(heardDisposition);
goTo();
begin();
