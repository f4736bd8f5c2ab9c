/*
 * The fields of an evidence, in words.
 *
 * Belongs here: what a field is called and how its value is written. Not here: rules; a field that is not known here
 * is shown by its own name, so that a new rule needs no new page.
 */
import { h } from "./dom.js";
import { DASH, duration, shortStamp, stamp } from "./format.js";
import { provinceName } from "./provinces.js";
import { state } from "./store.js";
import { t } from "./words.js";

const FIELDS = {
  owner: ["owner", "所有者"],
  type: ["type", "类型"],
  by: ["refused by", "拒收方式"],
  refusal: ["refusal", "拒收记录"],
  refused_at: ["refused at", "拒收时间"],
  age_ms: ["after the refusal", "距拒收"],
  minutes: ["minutes after", "距拒收（分钟）"],
  past_48_hours: ["past 48 hours", "超过 48 小时"],
  past_3_working_days: ["past 3 working days", "超过 3 个工作日"],
  consent: ["consent", "同意记录"],
  effective_at: ["given at", "同意时间"],
  expires_at: ["expired at", "到期时间"],
  why: ["why", "原因"],
  method: ["method", "取得方式"],
  proof: ["proof", "证明材料"],
  captured_at: ["captured at", "取证时间"],
  count: ["count", "次数"],
  max_per_day: ["agreed a day", "约定每日上限"],
  limit: ["limit", "上限"],
  refused: ["refused owner", "被拒收的所有者"],
  earlier: ["earlier send", "前一条"],
  hours: ["hours", "小时数"],
  signature: ["signature", "签名"],
  port: ["port", "端口"],
  sp: ["SP", "SP 账号"],
  other: ["other filings", "其他报备"],
  filing: ["nearest filing", "最近报备"],
  status: ["status", "状态"],
  begins_at: ["begins at", "生效时间"],
  ended_at: ["ended at", "失效时间"],
  fails: ["not covered", "不符项"],
  filed_ports: ["filed ports", "报备端口"],
  filed_uses: ["filed uses", "报备用途"],
  holder: ["holder", "码号持有者"],
  grantor: ["grantor", "授权方"],
  grantee: ["grantee", "被授权方"],
  letter: ["letter", "授权书"],
  declared: ["declared as", "申报类型"],
  template: ["template", "模板"],
  foreign: ["not filed", "未报备内容"],
  allotment: ["allotment", "码号分配"],
  kinds: ["leads by", "引流方式"],
  local_time: ["local time", "当地时间"],
  sends: ["sends", "下发"],
  signatures: ["signatures", "签名数"],
  ports: ["ports", "端口数"],
  complaints: ["complaints", "投诉"],
  imitates: ["imitates", "仿冒"],
  blocked: ["blocked in a row", "连续被拦截"],
  reported: ["reported", "有回执"],
  undelivered: ["undelivered", "未送达"],
  honeypot: ["honeypot hits", "命中蜜罐"],
  fingerprint: ["text fingerprint", "内容指纹"],
  recipient: ["recipient (token)", "接收方（化名）"],
  expected_complaints: ["complaints to expect", "预计投诉"],
  room: ["room", "余量"],
  ended: ["ended at", "失效时间"],
  nearest: ["nearest filing", "最近报备"],
  at: ["at", "时间"],
  lower_bound: ["lower bound", "置信下限"],
  complaints_per_million: ["complaints per million", "每百万条投诉"],
  lower_bound_per_million: ["95 % lower bound", "95% 置信下限"],
  undelivered_share: ["share undelivered", "未送达占比"],
  per_million: ["per million", "每百万"],
  from: ["from", "起"],
  until: ["until", "止"],
};

/** What a field is called. */
export function fieldName(name) {
  return FIELDS[name]?.[state.language === "zh" ? 1 : 0] ?? name;
}

/** A value of a field, as text. */
export function fieldValue(name, value) {
  if (value === null || value === undefined || value === "") return DASH;
  if (Array.isArray(value))
    return value.map((each) => fieldValue(name, each)).join(state.language === "zh" ? "、" : ", ");
  if (typeof value === "boolean") return state.language === "zh" ? (value ? "是" : "否") : value ? "yes" : "no";
  if (typeof value === "object")
    return Object.entries(value)
      .map(([key, each]) => `${fieldName(key)} ${fieldValue(key, each)}`)
      .join(", ");
  if (
    typeof value === "number" &&
    (name.endsWith("_at") || ["ended", "at", "from", "until"].includes(name)) &&
    value > 1e11
  )
    return stamp(value);
  if (name === "age_ms") return duration(value / 1000, state.language);
  return String(value);
}

/** Fields as a list of names and values. */
export function fields(found) {
  return facts(Object.entries(found ?? {}).map(([name, value]) => [fieldName(name), fieldValue(name, value)]));
}

/** Names and values, as a list. */
export function facts(pairs) {
  return h(
    "dl",
    { class: "facts" },
    pairs
      .filter(Boolean)
      .map(([name, value]) => h("div", { "data-key": name }, h("dt", {}, name), h("dd", {}, value ?? DASH))),
  );
}

/** The send as names and values. */
export function factsOfSend(flag) {
  const { send } = flag,
    { language } = state;
  return facts([
    [t("owner"), [flag.owner_name, send.owner].filter(Boolean).join(" · ") || t("undecided")],
    [t("signature"), send.signature],
    [t("port"), send.port],
    [t("sp"), send.sp],
    [t("type"), [send.type ?? t("undecided"), flag.type_source && `(${flag.type_source})`].filter(Boolean).join(" ")],
    [t("carrier"), send.carrier ?? t("unknown")],
    [t("province"), send.province ? provinceName(send.province, language) : t("unknown")],
    [t("sent_at"), stamp(send.at)],
    [t("judged_at"), shortStamp(flag.judged_at)],
    flag.recipient && [t("recipient"), flag.recipient],
    [t("source"), flag.source],
  ]);
}
