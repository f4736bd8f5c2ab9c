/*
 * Recipients as they are written: one a line, or a table with a head line, as `check-campaign` reads one.
 *
 * Belongs here: cells, columns by their names, and which line is whose. Not here: asking (before.js).
 */
import { instant } from "./format.js";

const COLUMNS = {
  recipient: ["recipient", "number", "号码", "手机号", "接收方"],
  text: ["text", "短信内容", "内容"],
  carrier: ["carrier", "运营商"],
  province: ["province", "省份"],
  planned_at: ["planned_at", "time", "计划时间"],
};
const ELSEWHERE = {
  sp: ["sp", "账号", "发送账号"],
  port: ["port", "端口", "码号", "源号码"],
  signature: ["signature", "签名"],
  category: ["category", "类型"],
  template: ["template", "模板"],
};

/** What cannot be read: `key` of a sentence, and its fields. */
export class Unreadable extends Error {
  constructor(key, fields) {
    super(key);
    this.fields = fields;
  }
}

/** Each recipient with its line: {line, recipient}; `recipient` is an object where a row has more to say of it. */
export function rowsOf(written) {
  const plain = written.replace(/^\ufeff/, "");
  const first = plain.split(/\r?\n/, 1)[0];
  const mark = [",", "\t", ";"].find((each) => first.includes(each)) ?? ",";
  const rows = records(plain, mark);
  const head = (rows[0]?.cells ?? []).map((name) => columnOf(COLUMNS, name));
  if (!head.includes("recipient")) {
    return rows.map(({ line, cells }) => ({ line, recipient: cells[0].split(/[,;\t]/)[0].trim() })).filter(said);
  }
  const strange = rows[0].cells.find((name) => columnOf(ELSEWHERE, name));
  if (strange !== undefined) throw new Unreadable("column_elsewhere", { column: strange.trim() });
  return rows.slice(1).map((row) => rowOf(row, head)).filter(said);
}

const said = ({ recipient }) => Boolean(recipient);

function rowOf({ line, cells }, head) {
  const own = {};
  head.forEach((name, n) => {
    const value = cells[n]?.trim();
    if (name && value) own[name] = name === "planned_at" ? moment(value, line) : value;
  });
  if (Object.keys(own).length && !own.recipient) throw new Unreadable("no_recipient", { n: line });
  return { line, recipient: Object.keys(own).length > 1 ? own : own.recipient };
}

/** A time as it is written: ms, or ISO (UTC+8 where it names no zone). */
function moment(written, line) {
  if (/^\d+$/.test(written)) return Number(written);
  const zoned = /(Z|[+-]\d\d:?\d\d)$/.test(written.slice(10));
  const day = /^\d{4}-\d\d-\d\d$/.test(written) ? `${written}T00:00` : written.replace(" ", "T");
  const at = zoned ? Date.parse(day) : instant(day);
  if (at === null || Number.isNaN(at)) throw new Unreadable("no_time", { n: line });
  return at;
}

function columnOf(columns, name) {
  const wanted = name.trim().toLowerCase();
  return Object.keys(columns).find((column) => columns[column].includes(wanted)) ?? null;
}

/** CSV: cells of each row, and the line on which it begins; a quoted cell may hold marks, line breaks and "". */
function records(text, mark) {
  const found = [];
  let cells = [""],
    quoted = false,
    line = 1,
    begun = 1;
  const end = () => {
    if (cells.some((cell) => cell.trim())) found.push({ line: begun, cells });
    cells = [""];
    begun = line + 1;
  };
  for (let n = 0; n < text.length; n += 1) {
    const each = text[n],
      last = cells.length - 1;
    if (quoted && each === '"' && text[n + 1] === '"') cells[last] += text[(n += 1)];
    else if (each === '"' && (quoted || !cells[last].trim())) quoted = !quoted;
    else if (!quoted && each === mark) cells.push("");
    else if (!quoted && each === "\n") end();
    else if (each !== "\r") cells[last] += each;
    if (each === "\n") line += 1;
  }
  end();
  return found;
}
