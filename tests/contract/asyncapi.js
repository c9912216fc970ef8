// Reads an AsyncAPI document with the official parser: anything that it finds is a fault, and it must find one in a
// document that is broken.
//
//   node asyncapi.js openapi/asyncapi.json

import { Parser } from "@asyncapi/parser";
import { readFileSync } from "node:fs";

// The document is of 3.0.0: not all tools read 3.1.0 yet.
const ALLOWED = ["asyncapi-latest-version"];

async function faults(text) {
  const { document, diagnostics } = await new Parser().parse(text);
  const found = diagnostics.filter(({ code }) => !ALLOWED.includes(code));
  const lines = found.map(({ code, message, path }) => `${code}: ${message}\n    at ${path.join(".")}`);
  return document || lines.length ? lines : ["the parser made no document of it"];
}

const text = readFileSync(process.argv[2], "utf8");
const found = await faults(text);
found.forEach((line) => console.log(line));
console.log(`${found.length} faults`);

const broken = JSON.parse(text);
Object.values(broken.operations)[0].action = "sends";
if ((await faults(JSON.stringify(broken))).length === 0) {
  console.log("the parser finds nothing in a broken document");
  process.exit(1);
}
process.exit(found.length === 0 ? 0 : 1);
