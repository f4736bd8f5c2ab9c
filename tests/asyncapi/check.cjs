// AsyncAPI's own parser over a document with everything it refers to: status 1 where it finds an error or a warning.
// What it only informs of, such as a newer version of the specification, is told.
// Usage: node check.cjs DOCUMENT

const { Parser, fromFile } = require("@asyncapi/parser");

const NAMES = ["error", "warning", "information", "hint"];

async function main(path) {
  const { document, diagnostics } = await fromFile(new Parser(), path).parse();
  for (const each of diagnostics) {
    console.log(`${NAMES[each.severity]}: ${each.path.join("/")}: ${each.message} (${each.code})`);
  }
  if (document === undefined || diagnostics.some((each) => each.severity <= 1)) {
    process.exit(1);
  }
  const channels = document.channels().all();
  const payloads = document.messages().all().filter((each) => each.payload() !== undefined);
  console.log(`${path}: AsyncAPI ${document.version()}, ${channels.length} channels, ${payloads.length} messages`);
}

main(process.argv[2]);
