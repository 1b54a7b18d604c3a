import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connect } from '@ottla/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually, Peer } from '../src/index.ts';
import { absent, interop, javaTools, title, unique } from './support.ts';

const bin = fileURLToPath(new URL('../../packages/ottla/bin/ottla.cjs', import.meta.url));
const secured = 'the ottla command on an Apache Kafka with an authorizer';

/** Each command is a process of its own: a busy machine takes its time for twenty of them. */
const SLOW_MS = 240_000;

/**
 * What the `ottla` command administers, access rules among it, which Ottla's broker has no authorizer for: against Apache Kafka,
 * whichever broker is under test.
 * What one tool does, the other sees: Kafka's own is asked after ours.
 */
describe.skipIf(absent(interop.java))(title(secured, interop.java), { timeout: SLOW_MS }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'ottla-access-'));
  let peer: Peer;

  beforeAll(async () => {
    const libs = 'absent' in interop.java ? {} : { libs: interop.java.brokerLibs };
    peer = await Peer.start({
      kind: 'kafka',
      ...libs,
      properties: {
        'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
        'super.users': 'User:ANONYMOUS',
      },
    });
  }, SLOW_MS);

  afterAll(async () => {
    await peer?.dispose();
    rmSync(folder, { recursive: true, force: true });
  });

  async function ottla(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
    return withInput('', ...args);
  }

  async function withInput(
    input: string,
    ...args: string[]
  ): Promise<{ code: number | null; stdout: string; stderr: string }> {
    const child = spawn(process.execPath, [bin, ...args, '-b', peer.bootstrap]);
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.stdin.end(input);
    const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
    return { code, stdout, stderr };
  }

  async function rows(...args: string[]): Promise<Record<string, unknown>[]> {
    const { code, stdout, stderr } = await ottla(...args, '--json');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return JSON.parse(stdout) as Record<string, unknown>[];
  }

  async function kafka(main: string, ...args: string[]): Promise<string> {
    const { out, err } = await javaTools().run(main, ['--bootstrap-server', peer.bootstrap, ...args]);
    return [...out, ...err].join('\n');
  }

  test('acls are added for a consumer, listed as Kafka lists them, and removed when told to', async () => {
    const topic = unique('orders');
    const grant = ['--allow-principal', 'User:ada', '--consumer', '--topic', topic, '--group', 'billing'];
    expect((await ottla('acls', 'add', ...grant, '--dry-run')).stdout).toContain(topic);
    expect(await rows('acls', 'list', '--topic', topic)).toEqual([]);
    expect((await ottla('acls', 'add', ...grant, '--resource-pattern-type', 'prefixed')).code).toBe(0);
    const listed = await eventually('The rules', async () => {
      const found = await rows('acls', 'list', '--topic', `${topic}-eu`, '--resource-pattern-type', 'match');
      return found.length === 2 ? found : undefined;
    });
    const common = { principal: 'User:ada', host: '*', permission: 'ALLOW', patternType: 'PREFIXED' };
    expect(listed.map((each) => each['operation']).sort()).toEqual(['DESCRIBE', 'READ']);
    for (const each of listed) expect(each).toMatchObject(common);
    expect(
      await kafka('AclCommand', '--list', '--topic', topic, '--resource-pattern-type', 'prefixed'),
    ).toMatch(/principal=User:ada, host=\*, operation=(READ|DESCRIBE), permissionType=ALLOW/);

    const removal = ['acls', 'remove', '--topic', topic, '--resource-pattern-type', 'prefixed'];
    const unanswered = await ottla(...removal);
    expect(unanswered).toMatchObject({ code: 1, stderr: expect.stringContaining('add --force') });
    expect(await ottla(...removal, '--dry-run')).toMatchObject({ code: 0, stdout: unanswered.stdout });
    expect((await ottla(...removal, '--force')).code).toBe(0);
    await eventually('The removal', async () =>
      (await rows('acls', 'list', '--topic', topic, '--resource-pattern-type', 'any')).length === 0
        ? true
        : undefined,
    );
    const wrong = [
      'acls',
      'add',
      '--allow-principal',
      'User:a',
      '--topic',
      't',
      '--operation',
      'ClusterAction',
    ];
    expect(await ottla(...wrong)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^ottla: Operation CLUSTER_ACTION is none of a TOPIC; there are ALL, /),
    });
  });

  test('users get passwords from stdin, are listed and deleted', async () => {
    const user = unique('ada');
    const setting = ['users', 'set', user, '--mechanism', 'scram-sha-256', '--iterations', '8192'];
    expect((await withInput('', ...setting)).stderr).toMatch(/^ottla: The password is empty/);
    expect((await withInput('pencil\n', ...setting)).code).toBe(0);
    await eventually('The user', async () =>
      (await ottla('users', 'list', user)).code === 0 ? true : undefined,
    );
    expect(await rows('users', 'list', user)).toEqual([
      { user, mechanism: 'SCRAM-SHA-256', iterations: 8192 },
    ]);
    expect(
      await kafka('kafka.admin.ConfigCommand', '--describe', '--entity-type', 'users', '--entity-name', user),
    ).toContain('SCRAM-SHA-256=iterations=8192');
    expect((await ottla('users', 'delete', user, '--force')).code).toBe(0);
    await eventually('The end of the user', async () =>
      (await ottla('users', 'list', user)).stderr.includes('RESOURCE_NOT_FOUND') ? true : undefined,
    );
  });

  test('quotas of a user, of defaults and of addresses are set, listed and taken away', async () => {
    const user = unique('bob');
    const entity = ['--user', user, '--client-id-default'];
    const change = ['--set', 'producer_byte_rate=1024', '--set', 'request_percentage=12.5'];
    expect((await ottla('quotas', 'alter', ...entity, ...change, '--dry-run')).code).toBe(0);
    expect(await rows('quotas', 'list', ...entity)).toEqual([]);
    expect((await ottla('quotas', 'alter', ...entity, ...change)).code).toBe(0);
    const found = await eventually('The quotas', async () => {
      const list = await rows('quotas', 'list', ...entity);
      return list.length === 2 ? list : undefined;
    });
    expect(found).toContainEqual({
      entity: [`user=${user}`, 'client-id=<default>'],
      quota: 'request_percentage',
      value: 12.5,
    });
    const inKafka = ['--entity-type', 'users', '--entity-name', user, '--entity-type', 'clients'];
    expect(await kafka('kafka.admin.ConfigCommand', '--describe', ...inKafka, '--entity-default')).toContain(
      'producer_byte_rate=1024.0',
    );
    expect((await ottla('quotas', 'delete', ...entity)).code).toBe(1);
    expect((await ottla('quotas', 'delete', ...entity, '--force')).code).toBe(0);
    await eventually('The end of the quotas', async () =>
      (await rows('quotas', 'list', ...entity)).length === 0 ? true : undefined,
    );
    const address = ['quotas', 'alter', '--ip', '10.0.0.7', '--set', 'connection_creation_rate=5'];
    expect((await ottla(...address)).code).toBe(0);
    expect((await ottla(...address, '--user', user)).stderr).toContain('stand alone');
    expect((await ottla('quotas', 'alter', '--user', user, '--set', 'speed=1')).stderr).toMatch(
      /^ottla: INVALID_REQUEST: /,
    );
  });

  test("offsets that Kafka's tool exports are read, and what ours exports Kafka's tool reads", async () => {
    const topic = unique('moved');
    const group = unique('mover');
    expect((await ottla('topics', 'create', topic, '-p', '2')).code).toBe(0);
    expect((await withInput('a\nb\nc\nd\n', 'produce', topic)).code).toBe(0);
    const reset = ['groups', 'reset-offsets', group];
    const offsetTool = ['consumer.group.ConsumerGroupCommand', '--reset-offsets', '--group', group] as const;
    expect((await ottla(...reset, '-t', topic, '--to-latest', '--execute')).code).toBe(0);
    const exported = await kafka(...offsetTool, '--topic', topic, '--to-earliest', '--export', '--dry-run');
    const file = join(folder, 'offsets.csv');
    writeFileSync(file, exported);
    expect((await ottla(...reset, '--from-file', file, '--execute')).code).toBe(0);
    const described = await rows('groups', 'describe', group);
    expect(described.map((each) => [each['partition'], each['committed']])).toEqual([
      [0, 0],
      [1, 0],
    ]);
    const ours = await ottla(...reset, '--all-topics', '--to-latest', '--export');
    expect(ours.stdout.split('\n').slice(0, -1)).toHaveLength(2);
    writeFileSync(file, ours.stdout);
    await kafka(...offsetTool, '--from-file', file, '--execute');
    const after = await rows('groups', 'describe', group);
    expect(after.map((each) => each['lag'])).toEqual([0, 0]);
    expect((await ottla('groups', 'delete-offsets', group, '-t', `${topic}:1`, '--force')).code).toBe(0);
    expect(await rows('groups', 'describe', group)).toHaveLength(1);
  });

  test('share groups are moved and described, streams groups listed', async () => {
    const topic = unique('shared');
    const group = unique('workers');
    expect((await ottla('topics', 'create', topic, '-p', '1')).code).toBe(0);
    expect((await withInput('a\nb\nc\n', 'produce', topic)).code).toBe(0);
    await using client = connect(peer.bootstrap);
    const member = client.shareConsumer(topic, { group });
    const next = member[Symbol.asyncIterator]()
      .next()
      .catch(() => undefined);
    await eventually('The group', async () =>
      (await ottla('share-groups', 'describe', group, '--members')).stdout.includes(`${topic}-0`)
        ? true
        : undefined,
    );
    await member.close();
    await next;
    const reset = ['share-groups', 'reset-offsets', group, '-t', topic];
    const [plan] = JSON.parse((await ottla(...reset, '--to-earliest', '--json')).stdout) as object[];
    expect(plan).toMatchObject({ group, topic, partition: 0, to: 0 });
    expect(await ottla(...reset, '--to-earliest', '--execute')).toMatchObject({ code: 0, stderr: '' });
    expect(await rows('share-groups', 'describe', group)).toMatchObject([
      { group, topic, partition: 0, startOffset: 0, lag: 3 },
    ]);
    expect((await ottla('share-groups', 'delete-offsets', group, '-t', topic, '--force')).code).toBe(0);
    expect(await rows('share-groups', 'describe', group)).toEqual([]);
    expect((await ottla('share-groups', 'delete', group)).code).toBe(0);
    expect(await rows('streams-groups')).toEqual([]);
    expect((await ottla('streams-groups', 'describe', unique('nobody'))).stderr).toMatch(
      /^ottla: GROUP_ID_NOT_FOUND: /,
    );
  });

  test('an open transaction is described, is not taken for hanging, and is ended by force', async () => {
    const topic = unique('ledger');
    const id = unique('writer');
    expect((await ottla('topics', 'create', topic, '-p', '1')).code).toBe(0);
    await using client = connect(peer.bootstrap);
    await using producer = client.producer({ transactionalId: id });
    let end: () => void = () => {};
    const held = new Promise<void>((resolve) => (end = resolve));
    const transaction = producer.transaction(async (tx) => {
      await tx.send(topic, { value: 'a' });
      await held;
    });
    await eventually('The transaction', async () =>
      (await ottla('transactions', 'describe', id)).stdout.includes(`${topic}-0`) ? true : undefined,
    );
    expect(await rows('transactions', 'list', '--state', 'Ongoing')).toMatchObject([{ transactionalId: id }]);
    const [open] = await rows('transactions', 'describe-producers', topic, '0');
    expect(open).toMatchObject({ currentTransactionStartOffset: 0 });
    const search = ['transactions', 'find-hanging', '--topic', topic, '--max-transaction-timeout', '0'];
    expect(await rows(...search)).toEqual([]);
    const elsewhere = await ottla('transactions', 'abort', topic, '0', '--start-offset', '7', '--force');
    expect(elsewhere.stderr).toContain('No transaction that began at offset 7');
    expect((await ottla('transactions', 'force-terminate', id, '--force')).code).toBe(0);
    await eventually('The abort', async () =>
      (await rows('transactions', 'describe', id))[0]!['state'] === 'Empty' ? true : undefined,
    );
    end();
    await expect(transaction).rejects.toThrow();
  });

  test('features, the quorum and the brokers are shown; a broker that is not there is not unregistered', async () => {
    expect(await rows('cluster', 'features')).toContainEqual(
      expect.objectContaining({ feature: 'transaction.version', finalizedLevel: 2, supportedMax: 2 }),
    );
    expect(await rows('cluster', 'quorum')).toMatchObject([{ replicaId: 1, role: 'leader', lag: 0 }]);
    expect(await rows('cluster', 'brokers', '--fenced')).toMatchObject([{ nodeId: 1, isFenced: false }]);
    expect((await ottla('cluster', 'unregister', '77', '--force')).stderr).toMatch(
      /^ottla: BROKER_ID_NOT_REGISTERED: /,
    );
  });
});
