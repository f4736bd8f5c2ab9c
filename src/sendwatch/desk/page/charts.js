/*
 * Pictures of numbers, in SVG.
 *
 * Belongs here: scales, axes, bars. Not here: which numbers (panels). Three marks mean the same everywhere: plain ink
 * is what was sent and decided, hatching is what could not be decided, seal red is what breaks a rule.
 */
import { svg } from "./dom.js";
import { count, day, hourMinute, monthDay, whole } from "./format.js";
import { state } from "./store.js";
import { t } from "./words.js";

const DAY = 86_400_000;
const COLUMN = 7; // px, the least

/** A bar of parts of 1, one after another: `[[share, class], …]`; hatched where the class is `unknown`. */
export function bar(...parts) {
  let at = 0;
  const drawn = parts.map(([share, kind]) => {
    const x = at;
    at += Math.max(0, Math.min(1 - x, share || 0));
    return (
      at > x &&
      svg("rect", {
        x: pc(x),
        width: pc(at - x),
        height: "100%",
        class: `is-${kind}`,
        fill: kind === "unknown" ? "url(#unknown)" : null,
      })
    );
  });
  return svg("svg", { class: "bar", "aria-hidden": "true" }, drawn);
}

/** A level against its limit, which lies in the middle; what is beyond twice the limit fills it. */
export function level(value) {
  const share = Math.min(1, (value ?? 0) / 2);
  return svg(
    "svg",
    { class: "bar level", "aria-hidden": "true" },
    svg("rect", { width: pc(share), height: "100%", class: value >= 1 ? "is-flagged" : "is-plain" }),
    svg("line", { x1: "50%", x2: "50%", y1: 0, y2: "100%", class: "mark" }),
  );
}

const pc = (share) => `${(share * 100).toFixed(2)}%`;

/** Counts by bucket of time, as columns: at most so many, several buckets in one where there are more. */
function columns(series, most) {
  const { since, until, bucket_ms: width } = series;
  const buckets = Math.max(1, Math.round((until - since) / width));
  const step = Math.ceil(buckets / Math.max(1, most));
  const made = Array.from({ length: Math.ceil(buckets / step) }, (_, n) => ({
    at: since + n * step * width,
    sends: 0,
    flagged: 0,
    undecided: 0,
  }));
  for (const name of ["sends", "flagged", "undecided"]) {
    for (const [at, n] of series[name] ?? []) {
      const column = made[Math.floor((at - since) / (step * width))];
      if (column) column[name] += n;
    }
  }
  return { made, span: step * width };
}

/** Sends upward, with what is undecided hatched on top; flagged ones downward, on a scale of their own. */
export function river(series, width, height) {
  const left = 52,
    foot = 18,
    head = 6;
  const inner = Math.max(60, width - left - 8);
  const { made, span } = columns(series, Math.floor(inner / COLUMN));
  const down = Math.round((height - foot - head) * 0.28),
    up = height - foot - head - down - 3,
    base = head + up;
  const most = nice(Math.max(1, ...made.map((each) => each.sends)));
  const worst = nice(Math.max(1, ...made.map((each) => each.flagged)));
  const step = inner / made.length,
    bar = Math.max(1, step - (step > 5 ? 2 : 1));
  const drawn = made.map((each, n) => {
    const x = left + n * step,
      all = (each.sends / most) * up,
      open = (Math.min(each.undecided, each.sends) / most) * up;
    const flagged = each.flagged ? Math.max(1.5, (each.flagged / worst) * down) : 0;
    return svg(
      "g",
      {},
      svg(
        "title",
        {},
        `${moment(each.at, span)}  ${t("river_text", { sends: whole(each.sends), undecided: whole(each.undecided), flagged: whole(each.flagged) })}`,
      ),
      svg("rect", { x, y: head, width: step, height: height - head - foot, class: "reach" }),
      all && svg("rect", { x, y: base - all + open, width: bar, height: Math.max(0, all - open), class: "is-plain" }),
      open && svg("rect", { x, y: base - all, width: bar, height: open, fill: "url(#unknown)", class: "is-unknown" }),
      flagged && svg("rect", { x, y: base + 3, width: bar, height: flagged, class: "is-flagged" }),
    );
  });
  const total = (name) => made.reduce((sum, each) => sum + each[name], 0);
  const text = t("river_text", {
    sends: whole(total("sends")),
    undecided: whole(total("undecided")),
    flagged: whole(total("flagged")),
  });
  return svg(
    "svg",
    { class: "plot", width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": text },
    [0.5, 1].map((part) => grid(left, width, base - up * part, count(most * part, state.language))),
    grid(left, width, base + 3 + down, count(worst, state.language), "flagged-tick"),
    svg("line", { x1: left, x2: width, y1: base + 1.5, y2: base + 1.5, class: "axis" }),
    drawn,
    ticks(made, span, left, step, height - 4),
  );
}

function grid(left, width, y, label, kind = "") {
  return svg(
    "g",
    { class: `grid ${kind}` },
    svg("line", { x1: left, x2: width, y1: y, y2: y }),
    svg("text", { x: left - 6, y: y + 4, "text-anchor": "end" }, label),
  );
}

function ticks(made, span, left, step, y) {
  const every = Math.ceil(64 / step),
    over = made.length * span; // days are enough where there are many
  return svg(
    "g",
    { class: "ticks" },
    made.map(
      (each, n) =>
        n % every === 0 &&
        n + every / 2 < made.length &&
        svg("text", { x: left + n * step, y }, moment(each.at, over > 3 * DAY ? DAY : span, true)),
    ),
  );
}

function moment(at, span, short = false) {
  if (span >= DAY) return short ? monthDay(at) : day(at);
  return span >= 3_600_000 && !short ? `${monthDay(at)} ${hourMinute(at)}` : hourMinute(at);
}

function nice(value) {
  const size = 10 ** Math.floor(Math.log10(value));
  return size * [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((each) => each * size >= value);
}

/**
 * Complaints per million sends by day, 30 days back, on a scale of powers of ten so that the limit stays in sight;
 * promotions as bands, those of the 30 days ahead too.
 */
export function trend(complaints, now, width, height) {
  const left = 40,
    foot = 18,
    head = 20,
    right = 4;
  const limit = complaints.limit_per_million;
  const values = complaints.days.map((each) => each.per_million).filter((value) => value > 0);
  const low = Math.floor(Math.log10(Math.min(limit, ...values) * 0.9)),
    high = Math.ceil(Math.log10(Math.max(limit, ...values) * 1.1));
  const since = now - 30 * DAY,
    until = now + 30 * DAY;
  const x = (at) => left + ((Math.max(since, Math.min(until, at)) - since) / (until - since)) * (width - left - right);
  const y = (value) => head + (1 - (Math.log10(value) - low) / Math.max(1, high - low)) * (height - head - foot - 8);
  const dots = complaints.days.map((each) => ({
    ...each,
    x: x(each.at + DAY / 2),
    y: each.per_million > 0 ? y(each.per_million) : height - foot,
  }));
  const line = dots
    .filter((each) => each.per_million > 0)
    .map((each) => `${each.x.toFixed(1)},${each.y.toFixed(1)}`)
    .join(" ");
  return svg(
    "svg",
    { class: "plot", width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": t("trend") },
    complaints.promotions.map((each) => promotion(each, x, head, height - foot)),
    Array.from({ length: high - low + 1 }, (_, n) => grid(left, width, y(10 ** (low + n)), power(low + n))),
    svg("line", { x1: left, x2: width, y1: y(limit), y2: y(limit), class: "limit" }),
    svg(
      "text",
      { x: width - right, y: y(limit) - 5, "text-anchor": "end", class: "limit-label" },
      t("limit", { n: limit }),
    ),
    svg("line", { x1: x(now), x2: x(now), y1: head, y2: height - foot, class: "axis now" }),
    line && svg("polyline", { points: line, class: "line" }),
    dots.map((each) =>
      svg(
        "circle",
        { cx: each.x, cy: each.y, r: 2.6, class: each.per_million > 0 ? "dot" : "dot none" },
        svg("title", {}, dotTitle(each)),
      ),
    ),
    [since, now - 15 * DAY, now, now + 15 * DAY].map((at) =>
      svg(
        "text",
        { x: x(at), y: height - 4, "text-anchor": at === since ? "start" : "middle", class: "tick" },
        at === now ? t("today") : monthDay(at),
      ),
    ),
  );
}

function promotion(each, x, top, bottom) {
  const from = x(each.since),
    to = x(each.until);
  if (to - from < 1) return null;
  return svg(
    "g",
    { class: "promotion" },
    svg("title", {}, `${each.name} ${day(each.since)} – ${day(each.until - 1)}`),
    svg("rect", { x: from, y: top, width: to - from, height: bottom - top }),
    svg("text", { x: from + 3, y: top - 6 }, each.name),
  );
}

function dotTitle(each) {
  const rate = each.per_million === null || each.per_million === undefined ? "–" : each.per_million.toFixed(2);
  return `${day(each.at)}: ${rate} / 1M (${whole(each.complaints)} ${t("complaints")}, ${whole(each.sends)} ${t("sends")})`;
}

function power(exponent) {
  return exponent < 0 ? (10 ** exponent).toFixed(-exponent) : count(10 ** exponent, state.language);
}
