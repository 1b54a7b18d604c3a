import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { declarationFiles } from './import-specs/declarations.mjs';
import { readSpecs } from './import-specs/specs.mjs';
import { apiTableSource, indexSource } from './import-specs/tables.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const source = join(root, 'packages/protocol/src');
const specs = readSpecs(process.argv[2]).filter((spec) => spec.validVersions !== 'none');
const folder = join(source, 'messages');
rmSync(folder, { recursive: true, force: true });
const files = declarationFiles(specs);
files.set('index', indexSource(specs));
files.set('api-table', apiTableSource(specs));
for (const [file, text] of files) {
  const path = join(folder, `${file}.ts`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
execFileSync('npx', ['oxfmt', folder], { cwd: root, stdio: 'inherit' });
console.log(`${specs.length} messages in ${files.size} files`);
