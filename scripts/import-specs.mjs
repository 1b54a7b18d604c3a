import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { declarationFiles } from './import-specs/declarations.mjs';
import { readRelease } from './import-specs/jars.mjs';
import { readSpecs } from './import-specs/specs.mjs';
import { allMessagesSource, apiTableSource, errorCodesSource, indexSource } from './import-specs/tables.mjs';

/**
 * Brings the messages and error codes of a Kafka release into packages/protocol:
 *
 *   npm run import-specs              the release that is declared now
 *   npm run import-specs -- 4.5.0     another one
 *
 * Needs a JDK and Maven. Takes facts only: names, types, versions, nullability, tags, defaults, entity types, listeners,
 * codes. Rewrites `src/messages/` and `src/errors/error-codes.ts`; look at the difference, run `npm test`, and commit it.
 * New golden vectors come separately: the vector test fails for a message that has none.
 */
const DECLARED_RELEASE = '4.4.0';

const version = process.argv[2] ?? DECLARED_RELEASE;
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const source = join(root, 'packages/protocol/src');
const release = readRelease(version, join(root, '.cache/import-specs', version));
const specs = readSpecs(release.specs).filter((spec) => spec.validVersions !== 'none');

const files = new Map([
  ...[...declarationFiles(specs)].map(([file, text]) => [`messages/${file}`, text]),
  ['messages/index', indexSource(specs)],
  ['messages/api-table', apiTableSource(specs)],
  ['messages/all-messages', allMessagesSource()],
  ['errors/error-codes', errorCodesSource(release.errors)],
]);
rmSync(join(source, 'messages'), { recursive: true, force: true });
for (const [file, text] of files) {
  const path = join(source, `${file}.ts`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
execFileSync('npx', ['oxfmt', 'packages/protocol/src'], { cwd: root, stdio: 'ignore' });
console.log(
  `Kafka ${version}: ${specs.length} messages and ${release.errors.length} error codes in ${files.size} files`,
);
