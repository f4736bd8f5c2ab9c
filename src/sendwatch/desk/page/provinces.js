/*
 * China's 34 provinces, by GB/T 2260: names in both languages, and each one's tile.
 *
 * Belongs here: where a province lies on the grid. Not here: how many flags it has.
 *
 * Every province has the same tile, so that Shanghai is as easy to see as Xinjiang; neighbours stay neighbours.
 */

const ROWS = [
  ".  .  .  .  .  .  .  23",
  ".  .  .  .  15 .  .  22",
  "65 .  .  64 14 11 12 21",
  ".  63 62 61 41 13 37 .",
  "54 .  51 50 42 34 32 31",
  ".  .  53 52 43 36 33 .",
  ".  .  .  45 44 35 .  71",
  ".  .  .  46 82 81 .  .",
];

const NAMES = {
  11: ["BJ", "Beijing", "京", "北京"],
  12: ["TJ", "Tianjin", "津", "天津"],
  13: ["HE", "Hebei", "冀", "河北"],
  14: ["SX", "Shanxi", "晋", "山西"],
  15: ["NM", "Inner Mongolia", "蒙", "内蒙古"],
  21: ["LN", "Liaoning", "辽", "辽宁"],
  22: ["JL", "Jilin", "吉", "吉林"],
  23: ["HL", "Heilongjiang", "黑", "黑龙江"],
  31: ["SH", "Shanghai", "沪", "上海"],
  32: ["JS", "Jiangsu", "苏", "江苏"],
  33: ["ZJ", "Zhejiang", "浙", "浙江"],
  34: ["AH", "Anhui", "皖", "安徽"],
  35: ["FJ", "Fujian", "闽", "福建"],
  36: ["JX", "Jiangxi", "赣", "江西"],
  37: ["SD", "Shandong", "鲁", "山东"],
  41: ["HA", "Henan", "豫", "河南"],
  42: ["HB", "Hubei", "鄂", "湖北"],
  43: ["HN", "Hunan", "湘", "湖南"],
  44: ["GD", "Guangdong", "粤", "广东"],
  45: ["GX", "Guangxi", "桂", "广西"],
  46: ["HI", "Hainan", "琼", "海南"],
  50: ["CQ", "Chongqing", "渝", "重庆"],
  51: ["SC", "Sichuan", "川", "四川"],
  52: ["GZ", "Guizhou", "贵", "贵州"],
  53: ["YN", "Yunnan", "云", "云南"],
  54: ["XZ", "Tibet", "藏", "西藏"],
  61: ["SN", "Shaanxi", "陕", "陕西"],
  62: ["GS", "Gansu", "甘", "甘肃"],
  63: ["QH", "Qinghai", "青", "青海"],
  64: ["NX", "Ningxia", "宁", "宁夏"],
  65: ["XJ", "Xinjiang", "新", "新疆"],
  71: ["TW", "Taiwan", "台", "台湾"],
  81: ["HK", "Hong Kong", "港", "香港"],
  82: ["MO", "Macao", "澳", "澳门"],
};

/** Every province in reading order: `{code, row, column}`, both counted from 1. */
export const TILES = ROWS.flatMap((line, row) =>
  line
    .split(/\s+/)
    .map((code, column) => ({ code, row: row + 1, column: column + 1 }))
    .filter(({ code }) => code !== "."),
);

/** The name of a province, or its code where we don't know it. */
export function provinceName(code, language) {
  return NAMES[code]?.[language === "zh" ? 3 : 1] ?? code;
}

/** The same in one Chinese character or two letters. */
export function provinceMark(code, language) {
  return NAMES[code]?.[language === "zh" ? 2 : 0] ?? code;
}
