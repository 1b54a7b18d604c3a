import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as messages from '../dist/messages/index.js';
import { decodeMessage, encodeMessage } from '../dist/codec/codec.js';
import { messageFromJson, messageToJson } from '../dist/codec/json.js';

/**
 * Checks the built codecs against a folder of golden vectors: `node scripts/vectors.mjs [DIR]`. DIR holds one JSON file per
 * message; `batches.json` and `murmur2.json` in it or beside it are checked too. Without DIR: the committed vectors.
 */
const committed = join(dirname(fileURLToPath(import.meta.url)), '../test/vectors');
const folder = resolve(process.argv[2] ?? committed);
const schemas = new Map(Object.values(messages).map((schema) => [schema.name, schema]));
let passed = 0;
let failed = 0;

for (const file of readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .sort()) {
  const content = JSON.parse(readFileSync(join(folder, file), 'utf8'));
  if (Array.isArray(content) || !Array.isArray(content.vectors)) continue;
  const schema = schemas.get(content.message);
  content.vectors.forEach((vector, index) =>
    check(`${content.message} version ${vector.version} vector ${index}`, () => {
      if (schema === undefined) throw new Error('no such message');
      checkMessage(schema, vector);
    }),
  );
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;

function check(name, run) {
  try {
    run();
    passed++;
  } catch (error) {
    failed++;
    console.error(`${name}: ${error.message}`);
  }
}

/** The official JSON shows some record fields as empty whatever they hold; there the bytes of `hex` count. */
function checkMessage(schema, { version, hex, json }) {
  const decoded = decodeMessage(schema, version, Buffer.from(hex, 'hex'));
  const shown = messageToJson(schema, version, decoded);
  const expected = withRecords(json, shown);
  same('decoded', canonical(shown), canonical(expected));
  const value = messageFromJson(schema, version, expected);
  same('encoded', encodeMessage(schema, version, value).toString('hex'), hex);
  same('encoded again', encodeMessage(schema, version, decoded).toString('hex'), hex);
}

/** `json` with every empty `records` taken from `shown`. */
function withRecords(json, shown) {
  if (Array.isArray(json)) return json.map((one, index) => withRecords(one, shown?.[index]));
  if (typeof json !== 'object' || json === null) return json;
  return Object.fromEntries(
    Object.entries(json).map(([key, value]) => [
      key,
      /records$/i.test(key) && value === '' ? (shown?.[key] ?? value) : withRecords(value, shown?.[key]),
    ]),
  );
}

function canonical(json) {
  return JSON.stringify(json);
}

function same(what, actual, expected) {
  if (actual !== expected) throw new Error(`${what} ${actual}, expected ${expected}`);
}
