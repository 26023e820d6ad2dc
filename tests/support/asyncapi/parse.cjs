// node parse.cjs BUNDLE DOCUMENT... prints what AsyncAPI's parser says of each document, as JSON. The bundle expects a browser's names.
const { readFileSync } = require("fs");
const { runInThisContext } = require("vm");

const [bundle, ...documents] = process.argv.slice(2);
globalThis.self = globalThis.window = globalThis;
runInThisContext(readFileSync(bundle, "utf8"));
const parser = new globalThis.AsyncAPIParser();
const about = ({ diagnostics }) => diagnostics.map(({ severity, code, message, path }) => ({ severity, code, message, path }));
Promise.all(documents.map((each) => parser.parse(readFileSync(each, "utf8")).then(about))).then((all) => process.stdout.write(JSON.stringify(all)));
