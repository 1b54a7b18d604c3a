import { BatchLayout, encodeTransactionMarker } from '@ottla/protocol';
import { expect, test } from 'vitest';
import { LogError } from '../../src/index.ts';
import { newProducerEntry } from '../../src/producers/producer-entry.ts';
import { decodeProducerSnapshot, encodeProducerSnapshot } from '../../src/producers/producer-snapshot.ts';
import { check, CheckFixture, DIR, FOLDER, rawBatch, shortOf } from '../support/check-fixture.ts';

/** One way to damage a sound directory, and exactly what has to be found. */
interface Case {
  readonly title: string;
  readonly damage: (fixture: CheckFixture) => void;
  readonly found: readonly string[];
  /** What the first finding says. */
  readonly says?: RegExp;
  readonly offset?: number;
  /** The next start repairs it by itself. */
  readonly heals?: boolean;
}

const flip = (at: number) => (bytes: Buffer, position: number) => void (bytes[position + at]! ^= 1);
const firstSegment = (suffix: string): string => `${FOLDER}/00000000000000000000${suffix}`;

/** Changes the snapshot at the end of the log. */
function editSnapshot(
  fixture: CheckFixture,
  change: (entries: ReturnType<typeof decodeProducerSnapshot>) => void,
): void {
  fixture.edit(fixture.files('.snapshot').at(-1)!, (bytes) => {
    const entries = decodeProducerSnapshot(bytes);
    change(entries);
    return encodeProducerSnapshot(entries);
  });
}

const batches: readonly Case[] = [
  {
    title: 'a bit in the records of a batch',
    damage: (fixture) => fixture.editBatch(6, flip(80)),
    found: ['problem batch'],
    says: /does not match its CRC.*A start does not come across it; consumers stop at offset 6/s,
    offset: 6,
  },
  {
    title: 'a bit in the CRC-covered header of a batch',
    damage: (fixture) => fixture.editBatch(6, flip(BatchLayout.producerId + 7)),
    found: ['problem batch'],
  },
  {
    title: 'a length that cannot be, with an index that knows where batches go on',
    damage: (fixture) =>
      fixture.editBatch(2, (bytes, at) => void bytes.writeInt32BE(-5, at + BatchLayout.batchLength)),
    found: ['problem batch'],
    says: /No batch can be read from here to position \d+/,
    offset: 2,
  },
  {
    title: 'an unknown magic',
    damage: (fixture) => fixture.editBatch(4, (bytes, at) => void (bytes[at + BatchLayout.magic] = 9)),
    found: ['problem batch'],
    says: /magic "9"/,
  },
  {
    title: 'a length that cannot be in the last batch, after a clean stop',
    damage: (fixture) =>
      fixture.editBatch(59, (bytes, at) => void bytes.writeInt32BE(7, at + BatchLayout.batchLength)),
    found: ['problem batch'],
    says: /to the end of the file.*keeps the partition offline/s,
  },
  {
    title: 'a bit in the last batch, which the checkpoints know of',
    damage: (fixture) => fixture.editBatch(59, flip(70)),
    found: ['problem batch'],
    offset: 59,
  },
  {
    title: 'a count of records that is too small, with the right CRC',
    damage: (fixture) =>
      fixture.editBatch(10, (bytes, at) => void bytes.writeInt32BE(1, at + BatchLayout.recordCount), true),
    found: ['problem records'],
    says: /with the right CRC/,
    offset: 10,
  },
  {
    title: 'a count of records that is too large',
    damage: (fixture) =>
      fixture.editBatch(10, (bytes, at) => void bytes.writeInt32BE(3, at + BatchLayout.recordCount), true),
    found: ['problem records'],
    says: /3 records for 2 offsets/,
  },
  {
    title: 'compressed records that cannot be opened',
    damage: (fixture) => fixture.editBatch(2, (bytes, at) => void bytes.fill(0x55, at + 70, at + 90), true),
    found: ['problem records'],
    says: /cannot be read/,
    offset: 2,
  },
  {
    title: 'a record whose offset is not its own',
    damage: (fixture) =>
      fixture.editBatch(
        0,
        (bytes, at) => {
          // Length (two bytes), attributes, time, offset: of the first record.
          bytes[at + BatchLayout.records + 4] = 6;
        },
        true,
      ),
    found: ['problem records'],
    says: /has offset 3/,
  },
  {
    title: 'a maximum timestamp that is too old',
    damage: (fixture) =>
      fixture.editBatch(
        20,
        (bytes, at) => {
          const place = at + BatchLayout.maxTimestamp;
          bytes.writeBigInt64BE(bytes.readBigInt64BE(place) - 1n, place);
        },
        true,
      ),
    found: ['problem records'],
    says: /its newest record has timestamp/,
  },
  {
    title: 'a base offset that went back',
    damage: (fixture) => fixture.editBatch(20, (bytes, at) => void bytes.writeBigInt64BE(3n, at)),
    found: ['problem offsets'],
    says: /begins with offset 3, the batch before it ends with 19/,
  },
  {
    title: 'sequence numbers that jump',
    damage: (fixture) =>
      fixture.editBatch(38, (bytes, at) => void bytes.writeInt32BE(50, at + BatchLayout.baseSequence), true),
    found: ['problem sequence', 'problem snapshot', 'problem snapshot'],
    says: /Out of order sequence number for producer "1": "50" \(incoming\), "37"/,
    offset: 38,
  },
  {
    title: 'a batch that is there twice',
    damage: (fixture) =>
      fixture.editBatch(38, (bytes, at) => void bytes.writeInt32BE(36, at + BatchLayout.baseSequence), true),
    found: ['problem sequence', 'problem snapshot', 'problem snapshot'],
    says: /wrote the same before, at offset 36/,
  },
  {
    title: 'an epoch of a producer that went back',
    damage: (fixture) =>
      fixture.editBatch(53, (bytes, at) => void bytes.writeInt16BE(1, at + BatchLayout.producerEpoch), true),
    found: ['problem sequence', 'problem sequence'],
    says: /Epoch "1" of producer "7"/,
  },
];

const segments: readonly Case[] = [
  {
    title: 'a segment in the middle is gone',
    damage: (fixture) => {
      const path = fixture.batchAt(30).path.slice(0, -4);
      for (const suffix of ['.log', '.index', '.timeindex', '.txnindex', '.snapshot'])
        fixture.disk.unlinkSync(path + suffix);
    },
    found: ['problem offsets'],
    says: /Offsets \d+ to \d+ are missing between two segments, and the log was not compacted/,
  },
  {
    title: 'a segment that is there twice',
    damage: (fixture) => {
      const bytes = fixture.disk.readFileSync(fixture.files('.log')[0]!);
      fixture.write(`${FOLDER}/00000000000000000003.log`, bytes.subarray(0, bytes.readInt32BE(8) + 12));
      for (const suffix of ['index', 'timeindex'])
        fixture.write(`${FOLDER}/00000000000000000003.${suffix}`, '');
    },
    found: ['problem offsets', 'problem offsets', 'problem offsets'],
  },
  {
    title: 'the end of the log is gone, at the end of a batch',
    damage: (fixture) => {
      const { path, batches: all, index } = fixture.batchAt(50);
      fixture.edit(path, (bytes) => bytes.subarray(0, all[index]!.position));
    },
    found: ['problem offset-index', 'problem time-index', 'remark snapshot', 'problem recovery-point'],
  },
  {
    title: 'all segments are gone',
    damage: (fixture) => {
      for (const name of fixture.disk.listSync(FOLDER)) fixture.disk.unlinkSync(`${FOLDER}/${name}`);
    },
    found: ['problem recovery-point'],
    says: /ends with offset 0, and was durable up to 60/,
  },
];

const crashes: readonly Case[] = [
  {
    title: 'a crash that took nothing, with an epoch that began before what the start reads',
    damage: (fixture) => fixture.crashed({ recoveryPoint: 45, highWatermark: 60 }),
    found: [],
    heals: true,
  },
  {
    title: 'a torn batch at the end, that nobody was promised',
    damage: (fixture) => {
      const path = fixture.files('.log').at(-1)!;
      fixture.edit(path, (bytes) => bytes.subarray(0, -3));
      fixture.crashed({ recoveryPoint: 50, highWatermark: 59 });
    },
    found: ['remark tail'],
    says: /The next start ends the log here and removes the \d+ bytes behind, of which no checkpoint tells/,
    offset: 59,
    heals: true,
  },
  {
    title: 'zeros behind the end',
    damage: (fixture) => {
      fixture.edit(fixture.files('.log').at(-1)!, (bytes) => Buffer.concat([bytes, Buffer.alloc(500)]));
      fixture.crashed({ recoveryPoint: 50, highWatermark: 60 });
    },
    found: ['remark tail'],
    heals: true,
  },
  {
    title: 'a torn batch below the high watermark',
    damage: (fixture) => {
      fixture.edit(fixture.files('.log').at(-1)!, (bytes) => bytes.subarray(0, -3));
      fixture.crashed({ recoveryPoint: 50, highWatermark: 60 });
    },
    found: ['problem tail'],
    says: /although records up to offset 60 had been committed/,
  },
  {
    title: 'a torn batch below the recovery point',
    damage: (fixture) => {
      fixture.edit(fixture.files('.log').at(-1)!, (bytes) => bytes.subarray(0, -3));
      fixture.crashed({ recoveryPoint: 60 });
    },
    found: ['problem batch'],
    says: /It was durable: the next start keeps the partition offline/,
  },
  {
    title: 'a bad batch, with a segment behind it that goes too',
    damage: (fixture) => {
      const { path, batches: all } = fixture.batchAt(10);
      fixture.edit(path, (bytes) => bytes.subarray(0, all.at(-1)!.position + 70));
      fixture.crashed({ recoveryPoint: 5 });
    },
    found: ['problem tail'],
    says: /intact batches among them/,
    heals: true,
  },
  {
    title: 'a bad batch, with intact ones behind it',
    damage: (fixture) => {
      fixture.editBatch(50, flip(80));
      fixture.crashed({ recoveryPoint: 45 });
    },
    found: ['problem tail'],
    says: /does not match its CRC.*intact batches among them: usual after a power cut/s,
    offset: 50,
    heals: true,
  },
  {
    title: 'a bad batch, with noise behind it',
    damage: (fixture) => {
      fixture.editBatch(59, flip(70));
      fixture.edit(fixture.files('.log').at(-1)!, (bytes) => Buffer.concat([bytes, Buffer.alloc(300, 1)]));
      fixture.crashed({ recoveryPoint: 50 });
    },
    found: ['remark tail'],
    offset: 59,
    heals: true,
  },
  {
    title: 'a bad batch in a segment that the next start does not read',
    damage: (fixture) => {
      fixture.editBatch(2, flip(80));
      fixture.crashed({ recoveryPoint: 58 });
    },
    found: ['problem batch'],
    says: /A start does not come across it/,
  },
  {
    title: 'a gap before a segment that was not durable',
    damage: (fixture) => {
      const { path } = fixture.batchAt(30);
      fixture.edit(path, (bytes) => bytes.subarray(0, bytes.readInt32BE(8) + 12));
      fixture.crashed({ recoveryPoint: 10 });
    },
    found: ['problem tail'],
    says: /are missing before the segment.*The next start ends the log here/s,
    heals: true,
  },
  {
    title: 'a gap that compaction has left above the recovery point, as a killed Kafka does',
    damage: (fixture) => {
      const { path } = fixture.batchAt(30);
      fixture.edit(path, (bytes) => bytes.subarray(0, bytes.readInt32BE(8) + 12));
      fixture.crashed({ recoveryPoint: 10 });
      fixture.write(`${DIR}/cleaner-offset-checkpoint`, '0\n1\norders 0 60\n');
    },
    found: [],
    heals: true,
  },
  {
    title: 'indexes that were only in memory, and those that are noise',
    damage: (fixture) => {
      fixture.disk.unlinkSync(fixture.files('.index').at(-1)!);
      fixture.edit(fixture.files('.timeindex').at(-1)!, (bytes) => bytes.fill(0x33));
      fixture.crashed({ recoveryPoint: 50 });
    },
    found: [],
    heals: true,
  },
];

const indexes: readonly Case[] = [
  {
    title: 'an offset index that points between batches',
    damage: (fixture) =>
      fixture.edit(firstSegment('.index'), (bytes) => void bytes.writeInt32BE(bytes.readInt32BE(4) + 1, 4)),
    found: ['problem offset-index'],
    says: /no batch begins at position.*Remove the segment's \.index/s,
  },
  {
    title: 'an offset index with half an entry',
    damage: (fixture) => fixture.edit(firstSegment('.index'), (bytes) => bytes.subarray(0, -3)),
    found: ['problem offset-index'],
    heals: true,
  },
  {
    title: 'indexes that are missing',
    damage: (fixture) => {
      for (const suffix of ['.index', '.timeindex']) fixture.disk.unlinkSync(firstSegment(suffix));
    },
    found: ['problem offset-index', 'problem time-index'],
    heals: true,
  },
  {
    title: 'a time index that is older than the records',
    damage: (fixture) =>
      fixture.edit(firstSegment('.timeindex'), (bytes) => void bytes.writeBigInt64BE(5n, 0)),
    found: ['problem time-index'],
    says: /newer than the entry's 5/,
  },
  {
    title: 'a time index without the last entry of its segment',
    damage: (fixture) => fixture.edit(firstSegment('.timeindex'), (bytes) => bytes.subarray(0, -12)),
    found: ['problem time-index'],
    says: /Its last entry has timestamp/,
  },
  {
    title: 'a transaction index without its entry',
    damage: (fixture) => fixture.disk.unlinkSync(fixture.files('.txnindex')[0]!),
    found: ['problem transaction-index'],
    says: /no entry for the transaction that producer 7 began at 40/,
  },
  ...[
    { title: 'another producer', at: 2, value: 8n, says: /names producer 8/ },
    { title: 'another beginning', at: 10, value: 42n, says: /begins at 42 in it, and at 40 by the batches/ },
    { title: 'another marker', at: 18, value: 50n, says: /no abort marker at this offset/ },
    { title: 'a later stable offset', at: 26, value: 58n, says: /its last stable offset is 58, and 50 by/ },
  ].map(({ title, at, value, says }): Case => ({
    title: `a transaction index with ${title}`,
    damage: (fixture) =>
      fixture.edit(fixture.files('.txnindex')[0]!, (bytes) => void bytes.writeBigInt64BE(value, at)),
    found:
      title === 'another marker'
        ? ['problem transaction-index', 'problem transaction-index']
        : ['problem transaction-index'],
    says,
  })),
  {
    title: 'a transaction index of an unknown version',
    damage: (fixture) =>
      fixture.edit(fixture.files('.txnindex')[0]!, (bytes) => void bytes.writeInt16BE(3, 0)),
    found: ['problem transaction-index'],
    heals: true,
  },
];

const snapshots: readonly Case[] = [
  {
    title: 'a snapshot that does not match its CRC',
    damage: (fixture) => fixture.edit(fixture.files('.snapshot').at(-1)!, (bytes) => void (bytes[20]! ^= 1)),
    found: ['problem snapshot'],
    says: /does not match its CRC.*goes back to the one before it/s,
    heals: true,
  },
  {
    title: 'a snapshot with another sequence',
    damage: (fixture) =>
      editSnapshot(fixture, ([first]) => {
        first!.batches = [{ ...first!.batches[0]!, lastSequence: 11 }];
      }),
    found: ['problem snapshot'],
    says: /producer 1 has the last sequence 11 in it, and 39 by the batches/,
  },
  {
    title: 'a snapshot with another epoch',
    damage: (fixture) => editSnapshot(fixture, (entries) => void (entries[1]!.producerEpoch = 9)),
    found: ['problem snapshot'],
    says: /producer 7 has the epoch 9 in it, and 2 by the batches/,
  },
  {
    title: 'a snapshot with a transaction that has ended',
    damage: (fixture) => editSnapshot(fixture, (entries) => void (entries[1]!.currentTxnFirstOffset = 50)),
    found: ['problem snapshot'],
    says: /has the open transaction 50 in it, and -1 by the batches/,
  },
  {
    title: 'a snapshot that knows more than there is',
    damage: (fixture) =>
      editSnapshot(fixture, (entries) => {
        const place = { firstSequence: 0, lastSequence: 0, firstOffset: 12, lastOffset: 12, timestamp: 1 };
        entries.push({ ...newProducerEntry(99), producerEpoch: 0, batches: [place] });
      }),
    found: ['problem snapshot'],
    says: /producer 99 wrote offset 12, where the log has nothing of it/,
  },
];

const epochs: readonly Case[] = [
  {
    title: 'leader epochs that begin elsewhere',
    damage: (fixture) => fixture.write(`${FOLDER}/leader-epoch-checkpoint`, '0\n3\n0 0\n3 10\n4 50\n'),
    found: ['problem leader-epoch'],
    says: /epoch 3 stands for offset 10, whose batch has epoch 0/,
    offset: 10,
  },
  {
    title: 'no leader epochs',
    damage: (fixture) => fixture.disk.unlinkSync(`${FOLDER}/leader-epoch-checkpoint`),
    found: ['problem leader-epoch', 'problem leader-epoch', 'problem leader-epoch'],
  },
  {
    title: 'leader epochs that do not rise',
    damage: (fixture) => fixture.write(`${FOLDER}/leader-epoch-checkpoint`, '0\n2\n3 0\n0 20\n'),
    found: ['problem leader-epoch'],
    says: /do not rise/,
  },
  {
    title: 'leader epochs that are no numbers',
    damage: (fixture) => fixture.write(`${FOLDER}/leader-epoch-checkpoint`, '0\n1\nx y\n'),
    found: ['problem leader-epoch'],
    says: /bad line "x y"/,
  },
];

const checkpoints: readonly Case[] = [
  {
    title: 'a high watermark behind the end',
    damage: (fixture) => fixture.write(`${DIR}/replication-offset-checkpoint`, '0\n1\norders 0 70\n'),
    found: ['problem high-watermark'],
  },
  {
    title: 'a log start behind the end',
    damage: (fixture) => fixture.write(`${DIR}/log-start-offset-checkpoint`, '0\n1\norders 0 70\n'),
    found: ['problem log-start'],
    says: /the next start keeps the partition offline/,
  },
  {
    title: 'a log start and a high watermark behind the end',
    damage: (fixture) => {
      for (const name of ['log-start', 'replication'])
        fixture.write(`${DIR}/${name}-offset-checkpoint`, '0\n1\norders 0 70\n');
    },
    found: ['problem high-watermark', 'problem log-start'],
  },
  {
    title: 'a compaction behind the end',
    damage: (fixture) => fixture.write(`${DIR}/cleaner-offset-checkpoint`, '0\n1\norders 0 70\n'),
    found: ['remark cleaner-offset'],
  },
  {
    title: 'topic ids that are none',
    damage: (fixture) => fixture.write(`${FOLDER}/partition.metadata`, 'version: 0\n'),
    found: ['problem topic-id'],
  },
  {
    title: 'topic ids that are none, after a crash that came later than the first sync',
    damage: (fixture) => {
      fixture.write(`${FOLDER}/partition.metadata`, '');
      fixture.crashed({ recoveryPoint: 10 });
    },
    found: ['problem topic-id'],
  },
  {
    title: 'topic ids that are none, after a crash that may have come before it',
    damage: (fixture) => {
      fixture.write(`${FOLDER}/partition.metadata`, '');
      fixture.crashed({ recoveryPoint: 0 });
    },
    found: [],
  },
  {
    title: 'files of a compaction that was interrupted, and of segments to be removed',
    damage: (fixture) => {
      const bytes = fixture.disk.readFileSync(firstSegment('.log'));
      for (const suffix of ['.log.deleted', '.index.cleaned'])
        fixture.write(`${FOLDER}/00000000000000000099${suffix}`, '');
      for (const suffix of ['.index', '.timeindex'])
        fixture.write(firstSegment(`${suffix}.swap`), fixture.disk.readFileSync(firstSegment(suffix)));
      fixture.write(firstSegment('.log.swap'), bytes);
    },
    found: ['remark leftover', 'remark leftover'],
    says: /A compaction was interrupted when it was done.*3 files in the place of those/s,
    heals: true,
  },
];

test.each([...batches, ...segments, ...crashes, ...indexes, ...snapshots, ...epochs, ...checkpoints])(
  '$title',
  async ({ damage, found: expected, says, offset, heals }) => {
    const fixture = await CheckFixture.make();
    damage(fixture);
    const { found, report } = await check(fixture.disk);
    expect(found.map(shortOf)).toEqual(expected);
    expect(report.problemCount).toBe(expected.filter((each) => each.startsWith('problem')).length);
    const [first] = found;
    if (says !== undefined) expect(`${first!.problem}. ${first!.remedy}`).toMatch(says);
    if (offset !== undefined) expect(first).toMatchObject({ offset, partition: 'orders-0' });
    if (heals !== true) return;
    await fixture.startAndStop();
    // The end of a transaction may have gone with the end of the log.
    const { found: left } = await check(fixture.disk);
    expect(left.filter(({ kind }) => kind !== 'transaction')).toEqual([]);
  },
);

test('a sound log with codecs, transactions, epochs and several segments gives nothing, read deeply or not', async () => {
  const { disk } = await CheckFixture.make();
  for (const isShallow of [false, true]) {
    const { found, report } = await check(disk, { isShallow });
    expect(found).toEqual([]);
    expect(report).toMatchObject({ partitionCount: 1, recordCount: 60, problemCount: 0 });
  }
});

test('a shallow check leaves records closed', async () => {
  const fixture = await CheckFixture.make();
  fixture.editBatch(2, (bytes, at) => void bytes.fill(0x55, at + 70, at + 90), true);
  expect((await check(fixture.disk, { isShallow: true })).found).toEqual([]);
});

test('a transaction that is open is worth a remark', async () => {
  const fixture = await CheckFixture.make();
  const manager = await fixture.open();
  const log = manager.get({ topic: 'orders', partition: 0 })!;
  const producer = { producerId: 7, producerEpoch: 2, baseSequence: 6, isTransactional: true };
  log.append(rawBatch(0, producer), { leaderEpoch: 4, origin: 'client' });
  await manager.close();
  const { found, report } = await check(fixture.disk);
  expect(found.map(shortOf)).toEqual(['remark transaction']);
  expect(found[0]).toMatchObject({ offset: 60, problem: expect.stringContaining('Producer 7 (epoch 2)') });
  expect(report.problemCount).toBe(0);
});

test('many findings of a kind are counted, and told of twenty times', async () => {
  const fixture = await CheckFixture.make();
  for (const path of fixture.files('.log'))
    fixture.edit(path, (bytes) => {
      for (let at = 0; at < bytes.length; at += bytes.readInt32BE(at + 8) + 12) bytes[at + 70]! ^= 1;
    });
  const { found, report } = await check(fixture.disk);
  const damaged = found.filter(({ kind }) => kind === 'batch');
  expect(damaged).toHaveLength(20);
  expect(report.problemCount).toBeGreaterThan(30);
});

test('a disk that refuses to read is told of, and other partitions are checked', async () => {
  const fixture = await CheckFixture.make();
  fixture.disk.inject({ operation: 'read', path: 'orders-0/', code: 'EIO' });
  const { found, report } = await check(fixture.disk);
  expect(found.map(shortOf)).toEqual(['problem disk']);
  expect(report.problemCount).toBe(1);
});

test('what a start keeps offline by the word of the check is kept offline', async () => {
  const fixture = await CheckFixture.make();
  fixture.edit(fixture.files('.log').at(-1)!, (bytes) => bytes.subarray(0, -3));
  fixture.crashed({ recoveryPoint: 60 });
  const { found } = await check(fixture.disk);
  expect(found[0]!.remedy).toContain('keeps the partition offline');
  const manager = await fixture.open();
  expect(() => manager.getOrCreate({ topic: 'orders', partition: 0 }, null, undefined as never)).toThrow(
    LogError,
  );
  await manager.close();
});

test('an abort marker whose transaction began before the log needs no data to be indexed', async () => {
  const fixture = await CheckFixture.make();
  const manager = await fixture.open();
  const log = manager.get({ topic: 'orders', partition: 0 })!;
  log.maybeIncrementLogStartOffset(49);
  log.deleteOldSegments();
  const marker = { producerId: 7, producerEpoch: 2, coordinatorEpoch: 5, timestampMs: 1 };
  log.append(encodeTransactionMarker({ type: 'abort', ...marker }), {
    leaderEpoch: 3,
    origin: 'coordinator',
  });
  await manager.close();
  expect((await check(fixture.disk)).found.map(shortOf)).toEqual(['remark leftover']);
});
