import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';

const bin = fileURLToPath(new URL('../bin/ottla.cjs', import.meta.url));
const isBuilt = existsSync(new URL('../dist/cli.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'ottla-cli-'));

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `ottla`; when a line says that the broker is ready, it gets the signals one after the other. */
async function run(args: readonly string[], signals: readonly NodeJS.Signals[] = []): Promise<Outcome> {
  const child = spawn(process.execPath, [bin, ...args], {
    cwd: folder,
    env: { ...process.env, KAFKA_LOG_DIRS: undefined },
  });
  let stdout = '';
  let stderr = '';
  let signalled = false;
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
    if (signalled || !stdout.includes('is ready on')) return;
    signalled = true;
    for (const signal of signals) child.kill(signal);
  });
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const code = await new Promise<number | null>((resolve) =>
    child.on('close', (exitCode) => resolve(exitCode)),
  );
  return { code, stdout, stderr };
}

function startArgs(logDir: string, ...more: string[]): string[] {
  const overrides = [`log.dirs=${join(folder, logDir)}`, 'listeners=PLAINTEXT://127.0.0.1:0', ...more];
  return ['start', '--log-level', 'error', ...overrides.flatMap((text) => ['--override', text])];
}

describe.skipIf(!isBuilt)('the ottla command', () => {
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('--version prints the version alone', async () => {
    expect(await run(['--version'])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
      stderr: '',
    });
  });

  test('an option that does not exist or takes no such value ends with one line and exit code 1', async () => {
    for (const args of [
      ['--log-level', 'verbose'],
      ['--overide', 'a=b'],
    ]) {
      const { code, stdout, stderr } = await run(['start', ...args]);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(/^ottla: .*\n(?:\(Did you mean .*\)\n)?$/);
    }
  });

  test.each([
    [['topics', 'alter', '--partitions', '3'], "unknown command 'alter' of 'ottla topics'", '  grow '],
    [['topics', '-b', 'nowhere:1', 'alter'], "unknown command 'alter' of 'ottla topics'", '  grow '],
    [['configs', 'descrbe'], "unknown command 'descrbe' of 'ottla configs'", '(Did you mean describe?)'],
    [['topicks'], "unknown command 'topicks' of 'ottla'", '(Did you mean topics?)'],
    [['topics', 'list', 'one'], "'ottla topics list' takes no arguments", '"one" is one too many'],
  ])('%j says what is wrong, and what there is', async (args, problem, remedy) => {
    const { code, stdout, stderr } = await run(args);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(problem);
    expect(stderr).toContain(remedy);
  });

  test('help shows the help of a subcommand too, with defaults as they are typed', async () => {
    const { code, stdout } = await run(['help', 'bench', 'produce']);
    expect(code).toBe(0);
    expect(stdout).toContain('Usage: ottla bench produce [options] [topic]');
    expect(stdout).toContain('(default: 50,95,99,99.9)');
    expect(stdout).toContain('(default: \\n)');
    expect((await run(['help', 'bench', 'prodcue'])).stderr).toContain('(Did you mean produce?)');
  });

  test('a start says in one line where it is ready, and SIGTERM stops it cleanly with exit code 0', async () => {
    const { code, stdout } = await run(startArgs('clean'), ['SIGTERM']);
    expect(stdout).toMatch(
      /^Ottla \d+\.\d+\.\d+ is ready on PLAINTEXT:\/\/127\.0\.0\.1:\d+ .*\nStopped cleanly in /,
    );
    expect(code).toBe(0);
  });

  test('a server.properties file of a real single node starts as it is, controller listener and all', async () => {
    const file = join(folder, 'server.properties');
    const lines = [
      'process.roles=broker,controller',
      'node.id=1',
      'controller.quorum.bootstrap.servers=localhost:9093',
      'listeners=PLAINTEXT://127.0.0.1:0,CONTROLLER://127.0.0.1:9093',
      'inter.broker.listener.name=PLAINTEXT',
      'controller.listener.names=CONTROLLER',
      'listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT',
      'num.network.threads=3',
      'socket.send.buffer.bytes=102400',
      `log.dirs=${join(folder, 'from-file')}`,
    ];
    writeFileSync(file, lines.join('\n'));
    const { code, stdout } = await run(['start', file, '--log-level', 'error'], ['SIGINT']);
    expect(stdout).not.toContain('CONTROLLER');
    expect(code).toBe(0);
  });

  test.each([
    [
      'a file that does not exist',
      ['start', '/no/such/file'],
      /^ottla: Cannot read the properties file "\/no\/such\/file"/,
    ],
    [
      'a bad value',
      startArgs('bad', 'num.partitions=abc'),
      /^ottla: Invalid value abc for configuration num\.partitions/,
    ],
    [
      'a directory of another node',
      startArgs('clean', 'node.id=2'),
      /^ottla: Log directory .* belongs to the node/,
    ],
    [
      'a port that does not exist',
      startArgs('port', 'listeners=PLAINTEXT://127.0.0.1:99999'),
      /^ottla: Listener "PLAINTEXT" has port "99999"/,
    ],
    [
      'a listener without an address',
      startArgs('listener', 'listeners=foo'),
      /^ottla: .*Unable to parse foo .* NAME:\/\/host:port, for example PLAINTEXT:\/\/127\.0\.0\.1:9092\n$/,
    ],
  ])('%s ends with one line and exit code 1', async (_, args, line) => {
    const { code, stdout, stderr } = await run(args);
    expect(stderr).toMatch(line);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(stdout).toBe('');
    expect(code).toBe(1);
  });

  test('a port in use ends with one line and exit code 1', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    const { code, stderr } = await run(startArgs('used', `listeners=PLAINTEXT://127.0.0.1:${port}`));
    server.close();
    expect(stderr).toContain(`Port ${port} on 127.0.0.1 is already in use`);
    expect(code).toBe(1);
  });
});
