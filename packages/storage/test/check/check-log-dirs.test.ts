import { controlRecordKey, ControlRecordType, encodeBatch } from '@ottla/protocol';
import { describe, expect, test } from 'vitest';
import {
  checkLogDirs,
  lockedDirs,
  snapshotName,
  type CheckProgress,
  type LogProblem,
} from '../../src/index.ts';
import { check, CheckFixture, DIR, FOLDER, rawBatch, shortOf } from '../support/check-fixture.ts';
import { logConfig } from '../support/fixtures.ts';

const META = `${DIR}/meta.properties`;
const HEX = '0123456789abcdef0123456789abcdef';

/** A way to damage what a directory holds beside its partitions, and exactly what has to be found. */
interface Case {
  readonly title: string;
  readonly damage: (fixture: CheckFixture) => void;
  readonly found: readonly string[];
  readonly says?: RegExp;
}

const without = (pattern: RegExp) => (fixture: CheckFixture) =>
  fixture.edit(META, (bytes) => Buffer.from(bytes.toString().replace(pattern, '')));

const cases: readonly Case[] = [
  {
    title: 'no meta.properties',
    damage: ({ disk }) => disk.unlinkSync(META),
    found: ['problem meta-properties'],
    says: /Kafka does not start with it/,
  },
  {
    title: 'meta.properties of an unknown version',
    damage: (fixture) =>
      fixture.edit(META, (bytes) => Buffer.from(bytes.toString().replace('version=1', 'version=7'))),
    found: ['problem meta-properties'],
    says: /version "7"/,
  },
  { title: 'no cluster id', damage: without(/cluster\.id=.*\n/), found: ['problem meta-properties'] },
  { title: 'no node id', damage: without(/node\.id=.*\n/), found: ['problem meta-properties'] },
  { title: 'no directory id', damage: without(/directory\.id=.*\n/), found: ['remark meta-properties'] },
  ...['recovery-point', 'log-start', 'replication'].map((name): Case => ({
    title: `a ${name} checkpoint that is noise`,
    damage: (fixture) => fixture.write(`${DIR}/${name}-offset-checkpoint`, '0\n5\norders 0 1\n'),
    found: ['problem checkpoint'],
    says: /5 entries expected, 1 found.*goes offline at the next start/s,
  })),
  {
    title: 'empty checkpoints, as Kafka makes them at its first start',
    damage: (fixture) => {
      for (const name of ['log-start', 'replication', 'cleaner'])
        fixture.write(`${DIR}/${name}-offset-checkpoint`, '');
    },
    found: [],
  },
  {
    title: 'a recovery point of a partition that is not there, after a clean stop',
    damage: (fixture) =>
      fixture.write(`${DIR}/recovery-point-offset-checkpoint`, '0\n2\norders 0 60\ngone 3 12\n'),
    found: ['problem folder'],
    says: /The folder is missing, the recovery points name it with offset 12/,
  },
  {
    title: 'the same after a crash, when it may have been deleted just before',
    damage: (fixture) => {
      fixture.crashed({ recoveryPoint: 60 });
      fixture.write(`${DIR}/recovery-point-offset-checkpoint`, '0\n2\norders 0 60\ngone 3 12\n');
    },
    found: ['remark folder'],
  },
  {
    title: 'folders of deleted, moved and stray partitions',
    damage: ({ disk }) => {
      for (const kind of ['delete', 'future', 'stray']) disk.mkdirSync(`${DIR}/orders-1.${HEX}-${kind}`);
    },
    found: ['remark leftover', 'remark leftover', 'remark leftover'],
  },
  {
    title: 'a call of the disk that had failed',
    damage: (fixture) => fixture.write(`${DIR}/.ottla_failed_sync`, ''),
    found: ['remark disk'],
  },
  {
    title: 'partitions of one topic with two ids',
    damage: (fixture) => {
      fixture.write(`${DIR}/orders-1/00000000000000000000.log`, '');
      fixture.write(`${DIR}/orders-1/partition.metadata`, 'version: 0\ntopic_id: BBBBBBBBBBBBBBBBBBBBBQ');
    },
    found: ['problem topic-id'],
    says: /"orders-1" belongs to a topic with the id "BBBB/,
  },
];

test.each(cases)('$title', async ({ damage, found: expected, says }) => {
  const fixture = await CheckFixture.make();
  damage(fixture);
  const { found, report } = await check(fixture.disk);
  expect(found.map(shortOf)).toEqual(expected);
  expect(report.problemCount).toBe(expected.filter((each) => each.startsWith('problem')).length);
  if (says !== undefined) expect(`${found[0]!.problem}. ${found[0]!.remedy}`).toMatch(says);
});

describe('several directories', () => {
  const OTHER = '/other';

  async function withOther(properties: (own: string) => string): Promise<CheckFixture> {
    const fixture = await CheckFixture.make();
    const own = fixture.disk.readFileSync(META).toString();
    fixture.disk.mkdirSync(OTHER);
    fixture.write(`${OTHER}/meta.properties`, properties(own));
    return fixture;
  }

  test.each([
    ['of one broker', (own: string) => own.replace(/directory\.id=./, 'directory.id=Z'), []],
    ['of which one is a copy', (own: string) => own, [/directory\.id .* is that of "\/data" too/]],
    [
      'of two brokers and clusters',
      (own: string) =>
        own
          .replace(/directory\.id=./, 'directory.id=Z')
          .replace(/cluster\.id=./, 'cluster.id=Z')
          .replace('node.id=1', 'node.id=2'),
      [/belongs to cluster "Z/, /belongs to node "2", "\/data" to "1"/],
    ],
  ])('%s', async (_what, properties, expected) => {
    const { disk } = await withOther(properties);
    const { found } = await check(disk, { dirs: [DIR, OTHER] });
    expect(found).toHaveLength(expected.length);
    for (const [index, pattern] of expected.entries())
      expect(found[index]).toMatchObject({ dir: OTHER, problem: expect.stringMatching(pattern) });
  });

  test('a partition that lies in both', async () => {
    const fixture = await withOther((own) => own.replace(/directory\.id=./, 'directory.id=Z'));
    fixture.write(`${OTHER}/orders-0/00000000000000000000.log`, '');
    const { found } = await check(fixture.disk, { dirs: [DIR, OTHER] });
    expect(found.map(shortOf)).toEqual(['problem folder']);
    expect(found[0]!.problem).toBe('Partition "orders-0" lies in "/data" too');
  });
});

test('a broker that runs in a directory is seen, its lock stays', async () => {
  const fixture = await CheckFixture.make();
  expect(lockedDirs(fixture.disk, [DIR])).toEqual([]);
  const manager = await fixture.open();
  expect(lockedDirs(fixture.disk, [DIR])).toEqual([DIR]);
  expect((await check(fixture.disk)).found.map(shortOf)).toContain('remark folder');
  expect(lockedDirs(fixture.disk, [DIR])).toEqual([DIR]);
  await manager.close();
});

test('only the partitions that are wanted are read; progress knows all of their bytes', async () => {
  const fixture = await CheckFixture.make();
  const manager = await fixture.open();
  for (const partition of [1, 2])
    manager
      .getOrCreate({ topic: 'orders', partition }, null, logConfig())
      .append(rawBatch(0), { leaderEpoch: 0, origin: 'client' });
  await manager.close();
  const progress: CheckProgress[] = [];
  const partitions: string[] = [];
  const report = await checkLogDirs({
    disk: fixture.disk,
    dirs: [DIR],
    isWanted: ({ partition }) => partition !== 1,
    onProblem: (problem) => expect.unreachable(problem.problem),
    onPartition: ({ partition }) => void partitions.push(partition),
    onProgress: (each) => void progress.push(each),
  });
  expect(partitions).toEqual(['orders-0', 'orders-2']);
  expect(report).toMatchObject({ partitionCount: 2, recordCount: 61 });
  expect(progress.at(-1)).toMatchObject({ partitionCount: 2, checkedCount: 2, partition: 'orders-2' });
  expect(progress.at(-1)!.readBytes).toBe(progress.at(-1)!.totalBytes);
});

test('a partition by itself is checked as if it had been closed: nothing excuses damage', async () => {
  const fixture = await CheckFixture.make();
  const last = fixture.files('.log').at(-1)!;
  fixture.edit(last, (bytes) => bytes.subarray(0, -3));
  for (const name of fixture.disk.listSync(FOLDER))
    fixture.write(`/copy/orders-0/${name}`, fixture.disk.readFileSync(`${FOLDER}/${name}`));
  const found: LogProblem[] = [];
  const onProblem = (problem: LogProblem): void => void found.push(problem);
  await checkLogDirs({ disk: fixture.disk, dirs: ['/copy'], isWanted: () => true, onProblem });
  expect(found.map(shortOf)).toEqual(['problem batch']);
});

test('nothing is written, removed or renamed', async () => {
  const fixture = await CheckFixture.make();
  fixture.write(`${FOLDER}/00000000000000000099.log.deleted`, '');
  fixture.edit(fixture.files('.log').at(-1)!, (bytes) => bytes.subarray(0, -3));
  fixture.crashed({ recoveryPoint: 0 });
  const content = () =>
    [DIR, FOLDER].flatMap((folder) =>
      fixture.disk
        .listSync(folder)
        .filter((name) => !fixture.disk.isDirectorySync(`${folder}/${name}`))
        .map((name) => [name, fixture.disk.readFileSync(`${folder}/${name}`).toString('base64')]),
    );
  const before = content();
  expect((await check(fixture.disk)).found.length).toBeGreaterThan(1);
  expect(content()).toEqual(before);
});

describe('the log of the metadata', () => {
  const METADATA = `${DIR}/__cluster_metadata-0`;
  const SNAPSHOT = `${METADATA}/${snapshotName({ endOffset: 2, epoch: 1 })}`;
  const control = (type: number, baseOffset: number): Buffer =>
    encodeBatch({
      baseOffset,
      partitionLeaderEpoch: 1,
      isControl: true,
      records: [{ timestamp: 1, key: controlRecordKey(type), value: Buffer.alloc(4) }],
    });

  async function make(): Promise<CheckFixture> {
    const fixture = await CheckFixture.make();
    const batches = [0, 1, 2, 3].map((offset) => rawBatch(offset));
    fixture.write(`${METADATA}/00000000000000000000.log`, Buffer.concat(batches.slice(0, 2)));
    fixture.write(`${METADATA}/00000000000000000002.log`, Buffer.concat(batches.slice(2)));
    fixture.write(`${METADATA}/leader-epoch-checkpoint`, '0\n1\n1 0\n');
    fixture.write(`${METADATA}/quorum-state`, '{"leaderId":1,"leaderEpoch":1,"data_version":0}');
    const { snapshotHeader, snapshotFooter } = ControlRecordType;
    fixture.write(
      SNAPSHOT,
      Buffer.concat([control(snapshotHeader, 0), rawBatch(1), control(snapshotFooter, 2)]),
    );
    return fixture;
  }

  test.each<Case>([
    { title: 'needs neither indexes nor checkpoints', damage: () => {}, found: [] },
    {
      title: 'a torn batch at the end',
      damage: (fixture) =>
        fixture.edit(`${METADATA}/00000000000000000002.log`, (bytes) => bytes.subarray(0, -2)),
      found: ['remark tail'],
      says: /a batch that was never answered/,
    },
    {
      title: 'a bad batch with others behind it',
      damage: (fixture) =>
        fixture.edit(`${METADATA}/00000000000000000002.log`, (bytes) => void (bytes[70]! ^= 1)),
      found: ['problem batch'],
      says: /A start refuses the log/,
    },
    {
      title: 'a bad batch at the end of a segment that is not the last',
      damage: (fixture) =>
        fixture.edit(`${METADATA}/00000000000000000000.log`, (bytes) => bytes.subarray(0, -2)),
      found: ['problem batch'],
    },
    {
      title: 'a snapshot with a bad batch',
      damage: (fixture) => fixture.edit(SNAPSHOT, (bytes) => void (bytes[100]! ^= 1)),
      found: ['problem metadata-log'],
      says: /snapshot of the metadata is damaged/,
    },
    {
      title: 'a snapshot without its end',
      damage: (fixture) => fixture.edit(SNAPSHOT, (bytes) => bytes.subarray(0, bytes.readInt32BE(8) + 12)),
      found: ['problem metadata-log'],
      says: /footer is missing/,
    },
    {
      title: 'a log that begins behind its snapshot',
      damage: ({ disk }) => {
        disk.unlinkSync(SNAPSHOT);
        disk.unlinkSync(`${METADATA}/00000000000000000000.log`);
      },
      found: ['problem metadata-log'],
      says: /begins with offset 2, the newest snapshot ends with 0/,
    },
    {
      title: 'a quorum state that is no JSON',
      damage: (fixture) => fixture.write(`${METADATA}/quorum-state`, '{'),
      found: ['problem metadata-log'],
    },
  ])('$title', async ({ damage, found: expected, says }) => {
    const fixture = await make();
    damage(fixture);
    const { found } = await check(fixture.disk);
    expect(found.map(shortOf)).toEqual(expected);
    if (says !== undefined) expect(`${found[0]!.problem}. ${found[0]!.remedy}`).toMatch(says);
  });
});
