import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkBatch, checkMessage, checkMurmur2 } from './vector-checks.mjs';

/**
 * Checks the built codecs against golden vectors: `npm run vectors -- DIR`. DIR holds one JSON file per message; record
 * batches (`batches.json`) and hashes (`murmur2.json`) in it or beside it are checked too. Without DIR: the vectors of
 * this repository. Ends with `N passed, M failed`; the exit code says whether all passed.
 */
const committed = join(dirname(fileURLToPath(import.meta.url)), '../test/vectors');
const folder = resolve(process.env.INIT_CWD ?? '.', process.argv[2] ?? committed);
const SHOWN_FAILURES = 50;
const special = { 'batches.json': checkBatch, 'murmur2.json': checkMurmur2 };
let passed = 0;
let failed = 0;

for (const file of readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .sort()) {
  if (file in special) continue;
  const content = readJson(join(folder, file));
  if (!Array.isArray(content.vectors)) continue;
  content.vectors.forEach((vector, index) =>
    check(`${content.message} version ${vector.version}, vector ${index}`, () =>
      checkMessage(content, vector),
    ),
  );
}
for (const [file, checkOne] of Object.entries(special)) {
  const path = [join(folder, file), join(folder, '..', file)].find((one) => existsSync(one));
  if (path === undefined) continue;
  readJson(path).forEach((vector, index) => check(`${file} ${index}`, () => checkOne(vector)));
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;

function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}

function check(name, run) {
  try {
    run();
    passed++;
  } catch (error) {
    failed++;
    if (failed <= SHOWN_FAILURES) console.error(`${name}: ${error.message}`);
  }
}
