import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cacheFolder, interopFolder } from './cache.ts';
import { commandWorks, mustRun, runCommand } from './command.ts';

/** A program to run, or the reason why it cannot run here. */
export type Program = { readonly path: string } | { readonly absent: string };

function hashOf(...files: readonly string[]): string {
  const hash = createHash('sha256');
  for (const file of files) hash.update(readFileSync(file));
  return hash.digest('hex').slice(0, 12);
}

/** A Python that can import confluent-kafka (librdkafka) and aiokafka: a virtual environment in the cache. */
export async function pythonWithClients(): Promise<Program> {
  if (!(await commandWorks('python3', ['--version']))) return { absent: 'no `python3` on the path' };
  const requirements = join(interopFolder, 'python', 'requirements.txt');
  const folder = cacheFolder(`python-${hashOf(requirements)}`);
  const path = join(folder, 'bin', 'python');
  const ready = join(folder, 'ready');
  if (existsSync(ready)) return { path };
  const venv = await runCommand('python3', ['-m', 'venv', folder]);
  if (venv.code !== 0) return { absent: 'python3 cannot make virtual environments (install python3-venv)' };
  const pip = await runCommand(
    path,
    ['-m', 'pip', 'install', '-q', '--only-binary=:all:', '-r', requirements],
    {
      timeoutMs: 300_000,
    },
  );
  if (pip.code !== 0) return { absent: `pip could not install ${requirements}: ${lastLine(pip.stderr)}` };
  writeFileSync(ready, '');
  return { path };
}

/** The Go program of `interop/go` (franz-go and sarama), built into the cache. */
export async function goProgram(): Promise<Program> {
  if (!(await commandWorks('go', ['version']))) return { absent: 'no `go` on the path' };
  const source = join(interopFolder, 'go');
  const files = ['go.mod', 'go.sum', 'main.go', 'franz.go', 'sarama.go'].map((name) => join(source, name));
  const path = join(cacheFolder('go'), `clients-${hashOf(...files)}`);
  if (existsSync(path)) return { path };
  try {
    await mustRun('go', ['build', '-o', path, '.'], { cwd: source });
  } catch (error) {
    return { absent: `the Go clients did not build: ${lastLine((error as Error).message)}` };
  }
  return { path };
}

/** kcat from the system; nothing installs it for us. */
export async function kcatProgram(): Promise<Program> {
  return (await commandWorks('kcat', ['-V']))
    ? { path: 'kcat' }
    : { absent: 'no `kcat` on the path (apt install kcat)' };
}

const LIBRDKAFKA_PACKAGE = '@confluentinc/kafka-javascript';
const LIBRDKAFKA_VERSION = '1.10.1';

/**
 * The Node binding of librdkafka, in the cache and not in the workspace: where there is no binary for this machine to be
 * fetched it is compiled, which takes minutes and needs a C++ compiler and the headers of OpenSSL, zlib, zstd and curl.
 */
export async function nodeLibrdkafka(): Promise<Program> {
  const folder = cacheFolder(`node-librdkafka-${LIBRDKAFKA_VERSION}-${process.versions.modules}`);
  const path = join(folder, 'node_modules', LIBRDKAFKA_PACKAGE, 'lib', 'index.js');
  const ready = join(folder, 'ready');
  if (existsSync(ready)) return { path };
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  const nodeFolder = dirname(dirname(process.execPath));
  const hasHeaders = existsSync(join(nodeFolder, 'include', 'node', 'node_api.h'));
  const npm = await runCommand(
    'npm',
    ['install', '--no-audit', '--no-fund', `${LIBRDKAFKA_PACKAGE}@${LIBRDKAFKA_VERSION}`],
    {
      cwd: folder,
      // Linked with the system's libraries: the static way fetches the sources of all of them.
      env: { CKJS_LINKING: 'dynamic', ...(hasHeaders && { npm_config_nodedir: nodeFolder }) },
      timeoutMs: 1_200_000,
    },
  );
  const loads =
    npm.code === 0 && (await commandWorks(process.execPath, ['-e', `require(${JSON.stringify(path)})`]));
  if (!loads) return { absent: `npm could not install ${LIBRDKAFKA_PACKAGE}: ${lastError(npm.stderr)}` };
  writeFileSync(ready, '');
  return { path };
}

/** The last thing that npm says before the way to its log. */
function lastError(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => /fail|error|ERR!/i.test(line));
  return lines.findLast((line) => !/log of this run|not ok|npm error \[/.test(line)) ?? lastLine(stderr);
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
