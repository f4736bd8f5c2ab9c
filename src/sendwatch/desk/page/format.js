/*
 * Numbers, times and durations as people read them.
 *
 * Belongs here: how a value is written, in both languages. Not here: words (words.js), values.
 *
 * What is not known is a dash, never 0. Times are ms since 1970 and shown in UTC+8, which is what the law counts in.
 */

const BEIJING = 8 * 3600 * 1000;
const UNITS = {
  en: [
    [1e9, "B"],
    [1e6, "M"],
    [1e4, "k", 1e3],
  ],
  zh: [
    [1e8, "亿"],
    [1e4, "万"],
  ],
};
export const DASH = "–";

/** A whole number, shortened from ten thousand on: 12.4k, 1.24万. */
export function count(value, language) {
  if (value === null || value === undefined || Number.isNaN(value)) return DASH;
  for (const [from, unit, divisor = from] of UNITS[language]) {
    if (Math.abs(value) >= from) return digits(value / divisor) + unit;
  }
  return whole(value);
}

/** A whole number in full. */
export function whole(value) {
  return value === null || value === undefined ? DASH : Math.round(value).toLocaleString("en-US");
}

/** A rate: three digits are enough. */
export function rate(value, language) {
  if (value === null || value === undefined) return DASH;
  return value >= 1000 ? count(value, language) : digits(value);
}

/** A share as per cent. What is not quite all is never rounded to all, nor what is not quite nothing to nothing. */
export function percent(share) {
  if (share === null || share === undefined) return DASH;
  const value = share * 100;
  if (value > 99.99 && value < 100) return ">99.99%";
  if (value > 0 && value < 0.01) return "<0.01%";
  const places = value === 0 || value === 100 ? 0 : value >= 99 || value < 1 ? 2 : 1;
  return `${value.toFixed(places)}%`;
}

/** So many in a thousand. */
export function perMille(share) {
  return share === null || share === undefined
    ? DASH
    : `${share * 1000 >= 10 ? whole(share * 1000) : (share * 1000).toFixed(1)}‰`;
}

function digits(value) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  return size >= 100 ? Math.round(value).toLocaleString("en-US") : value.toFixed(size >= 10 ? 1 : 2);
}

/** 13:07:42, in UTC+8. */
export function clock(at) {
  return iso(at)?.slice(11, 19) ?? DASH;
}

/** 13:07. */
export function hourMinute(at) {
  return iso(at)?.slice(11, 16) ?? DASH;
}

/** 11-11. */
export function monthDay(at) {
  return iso(at)?.slice(5, 10) ?? DASH;
}

/** 2026-11-11. */
export function day(at) {
  return iso(at)?.slice(0, 10) ?? DASH;
}

/** 2026-11-11 13:07:42. */
export function stamp(at) {
  return iso(at)?.slice(0, 19).replace("T", " ") ?? DASH;
}

/** 11-11 13:07:42: for lists, where the year is plain. */
export function shortStamp(at) {
  return iso(at)?.slice(5, 19).replace("T", " ") ?? DASH;
}

/** The time (ms) that a `datetime-local` field says, taken as UTC+8; null where it says nothing. */
export function instant(local) {
  const at = Date.parse(`${local}Z`);
  return Number.isNaN(at) ? null : at - BEIJING;
}

/** What a `datetime-local` field must say for a time (ms). */
export function local(at) {
  return iso(at).slice(0, 16);
}

function iso(at) {
  return at === null || at === undefined || at <= 0 ? null : new Date(at + BEIJING).toISOString();
}

/** A duration (seconds): 0.4 s, 12 s, 3 min, 5.2 h, 3.1 d. */
export function duration(seconds, language) {
  if (seconds === null || seconds === undefined) return DASH;
  const units = language === "zh" ? ["毫秒", "秒", "分钟", "小时", "天"] : ["ms", "s", "min", "h", "d"];
  const size = Math.abs(seconds);
  if (size < 1) return `${Math.round(seconds * 1000)} ${units[0]}`;
  if (size < 120) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} ${units[1]}`;
  if (size < 7200) return `${Math.round(seconds / 60)} ${units[2]}`;
  if (size < 172_800) return `${(seconds / 3600).toFixed(1)} ${units[3]}`;
  return `${(seconds / 86_400).toFixed(1)} ${units[4]}`;
}
