import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connect } from '@ottla/client';
import { startBroker, type TestBroker } from '@ottla/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const bin = fileURLToPath(new URL('../bin/ottla.cjs', import.meta.url));
const isBuilt = existsSync(new URL('../dist/cli.js', import.meta.url));

let kafka: TestBroker;

/** Runs `ottla` against the broker of this file. */
async function ottla(
  args: readonly string[],
  input = '',
): Promise<{ code: number; stdout: string; stderr: string }> {
  const env = { ...process.env, KAFKA_BROKERS: kafka.bootstrap };
  const child = spawn(process.execPath, [bin, ...args], { env });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdin.end(input);
  const code = await new Promise<number>((resolve) => child.on('close', (exit) => resolve(exit ?? -1)));
  return { code, stdout, stderr };
}

function parsed(jsonl: string): unknown[] {
  return jsonl
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown);
}

describe.skipIf(!isBuilt)('commands against a cluster', () => {
  beforeAll(async () => {
    const numbers = Array.from({ length: 5 }, (_, i) => ({
      key: `k${i}`,
      value: `v${i}`,
      timestamp: 1000 + i,
    }));
    kafka = await startBroker({
      // The timestamps are old: with retention the records would go half a minute after the start.
      topics: { orders: 3, numbers: { partitions: 1, configs: { 'retention.ms': '-1' } } },
      records: { numbers, pair: [{ key: 'a', value: 'A', headers: { h: 'x' } }] },
    });
  });
  afterAll(() => kafka.close());

  test('topics are created, described, grown, listed and deleted', async () => {
    expect(
      await ottla(['topics', 'create', 'fresh', '-p', '2', '--config', 'retention.ms=5000']),
    ).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^NAME +PARTITIONS +TOPIC-ID\nfresh +2 +\S{22}\n$/),
    });
    const again = await ottla(['topics', 'create', 'fresh']);
    expect(again.code).toBe(1);
    expect(again.stderr).toBe(
      'ottla: TOPIC_ALREADY_EXISTS: Topic \'fresh\' already exists (topic "fresh")\n',
    );
    expect((await ottla(['topics', 'create', 'fresh', '--if-not-exists'])).code).toBe(0);
    expect((await ottla(['topics', 'grow', 'fresh', '3'])).code).toBe(0);
    const described = await ottla(['topics', 'describe', 'fresh', '--jsonl']);
    expect(parsed(described.stdout)).toMatchObject(
      [0, 1, 2].map((partition) => ({ topic: 'fresh', partition })),
    );
    const all = parsed((await ottla(['topics', 'describe', '--jsonl'])).stdout) as { topic: string }[];
    expect(new Set(all.map(({ topic }) => topic))).toEqual(new Set(['fresh', 'numbers', 'orders', 'pair']));
    expect((await ottla(['topics', 'delete', 'fresh'])).code).toBe(0);
    const names = JSON.parse((await ottla(['topics', '--json'])).stdout) as { name: string }[];
    expect(names.map(({ name }) => name)).toEqual(['numbers', 'orders', 'pair']);
  });

  test.each([
    [
      ['-o', 'beginning'],
      ['v0', 'v1', 'v2', 'v3', 'v4'],
    ],
    [
      ['-o', '3'],
      ['v3', 'v4'],
    ],
    [
      ['-o', '-2'],
      ['v3', 'v4'],
    ],
    [
      ['-o', 's@1002'],
      ['v2', 'v3', 'v4'],
    ],
    [
      ['-o', 'beginning', '-c', '2'],
      ['v0', 'v1'],
    ],
    [
      ['-o', 'beginning', '--grep', '^k[13]$'],
      ['v1', 'v3'],
    ],
    [['-o', 'earliest', '-c', '1'], ['v0']],
    [['-o', 'end'], []],
    [['-o', 'latest'], []],
  ])('consume %j prints from there to the end', async (args, values) => {
    const { code, stdout, stderr } = await ottla(['consume', 'numbers', '-e', ...args]);
    expect({ code, stderr, lines: stdout.split('\n').slice(0, -1) }).toEqual({
      code: 0,
      stderr: '',
      lines: values,
    });
  });

  test.each([
    [['--read-committed'], ['kept']],
    [[], ['kept', 'aborted']],
  ])('consume %j to an end that is a transaction marker ends there', async (args, values) => {
    const topicName = `ledger-${args.length}`;
    await kafka.createTopic(topicName, 1);
    await using client = connect({ bootstrap: kafka.bootstrap });
    await using producer = client.producer({ transactionalId: topicName });
    await producer.transaction((tx) => tx.send(topicName, { value: 'kept' }));
    const failed = producer.transaction(async (tx) => {
      await tx.send(topicName, { value: 'aborted' });
      throw new Error('not this one');
    });
    await expect(failed).rejects.toThrow('not this one');
    expect((await ottla(['transactions'])).stdout).toMatch(
      new RegExp(`^${topicName} +\\d+ +CompleteAbort$`, 'm'),
    );
    const { code, stdout } = await ottla(['consume', topicName, '-o', 'beginning', '-e', ...args]);
    expect({ code, lines: stdout.split('\n').slice(0, -1) }).toEqual({ code: 0, lines: values });
  });

  test('consume prints what a format names, and JSON', async () => {
    const format = '%t %p %o %k %s{hex} %S %h %%\\n';
    const { stdout } = await ottla(['consume', 'pair', '-o', 'beginning', '-e', '-f', format]);
    expect(stdout).toBe('pair 0 0 a 41 1 h=x %\n');
    const json = await ottla(['consume', 'pair', '-o', 'beginning', '-e', '--jsonl']);
    expect(parsed(json.stdout)).toMatchObject([
      { key: 'a', value: 'A', headers: [{ key: 'h', value: 'x' }] },
    ]);
  });

  test('produce tells how many records are stored when a line is refused', async () => {
    await kafka.createTopic('partly', 1);
    const { code, stderr } = await ottla(['produce', 'partly', '-K', ':'], 'a:1\nb\nc:3\n');
    expect(code).toBe(1);
    expect(stderr).toBe('ottla: 1 record stored in "partly"\nottla: Line "b" has no key delimiter ":"\n');
    expect(await kafka.records('partly')).toHaveLength(1);
    expect((await ottla(['consume', 'partly', '-o', 'beginning', '-c', '0'])).stdout).toBe('');
  });

  test('produce stores a record for each line, with keys, headers and tombstones', async () => {
    const { code, stderr } = await ottla(
      ['produce', 'orders', '-K', ':', '-H', 'from=test', '-Z', '-z', 'lz4'],
      'c-17:12.5\nc-18:\n',
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'ottla: 2 records stored in "orders"\n' });
    const records = await kafka.records('orders');
    expect(records.map(({ key, value }) => [key, value]).sort()).toEqual([
      ['c-17', '12.5'],
      ['c-18', null],
    ]);
    expect(records[0]?.headers).toEqual({ from: 'test' });
    expect(await ottla(['produce', 'orders', '-K', ':'], 'no key\n')).toMatchObject({
      code: 1,
      stderr: 'ottla: 0 records stored in "orders"\nottla: Line "no key" has no key delimiter ":"\n',
    });
  });

  test('a group is reset by a plan first, then for good, and described with its lag', async () => {
    const reset = ['groups', 'reset-offsets', 'billing', '-t', 'numbers', '--jsonl'];
    const plan = await ottla([...reset, '--to-offset', '2']);
    expect(parsed(plan.stdout)).toEqual([
      { group: 'billing', topic: 'numbers', partition: 0, from: null, to: 2 },
    ]);
    expect(plan.stderr).toContain('add --execute');
    expect((await ottla(['groups', 'describe', 'billing'])).stderr).toContain('GROUP_ID_NOT_FOUND');
    expect((await ottla([...reset, '--to-offset', '2', '--execute'])).code).toBe(0);
    const described = await ottla(['groups', 'describe', 'billing', '--jsonl']);
    expect(parsed(described.stdout)).toMatchObject([{ committed: 2, logEndOffset: 5, lag: 3 }]);
    expect((await ottla(['groups', 'describe', '--jsonl'])).stdout).toBe(described.stdout);
    for (const [way, to] of [
      [['--shift-by', '-1'], 1],
      [['--to-earliest'], 0],
      [['--to-latest'], 5],
      [['--to-datetime', '1970-01-01T00:00:01.003'], 3],
      [['--to-current'], 2],
    ] as const) {
      expect(parsed((await ottla([...reset, ...way])).stdout), way[0]).toMatchObject([{ from: 2, to }]);
    }
    expect((await ottla([...reset, '--to-latest', '--to-earliest'])).stderr).toContain(
      'Give one of --to-earliest',
    );
    expect((await ottla(['groups', 'delete', 'billing'])).code).toBe(0);
    expect((await ottla(['groups'])).stdout).toBe('');
  }, 60_000);

  test('offsets of a group are exported, read from a file and deleted', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ottla-offsets-'));
    try {
      const reset = ['groups', 'reset-offsets', 'ledger-readers'];
      expect((await ottla([...reset, '--all-topics', '--to-earliest'])).stderr).toBe(
        'ottla: The group has no offsets; name topics with --topic\n',
      );
      expect((await ottla([...reset, '-t', 'numbers', '--to-offset', '4', '--execute'])).code).toBe(0);
      const exported = await ottla([...reset, '--all-topics', '--to-current', '--export']);
      expect(exported.stdout).toBe('numbers,0,4\n');
      const file = join(folder, 'offsets.csv');
      writeFileSync(file, 'ledger-readers,numbers,0,1\nothers,numbers,0,2\n');
      expect((await ottla([...reset, '--from-file', file, '--execute'])).code).toBe(0);
      const described = await ottla(['groups', 'describe', 'ledger-readers', '--jsonl']);
      expect(parsed(described.stdout)).toMatchObject([{ topic: 'numbers', committed: 1 }]);
      writeFileSync(file, 'numbers,first,1\n');
      expect((await ottla([...reset, '--from-file', file])).stderr).toBe(
        'ottla: Line 1 is not topic,partition,offset: "numbers,first,1"\n',
      );
      const deletion = ['groups', 'delete-offsets', 'ledger-readers', '-t', 'numbers'];
      expect(await ottla(deletion)).toMatchObject({ code: 1, stderr: expect.stringContaining('--force') });
      expect((await ottla([...deletion, '--force'])).code).toBe(0);
      await ottla(['groups', 'delete', 'ledger-readers']);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }, 60_000);

  test('a transaction that is open is described by its id and by its producer, and ended by force', async () => {
    await kafka.createTopic('open-ledger', 1);
    await using client = connect({ bootstrap: kafka.bootstrap });
    await using producer = client.producer({ transactionalId: 'open-writer' });
    let end: () => void = () => {};
    let began: () => void = () => {};
    const held = new Promise<void>((resolve) => (end = resolve));
    const begun = new Promise<void>((resolve) => (began = resolve));
    const transaction = producer
      .transaction(async (tx) => {
        await tx.send('open-ledger', { value: 'a' });
        began();
        await held;
      })
      .catch((error: unknown) => error);
    await begun;
    const described = await ottla(['transactions', 'describe', 'open-writer', '--jsonl']);
    expect(parsed(described.stdout)).toMatchObject([
      { transactionalId: 'open-writer', state: 'Ongoing', partitions: ['open-ledger-0'] },
    ]);
    const producers = await ottla(['transactions', 'describe-producers', 'open-ledger', '0', '--jsonl']);
    expect(parsed(producers.stdout)).toMatchObject([{ currentTransactionStartOffset: 0 }]);
    expect(await ottla(['transactions', 'find-hanging', '--topic', 'open-ledger'])).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
    expect((await ottla(['transactions', 'force-terminate', 'open-writer', '--force'])).code).toBe(0);
    end();
    expect(await transaction).toMatchObject({ name: expect.stringMatching(/FENCED|EPOCH/) });
    expect((await ottla(['transactions', 'describe', 'nobody'])).stderr).toMatch(
      /^ottla: TRANSACTIONAL_ID_NOT_FOUND: /,
    );
  }, 60_000);

  test('configs of a topic are changed and shown', async () => {
    expect((await ottla(['configs', 'alter', 'topic', 'orders', '--set', 'retention.ms=5000'])).code).toBe(0);
    const shown = await ottla(['configs', 'describe', 'topic', 'orders', '--jsonl']);
    expect(parsed(shown.stdout)).toContainEqual(
      expect.objectContaining({ name: 'retention.ms', value: '5000', source: 'DYNAMIC_TOPIC_CONFIG' }),
    );
    expect((await ottla(['configs', 'alter', 'topic', 'orders', '--unset', 'retention.ms'])).code).toBe(0);
    expect((await ottla(['configs', 'describe', 'topic', 'orders', '--jsonl'])).stdout).not.toContain(
      'retention.ms',
    );
    expect((await ottla(['configs', 'describe', 'planet', 'x'])).stderr).toContain(
      'Type "planet" is none of topic',
    );
  });

  test('the cluster, its log directories and its transactions are shown', async () => {
    expect(parsed((await ottla(['cluster', '--jsonl'])).stdout)).toMatchObject([
      { nodeId: 1, isController: true },
    ]);
    const dirs = parsed((await ottla(['log-dirs', '--jsonl'])).stdout);
    expect(dirs).toContainEqual(
      expect.objectContaining({ broker: 1, topic: 'numbers', partition: 0, isFuture: false }),
    );
  });

  test('leaders are elected where that is needed, and replicas move to brokers that there are', async () => {
    const elect = (...args: string[]) => ottla(['topics', 'elect-leaders', ...args]);
    const { code, stdout } = await elect('numbers', '-p', '0', '--jsonl');
    expect([code, parsed(stdout)]).toEqual([0, [{ topic: 'numbers', partition: 0, elected: false }]]);
    expect(await elect('--all-topics')).toEqual({ code: 0, stdout: '', stderr: '' });
    expect((await elect('numbers', '-p', '99')).stderr).toMatch(/^ottla: UNKNOWN_TOPIC_OR_PARTITION: /);
    expect((await elect('nothing-here')).stderr).toMatch(/^ottla: UNKNOWN_TOPIC_OR_PARTITION: /);
    expect((await elect()).stderr).toContain('Name the topics, or give --all-topics');
    expect(await elect('numbers', '--unclean')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('Nothing was changed') as string,
    });
    expect((await elect('numbers', '-p', '0', '--unclean', '--force', '--jsonl')).stdout).toContain(
      '"elected":false',
    );
    const reassign = (...args: string[]) => ottla(['topics', 'reassign', 'numbers', '0', ...args]);
    expect(await reassign('1')).toEqual({ code: 0, stdout: '', stderr: '' });
    expect((await reassign('1,9')).stderr).toMatch(/^ottla: INVALID_REPLICA_ASSIGNMENT: /);
    expect((await reassign('--cancel')).stderr).toMatch(/^ottla: NO_REASSIGNMENT_IN_PROGRESS: /);
    expect((await reassign('1', '--cancel')).stderr).toContain(
      'Give the brokers, separated by commas, or --cancel',
    );
    expect(await ottla(['topics', 'reassignments'])).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  test('a replica is moved to a log directory that its broker has, and to no other', async () => {
    const move = (...args: string[]) => ottla(['log-dirs', 'move', ...args]);
    const [{ path }] = parsed((await ottla(['log-dirs', '--jsonl'])).stdout) as [{ path: string }];
    const { code, stdout } = await move('numbers', '0', path, '--jsonl');
    expect([code, parsed(stdout)]).toEqual([0, [{ broker: 1, topic: 'numbers', partition: 0, path }]]);
    expect(await move('numbers', '0', '/nowhere')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('LOG_DIR_NOT_FOUND') as string,
    });
    expect((await move('numbers', '99', path)).stderr).toContain('Topic "numbers" has no partition 99');
    expect((await move('numbers', '0', path, '--broker', '7')).stderr).toContain(
      'Broker 7 has no replica of "numbers-0"',
    );
  });

  test('share groups, users and quotas are listed, and access rules need an authorizer', async () => {
    for (const command of ['share-groups', 'users', 'quotas'])
      expect(await ottla([command]), command).toEqual({ code: 0, stdout: '', stderr: '' });
    expect((await ottla(['share-groups', 'describe', 'nobody'])).stderr).toContain('GROUP_ID_NOT_FOUND');
    expect(await ottla(['acls'])).toEqual({
      code: 1,
      stdout: '',
      stderr: 'ottla: SECURITY_DISABLED: No Authorizer is configured on the broker\n',
    });
    expect((await ottla(['cluster', 'features', '--jsonl'])).stdout).toContain('"metadata.version"');
  });

  test('a cluster that is not there ends with exit code 3, and a properties file says where it is', async () => {
    const { code, stderr } = await ottla(['topics', '-b', '127.0.0.1:1', '--timeout', '1000']);
    expect(code).toBe(3);
    expect(stderr).toMatch(/^ottla: .*Cannot connect to 127\.0\.0\.1:1 .*\n$/);
    const slow = await ottla(['topics', '-b', '127.0.0.1:1', '--timeout', '2000']);
    expect(slow.stderr).toMatch(/^No broker has answered for \d s; waiting for 2 s\nottla: .*\n$/);
    const folder = mkdtempSync(join(tmpdir(), 'ottla-commands-'));
    try {
      const file = join(folder, 'client.properties');
      writeFileSync(file, `bootstrap.servers=${kafka.bootstrap}\nclient.id=test\n`);
      expect((await ottla(['cluster', '--command-config', file])).code).toBe(0);
      expect((await ottla(['cluster', '--command-config', join(folder, 'absent')])).stderr).toContain(
        'There is no file',
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test('dev says where it is, serves, and leaves nothing in memory', async () => {
    const child = spawn(process.execPath, [bin, 'dev', '--in-memory', '-p', '0']);
    const output = await new Promise<string>((resolve) =>
      child.stdout.once('data', (chunk: Buffer) => resolve(String(chunk))),
    );
    const address = /ready on (\S+), data in memory/.exec(output)?.[1] ?? '';
    expect((await ottla(['topics', 'create', 't', '-b', address])).code).toBe(0);
    child.kill('SIGTERM');
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(0);
  });

  test('dev stops cleanly although the signal comes twice, as it does below npx', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ottla-dev-'));
    const child = spawn(process.execPath, [bin, 'dev', '--dir', folder, '-p', '0']);
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += String(chunk);
      if (!output.includes('consume orders')) return;
      child.kill('SIGINT');
      child.kill('SIGINT');
    });
    const code = await new Promise((resolve) => child.on('close', resolve));
    rmSync(folder, { recursive: true, force: true });
    expect({ code, output }).toEqual({
      code: 0,
      output: expect.stringMatching(/\nStopped cleanly in \S+ s\n$/) as string,
    });
  });
});
