import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type Admin, type Ottla } from '@ottla/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually, type Peer } from '../src/index.ts';
import { absent, interop, javaTools, startPeer, title, unique } from './support.ts';

/** Replicas between the log directories of one broker (KIP-113): the same on Ottla and on Apache Kafka. */
const RATE = 'replica.alter.log.dirs.io.max.bytes.per.second';
const RECORDS = 300;
const VALUE = 'x'.repeat(10_000);

let folder: string;
let dirs: readonly [string, string];
let peer: Peer;
let ottla: Ottla;
let admin: Admin;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ottla-log-dirs-'));
  dirs = [join(folder, 'a'), join(folder, 'b')];
  peer = await startPeer({
    folder,
    properties: { 'log.dirs': dirs.join(','), 'log.segment.bytes': '1048576' },
  });
  ottla = connect({ bootstrap: peer.bootstrap });
  admin = ottla.admin();
});
afterAll(async () => {
  await ottla.close();
  await peer.dispose();
  rmSync(folder, { recursive: true, force: true });
});

/** A topic of one partition with `RECORDS` records; where its replica is, and where it is not. */
async function filledTopic(): Promise<{ name: string; from: string; to: string }> {
  const name = unique('moved');
  await admin.topics.create({ name, partitions: 1, replicationFactor: 1 });
  await using producer = ottla.producer();
  await Promise.all(Array.from({ length: RECORDS }, () => producer.send(name, { value: VALUE })));
  const from = (await replicasOf(name))[0]!.path;
  return { name, from, to: dirs.find((dir) => dir !== from)! };
}

async function replicasOf(name: string) {
  const partitions = [{ topic: name, partition: 0 }];
  const described = [...(await admin.logDirs.describe({ partitions })).values()][0]!;
  if (described instanceof Error) throw described;
  return described.flatMap(({ path, replicas }) =>
    replicas.map(({ isFuture, offsetLag }) => ({ path, isFuture, offsetLag })),
  );
}

/** The name of the error, null for a move that has begun. */
async function move(topic: string, path: string, partition = 0): Promise<string | null> {
  const [result] = await admin.logDirs.alterReplicas([{ topic, partition, brokerId: 1, path }]);
  return result!.error?.name ?? null;
}

const setRate = (bytesPerSecond: number) =>
  admin.configs.alter({ type: 'broker', name: '1' }, { [RATE]: bytesPerSecond });

async function arrival(name: string, path: string): Promise<void> {
  await eventually(`Move of ${name}`, async () => {
    const replicas = await replicasOf(name);
    return replicas.length === 1 && replicas[0]!.path === path && !replicas[0]!.isFuture ? true : undefined;
  });
}

const foldersOf = (name: string, dir: string) =>
  readdirSync(dir)
    .filter((entry) => entry.startsWith(`${name}-0`))
    .map((entry) => entry.replace(/\.[0-9a-f]{32}-/, '.HEX-').slice(name.length + 2));

describe('log directories', () => {
  test('a replica moves while records are written, and all of them are there', async () => {
    const { name, from, to } = await filledTopic();
    expect(await move(name, to)).toBeNull();
    await using producer = ottla.producer();
    let during = 0;
    for (let moved = false; !moved; during++) {
      await producer.send(name, { value: VALUE });
      moved = (await replicasOf(name)).every(({ path }) => path === to);
    }
    await producer.send(name, { value: VALUE });
    expect(await admin.offsets.list(name, 'latest')).toMatchObject([{ offset: RECORDS + during + 1 }]);
    expect(foldersOf(name, from)).toEqual(['.HEX-delete']);
    expect(foldersOf(name, to)).toEqual(['']);
    const seen: number[] = [];
    await using consumer = ottla.consumer(name, { group: unique('readers'), from: 'earliest' });
    for await (const { offset } of consumer) {
      seen.push(offset);
      if (seen.length === RECORDS + during + 1) break;
    }
    expect(seen).toEqual(seen.map((_, offset) => offset));
  });

  test('what cannot be moved is refused, and where it is to be created is remembered', async () => {
    const { name, from } = await filledTopic();
    expect(await move(name, '/nowhere')).toBe('LOG_DIR_NOT_FOUND');
    expect(await move(name, 'a')).toBe('LOG_DIR_NOT_FOUND');
    expect(await move(name, from)).toBeNull();
    expect(await move(name, from, 7)).toBe('UNKNOWN_TOPIC_OR_PARTITION');
    const later = unique('later');
    for (const partition of [0, 1, 2])
      expect(await move(later, dirs[1], partition)).toBe('UNKNOWN_TOPIC_OR_PARTITION');
    await admin.topics.create({ name: later, partitions: 3, replicationFactor: 1 });
    await eventually('Creation', () =>
      readdirSync(dirs[1]).filter((entry) => entry.startsWith(later)).length === 3 ? true : undefined,
    );
  });

  test('a slow move is shown, goes back when asked, ends with the topic', async () => {
    const { name, from, to } = await filledTopic();
    await setRate(1_000);
    expect(await move(name, to)).toBeNull();
    const future = await eventually('The future replica', async () =>
      (await replicasOf(name)).find(({ isFuture, offsetLag }) => isFuture && offsetLag < RECORDS),
    );
    expect(future.path).toBe(to);
    expect(future.offsetLag).toBeGreaterThan(0);
    expect(foldersOf(name, to)).toEqual(['.HEX-future']);
    expect(await move(name, to)).toBeNull();
    expect(await move(name, from)).toBeNull();
    expect(await replicasOf(name)).toEqual([{ path: from, isFuture: false, offsetLag: 0 }]);
    expect(foldersOf(name, to)).toEqual(['.HEX-delete']);
    expect(await move(name, to)).toBeNull();
    await admin.topics.delete(name);
    await eventually('Deletion', () =>
      foldersOf(name, from).includes('.HEX-delete') &&
      foldersOf(name, to).every((each) => each === '.HEX-delete')
        ? true
        : undefined,
    );
  });

  test('a kill in the middle of a move delays it, and no more', async () => {
    const { name, to } = await filledTopic();
    await setRate(500_000);
    expect(await move(name, to)).toBeNull();
    await eventually('The future folder', () =>
      foldersOf(name, to).includes('.HEX-future') ? true : undefined,
    );
    await peer.stop('SIGKILL');
    await peer.restart();
    await setRate(1_000_000_000);
    await arrival(name, to);
    expect(foldersOf(name, to)).toEqual(['']);
    expect(await admin.offsets.list(name, 'latest')).toMatchObject([{ offset: RECORDS }]);
  });

  test('the rate has to be a number', async () => {
    await expect(
      admin.configs.alter({ type: 'broker', name: '1' }, { [RATE]: 'much' }),
    ).rejects.toMatchObject({ name: 'INVALID_REQUEST' });
  });
});

describe.skipIf(absent(interop.java))(title('kafka-reassign-partitions', interop.java), () => {
  test('moves a replica to another log directory, throttled, and verifies it', async () => {
    const { name, to } = await filledTopic();
    const file = join(folder, 'move.json');
    const partitions = [{ topic: name, partition: 0, replicas: [1], log_dirs: [to] }];
    writeFileSync(file, JSON.stringify({ version: 1, partitions }));
    const reassign = async (...args: string[]) => {
      const common = ['--bootstrap-server', peer.bootstrap, '--reassignment-json-file', file];
      const { out, err } = await javaTools().run('reassign.ReassignPartitionsCommand', [...common, ...args]);
      return [...out, ...err].join('\n');
    };
    expect(await reassign('--execute', '--replica-alter-log-dirs-throttle', '100000000')).toContain(
      `Successfully started moving log directory to ${to} for replica ${name}-0 with broker 1`,
    );
    await arrival(name, to);
    expect(await reassign('--verify')).toContain(
      `Reassignment of replica ${name}-0-1 completed successfully`,
    );
    // The metadata follows the replica.
    const metadata = dirs.map((dir) => join(dir, '__cluster_metadata-0')).find((each) => existsSync(each))!;
    const directoryId = /directory\.id=(.*)/.exec(readFileSync(join(to, 'meta.properties'), 'utf8'))![1]!;
    await eventually('The change of the metadata', async () => {
      const files = ['--files', join(metadata, '00000000000000000000.log')];
      const { out } = await javaTools().run('DumpLogSegments', ['--cluster-metadata-decoder', ...files]);
      const change = out.findLast(
        (line) => line.includes('"PARTITION_CHANGE_RECORD"') && line.includes('"directories"'),
      );
      return change?.includes(`"directories":["${directoryId}"]`) === true ? true : undefined;
    });
  });
});
