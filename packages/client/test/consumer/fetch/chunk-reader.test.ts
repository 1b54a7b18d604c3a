import { encodeBatch, encodeTransactionMarker, type BatchInput } from '@ottla/protocol';
import { SeededRandom } from '@ottla/platform';
import { describe, expect, test } from 'vitest';
import { serde } from '../../../src/index.ts';
import { ChunkReader } from '../../../src/consumer/fetch/chunk-reader.ts';
import { Chunk, FrameShare, type AbortedTransaction } from '../../../src/consumer/fetch/fetched-chunk.ts';
import { scanBatches } from '../../../src/consumer/fetch/scan-batches.ts';

const records = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ timestamp: index, value: Buffer.from(`v${index}`) }));

const batch = (baseOffset: number, count: number, more: Partial<BatchInput> = {}) =>
  encodeBatch({ baseOffset, records: records(count), partitionLeaderEpoch: 4, ...more });

const transactional = (baseOffset: number, count: number, producerId: number) =>
  batch(baseOffset, count, { producerId, producerEpoch: 0, baseSequence: 0, isTransactional: true });

const marker = (type: 'commit' | 'abort', baseOffset: number, producerId: number) =>
  encodeTransactionMarker(
    { type, producerId, producerEpoch: 0, coordinatorEpoch: 0, timestampMs: 0 },
    { baseOffset },
  );

interface Read {
  readonly offsets: readonly number[];
  readonly end: number;
  readonly error: unknown;
}

function read(
  bytes: Buffer,
  options: { from?: number; aborted?: readonly AbortedTransaction[]; isReadCommitted?: boolean } = {},
): Read {
  const { from = 0, aborted = [], isReadCommitted = false } = options;
  const place = { topic: 't', partition: 3 };
  const chunk = new Chunk(place, { records: bytes, aborted }, new FrameShare(bytes.length, () => {}));
  const reader = new ChunkReader(chunk, {
    serdes: { key: serde.bytes, value: serde.bytes },
    checkCrcs: true,
    isReadCommitted,
  });
  const offsets: number[] = [];
  let next = from;
  while (reader.next(next)) {
    offsets.push(reader.offset);
    next = reader.offset + 1;
  }
  return { offsets, end: reader.endOffset, error: reader.error };
}

describe('batches of a partition', () => {
  test('come in order, from the offset that was asked for, past what compaction has removed', () => {
    const compacted = batch(10, 3, { lastOffset: 19 });
    expect(read(Buffer.concat([batch(5, 5), compacted]), { from: 8 })).toEqual({
      offsets: [8, 9, 10, 11, 12],
      end: 20,
      error: null,
    });
  });

  test('control batches are never handed out', () => {
    const bytes = Buffer.concat([transactional(0, 2, 7), marker('commit', 2, 7), batch(3, 1)]);
    expect(read(bytes)).toMatchObject({ offsets: [0, 1, 3], end: 4 });
  });

  test('read_committed leaves out what was aborted, up to its marker, and nothing of others', () => {
    const bytes = Buffer.concat([
      transactional(0, 2, 7),
      transactional(2, 2, 8),
      batch(4, 1),
      marker('abort', 5, 7),
      transactional(6, 1, 7),
      marker('commit', 7, 8),
      marker('commit', 8, 7),
    ]);
    const aborted = [{ producerId: 7, firstOffset: 0 }];
    expect(read(bytes, { aborted, isReadCommitted: true })).toMatchObject({ offsets: [2, 3, 4, 6], end: 9 });
    expect(read(bytes, { aborted })).toMatchObject({ offsets: [0, 1, 2, 3, 4, 6] });
  });

  test('a broken batch is an error that names its place; what came before is handed out', () => {
    const bytes = Buffer.concat([batch(0, 2), batch(2, 2), batch(4, 2)]);
    bytes[batch(0, 2).length + 70]! ^= 0xff;
    const { offsets, error } = read(bytes);
    expect(offsets).toEqual([0, 1]);
    expect(error).toMatchObject({
      name: 'CORRUPT_MESSAGE',
      topic: 't',
      partition: 3,
      offset: 2,
      retriable: false,
    });
    expect(String(error)).toContain('CRC');
  });

  test.each([0, 1, 2])('random damage (seed %i) is an error or goes unseen, and ends', (seed) => {
    const random = new SeededRandom(seed);
    const good = Buffer.concat([batch(0, 5), batch(5, 5, { compression: 'lz4' }), batch(10, 5)]);
    for (let round = 0; round < 500; round += 1) {
      const bytes = Buffer.from(
        good.subarray(0, random.nextInt(2) === 0 ? good.length : random.nextInt(good.length)),
      );
      for (let hits = random.nextInt(4); hits > 0 && bytes.length > 0; hits -= 1)
        bytes[random.nextInt(bytes.length)] = random.nextInt(256);
      const { wholeBytes } = scanBatches(bytes);
      expect(wholeBytes).toBeLessThanOrEqual(bytes.length);
      expect(read(bytes).offsets.length).toBeLessThanOrEqual(15);
    }
  });
});

describe('scanning headers', () => {
  test('finds the end of the last whole batch, whatever stands cut off behind it', () => {
    const whole = Buffer.concat([batch(0, 5), batch(5, 5)]);
    for (let cut = 0; cut < batch(10, 1).length; cut += 1)
      expect(scanBatches(Buffer.concat([whole, batch(10, 1).subarray(0, cut)]))).toEqual({
        endOffset: 10,
        leaderEpoch: 4,
        wholeBytes: whole.length,
        isBroken: false,
      });
  });

  test('a size that cannot be is broken, not the end', () => {
    const bytes = batch(0, 5);
    bytes.writeInt32BE(-5, 8);
    expect(scanBatches(bytes)).toEqual({ endOffset: -1, leaderEpoch: -1, wholeBytes: 0, isBroken: true });
  });
});
