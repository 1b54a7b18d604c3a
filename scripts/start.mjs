/**
 * `npm start -- ...` is `ottla start ...` on a fresh clone: installs and builds what is missing or stale, then becomes
 * the command. Uses Node built-ins only.
 */
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { prepare } from './prepare.mjs';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`ottla: Node.js 20.19 or newer is needed, this is ${process.versions.node}\n`);
  process.exit(1);
}

prepare();

const command = join(
  dirname(dirname(fileURLToPath(import.meta.url))),
  'packages',
  'ottla',
  'bin',
  'ottla.cjs',
);
const child = spawn(process.execPath, [command, 'start', ...process.argv.slice(2)], { stdio: 'inherit' });

// A terminal sends Ctrl-C to the whole group, so the child has had it already; a signal sent to this process alone has to
// be passed on. Either way this process only ends after the child.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => child.kill('SIGTERM'));
child.on('error', (error) => {
  process.stderr.write(`ottla: ${error.message}\n`);
  process.exit(1);
});
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 143)));
