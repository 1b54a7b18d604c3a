/**
 * Makes a fresh clone usable: installs packages when they are missing or the lockfile changed, and builds when
 * a source is newer than the last build. Uses Node built-ins only, because nothing else may be there yet.
 */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stamp = join(root, 'node_modules', '.ottla-prepared');

/** Newest modification time, in milliseconds, of the files below `folder` that the build reads. */
function newestSourceMs(folder) {
  let newest = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name === 'node_modules' || entry.name === 'dist' || entry.name === 'test') continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) newest = Math.max(newest, newestSourceMs(path));
    else if (/\.(ts|json)$/.test(entry.name)) newest = Math.max(newest, statSync(path).mtimeMs);
  }
  return newest;
}

/** Runs one step and, when it fails, shows what it printed and ends with its exit code. */
function step(label, command, args) {
  const started = Date.now();
  process.stderr.write(`  first run   ${label} `.padEnd(46, '.'));
  const result = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  if (result.status !== 0) {
    process.stderr.write(
      ' failed\n' + (result.stdout ?? '') + (result.stderr ?? '') + (result.error ?? '') + '\n',
    );
    process.exit(result.status || 1);
  }
  process.stderr.write(` ${((Date.now() - started) / 1000).toFixed(1)} s\n`);
}

/** Installs and builds what is stale; returns at once when nothing is. */
export function prepare() {
  const lock = join(root, 'package-lock.json');
  const installed = join(root, 'node_modules', '.package-lock.json');
  const lockText = readFileSync(lock, 'utf8');
  const marker = existsSync(stamp) ? readFileSync(stamp, 'utf8') : '';
  if (!existsSync(installed) || marker !== lockText) {
    step('installing packages', 'npm', ['install', '--no-audit', '--no-fund', '--loglevel=error']);
    mkdirSync(dirname(stamp), { recursive: true });
    writeFileSync(stamp, readFileSync(lock, 'utf8'));
  }
  const built = join(root, 'packages', 'ottla', 'dist', '.built');
  const builtMs = existsSync(built) ? statSync(built).mtimeMs : 0;
  if (newestSourceMs(join(root, 'packages')) > builtMs) {
    const begun = new Date();
    step('building', process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-b']);
    step('bundling the command', process.execPath, [join(root, 'scripts', 'bundle.mjs')]);
    writeFileSync(built, '');
    utimesSync(built, begun, begun);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) prepare();
