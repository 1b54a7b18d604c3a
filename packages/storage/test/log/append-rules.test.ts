import { gzipSync } from 'node:zlib';
import {
  encodeBatch,
  encodeTransactionMarker,
  ErrorCodes,
  iterateBatches,
  decodeRecords,
  writeBatchCrc,
} from '@ottla/protocol';
import { SeededRandom, SimClock, SimDisk } from '@ottla/platform';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  LogError,
  RecordValidationError,
  type Log,
  type LogConfig,
  type LogManager,
} from '../../src/index.ts';
import { ALL, batchOf, client, logConfig, openManager, TP } from '../support/fixtures.ts';

const NOW = 1_700_000_000_000;
let manager: LogManager;
beforeEach(async () => {
  const clock = new SimClock(NOW);
  manager = await openManager(['/data'], {
    disk: new SimDisk({ clock, random: new SeededRandom(1) }),
    clock,
  });
});

function logWith(config: Partial<LogConfig> = {}): Log {
  return manager.getOrCreate(TP, null, logConfig(config));
}

/** A batch with bytes changed after it was encoded, and the CRC made right again. */
function tampered(batch: Buffer, change: (bytes: Buffer) => void): Buffer {
  change(batch);
  writeBatchCrc(batch, 0);
  return batch;
}

/** A gzip batch of `count` records. */
function compressed(count: number): Buffer {
  const records = Array.from({ length: count }, () => ({ timestamp: NOW, value: Buffer.from('value') }));
  return encodeBatch({ records, compression: 'gzip' });
}

function refusal(append: () => unknown): { code: number; error: LogError } {
  try {
    append();
  } catch (error) {
    if (error instanceof LogError) return { code: error.errorCode, error };
    throw error;
  }
  throw new Error('The append was not refused');
}

const refused: {
  name: string;
  code: keyof typeof ErrorCodes;
  batch: () => Buffer;
  config?: Partial<LogConfig>;
}[] = [
  {
    name: 'a wrong CRC',
    code: 'CORRUPT_MESSAGE',
    batch: () => {
      const batch = batchOf(1);
      batch[70]! ^= 1;
      return batch;
    },
  },
  { name: 'a cut batch', code: 'CORRUPT_MESSAGE', batch: () => batchOf(3).subarray(0, 80) },
  {
    name: 'compressed records that are fewer than the header says',
    code: 'INVALID_RECORD',
    batch: () =>
      tampered(compressed(2), (bytes) => {
        bytes.writeInt32BE(2, 23);
        bytes.writeInt32BE(3, 57);
      }),
  },
  {
    name: 'a compressed body that does not decompress',
    code: 'INVALID_RECORD',
    batch: () => tampered(compressed(2), (bytes) => bytes.fill(0x5a, 61)),
  },
  {
    name: 'compressed records with a gap in their offsets',
    code: 'INVALID_RECORD',
    batch: () => {
      const header = compressed(2).subarray(0, 61);
      const records = encodeBatch({ records: [{ timestamp: NOW }, { timestamp: NOW }] }).subarray(61);
      // Both records are of the same length; the second one's offset delta of 1 becomes 2.
      records.writeUInt8(4, records.length / 2 + 3);
      return tampered(Buffer.concat([header, gzipSync(records)]), (bytes) =>
        bytes.writeInt32BE(bytes.length - 12, 8),
      );
    },
  },
  { name: 'fewer bytes than a header', code: 'CORRUPT_MESSAGE', batch: () => Buffer.alloc(20) },
  {
    name: 'trailing bytes',
    code: 'CORRUPT_MESSAGE',
    batch: () => Buffer.concat([batchOf(1), Buffer.alloc(5)]),
  },
  {
    name: 'a length below the header',
    code: 'CORRUPT_MESSAGE',
    batch: () => {
      const batch = batchOf(1);
      batch.writeInt32BE(10, 8);
      return batch;
    },
  },
  {
    name: 'message format 1',
    code: 'INVALID_RECORD',
    batch: () => {
      const batch = batchOf(1);
      batch[16] = 1;
      return batch;
    },
  },
  {
    name: 'an unknown magic',
    code: 'CORRUPT_MESSAGE',
    batch: () => {
      const batch = batchOf(1);
      batch[16] = 3;
      return batch;
    },
  },
  { name: 'a base offset', code: 'INVALID_RECORD', batch: () => batchOf(1, { baseOffset: 7 }) },
  {
    name: 'two batches at once',
    code: 'INVALID_RECORD',
    batch: () => Buffer.concat([batchOf(1), batchOf(1)]),
  },
  { name: 'no bytes at all', code: 'INVALID_RECORD', batch: () => Buffer.alloc(0) },
  {
    name: 'a control batch',
    code: 'INVALID_RECORD',
    batch: () =>
      encodeTransactionMarker({
        type: 'commit',
        producerId: 1,
        producerEpoch: 0,
        coordinatorEpoch: 0,
        timestampMs: NOW,
      }),
  },
  {
    name: 'a count that does not match the offsets',
    code: 'INVALID_RECORD',
    batch: () => tampered(batchOf(2), (bytes) => bytes.writeInt32BE(3, 57)),
  },
  {
    name: 'a negative last offset delta',
    code: 'INVALID_RECORD',
    batch: () => tampered(batchOf(2), (bytes) => bytes.writeInt32BE(-2, 23)),
  },
  {
    name: 'a count and offsets that the records do not have',
    code: 'INVALID_RECORD',
    batch: () =>
      tampered(batchOf(2), (bytes) => {
        bytes.writeInt32BE(3, 57);
        bytes.writeInt32BE(2, 23);
      }),
  },
  {
    name: 'a record longer than its batch',
    code: 'INVALID_RECORD',
    batch: () => tampered(batchOf(1), (bytes) => void (bytes[61] = 126)),
  },
  {
    name: 'a producer id without a sequence',
    code: 'INVALID_RECORD',
    batch: () => batchOf(1, { producerId: 4, producerEpoch: 0, baseSequence: -1 }),
  },
  {
    name: 'more than max.message.bytes',
    code: 'MESSAGE_TOO_LARGE',
    batch: () => batchOf(1, { valueBytes: 600 }),
    config: { maxMessageBytes: 500 },
  },
  {
    name: 'more than a segment',
    code: 'RECORD_LIST_TOO_LARGE',
    batch: () => batchOf(1, { valueBytes: 600 }),
    config: { segmentBytes: 500 },
  },
  {
    name: 'a record without key on a compacted topic',
    code: 'INVALID_RECORD',
    config: { compact: true },
    batch: () =>
      encodeBatch({
        records: [
          { timestamp: NOW, key: Buffer.from('k') },
          { timestamp: NOW, key: null },
        ],
      }),
  },
  {
    name: 'a time too far in the future',
    code: 'INVALID_TIMESTAMP',
    batch: () => batchOf(1, { timestamp: NOW + 3_600_001 }),
  },
  {
    name: 'a time too far in the past',
    code: 'INVALID_TIMESTAMP',
    batch: () => batchOf(1, { timestamp: NOW - 1001 }),
    config: { messageTimestampBeforeMaxMs: 1000 },
  },
  {
    name: 'LogAppendTime set by the producer',
    code: 'INVALID_TIMESTAMP',
    batch: () => batchOf(1, { logAppendTimeMs: NOW }),
    config: { messageTimestampType: 'LogAppendTime' },
  },
];

test.each(refused)(
  'an append of $name is refused with $code and changes nothing',
  ({ code, batch, config }) => {
    const log = logWith(config);
    log.append(encodeBatch({ records: [{ timestamp: NOW, key: Buffer.from('first') }] }), client);
    expect(refusal(() => log.append(batch(), client)).code).toBe(ErrorCodes[code]);
    expect([log.logEndOffset, log.sizeInBytes]).toEqual([1, log.sizeInBytes]);
    expect(
      log.append(encodeBatch({ records: [{ timestamp: NOW, key: Buffer.from('next') }] }), client)
        .firstOffset,
    ).toBe(1);
  },
);

test('single records are named in the refusal', () => {
  const log = logWith({ compact: true });
  const records = [null, Buffer.from('k'), null].map((key) => ({ timestamp: NOW, key }));
  const { error } = refusal(() => log.append(encodeBatch({ records, compression: 'gzip' }), client));
  expect(error).toBeInstanceOf(RecordValidationError);
  expect((error as RecordValidationError).recordErrors.map((each) => each.batchIndex)).toEqual([0, 2]);
});

async function stored(log: Log): Promise<{ buffer: Buffer; batches: ReturnType<typeof iterateBatches> }> {
  const { batches } = await log.read(0, ALL);
  const buffer = Buffer.concat(batches);
  return { buffer, batches: iterateBatches(buffer) };
}

describe('what an append changes', () => {
  test('offset and leader epoch, in place', async () => {
    const log = logWith();
    log.append(batchOf(5), client);
    const batch = batchOf(2);
    const before = Buffer.from(batch);
    const info = log.append(batch, { leaderEpoch: 9, origin: 'client' });
    expect(info).toMatchObject({ firstOffset: 5, lastOffset: 6, logAppendTimeMs: -1, duplicate: false });
    const { buffer, batches } = await stored(log);
    const last = [...batches].at(-1)!;
    expect(last).toMatchObject({ baseOffset: 5, partitionLeaderEpoch: 9 });
    expect(buffer.subarray(last.position + 16)).toEqual(before.subarray(16));
    expect(log.endOffsetForEpoch(0)).toEqual({ leaderEpoch: 0, endOffset: 5 });
    expect(log.endOffsetForEpoch(9)).toEqual({ leaderEpoch: 9, endOffset: 7 });
    expect(log.endOffsetForEpoch(10)).toEqual({ leaderEpoch: -1, endOffset: -1 });
  });

  test('the time and its type with LogAppendTime', async () => {
    const log = logWith({ messageTimestampType: 'LogAppendTime' });
    expect(log.append(batchOf(2, { timestamp: 5 }), client).logAppendTimeMs).toBe(NOW);
    const { buffer, batches } = await stored(log);
    expect([...batches][0]).toMatchObject({ timestampType: 'LogAppendTime', maxTimestamp: NOW });
    expect(decodeRecords(buffer, 0).map((record) => record.timestamp)).toEqual([NOW, NOW]);
  });

  test('a maximum time that the records do not have', async () => {
    const log = logWith();
    log.append(
      tampered(batchOf(2), (bytes) => bytes.writeBigInt64BE(5n, 35)),
      client,
    );
    expect([...(await stored(log)).batches][0]!.maxTimestamp).toBe(NOW + 1);
  });

  test.each(['gzip', 'snappy', 'lz4', 'zstd', 'uncompressed'] as const)(
    'the compression to %s',
    async (compressionType) => {
      const log = logWith({ compressionType });
      const from = compressionType === 'gzip' ? 'none' : 'gzip';
      log.append(
        batchOf(20, { compression: from, producerId: 5, producerEpoch: 1, baseSequence: 0 }),
        client,
      );
      const { buffer, batches } = await stored(log);
      const name = compressionType === 'uncompressed' ? 'none' : compressionType;
      expect([...batches][0]).toMatchObject({
        compression: name,
        producerId: 5,
        producerEpoch: 1,
        recordCount: 20,
        baseSequence: 0,
      });
      expect(decodeRecords(buffer, 0).map((record) => record.key?.toString())).toEqual(
        Array.from({ length: 20 }, (_, i) => `k${i}`),
      );
    },
  );
});

describe('an idempotent producer', () => {
  const send = (
    log: Log,
    baseSequence: number,
    options: { count?: number; epoch?: number } = {},
  ): ReturnType<Log['append']> =>
    log.append(
      batchOf(options.count ?? 1, { producerId: 7, producerEpoch: options.epoch ?? 0, baseSequence }),
      client,
    );

  test('gets the first offsets again for each of its last five batches', () => {
    const log = logWith();
    for (let sequence = 0; sequence < 7; sequence++) send(log, sequence);
    for (let sequence = 2; sequence < 7; sequence++) {
      expect(send(log, sequence)).toMatchObject({ firstOffset: sequence, duplicate: true, sizeInBytes: 0 });
    }
    expect(refusal(() => send(log, 1)).code).toBe(ErrorCodes.OUT_OF_ORDER_SEQUENCE_NUMBER);
    expect(log.logEndOffset).toBe(7);
  });

  test('is refused when a batch is missing, of an old epoch, or begins a new epoch in the middle', () => {
    const log = logWith();
    send(log, 0, { epoch: 3 });
    expect(refusal(() => send(log, 2, { epoch: 3 })).code).toBe(ErrorCodes.OUT_OF_ORDER_SEQUENCE_NUMBER);
    expect(refusal(() => send(log, 1, { epoch: 2 })).code).toBe(ErrorCodes.INVALID_PRODUCER_EPOCH);
    expect(refusal(() => send(log, 1, { epoch: 4 })).code).toBe(ErrorCodes.OUT_OF_ORDER_SEQUENCE_NUMBER);
    expect(send(log, 0, { epoch: 4 }).firstOffset).toBe(1);
  });

  test('may begin anywhere when it is not known, and wraps its sequence', () => {
    const log = logWith();
    send(log, 2 ** 31 - 2, { count: 3 });
    expect(log.activeProducers()[0]).toMatchObject({ producerId: 7, lastSequence: 0 });
    expect(send(log, 1).firstOffset).toBe(3);
  });
});

test('transactions hold the last stable offset back until their marker is below the high watermark', () => {
  const log = logWith();
  const data = { producerId: 1, producerEpoch: 0, isTransactional: true };
  log.append(batchOf(2), client);
  log.append(batchOf(2, { ...data, baseSequence: 0 }), client);
  expect(log.updateHighWatermark(4)).toBe(4);
  expect(log.lastStableOffset).toBe(2);
  expect(
    refusal(() => log.append(batchOf(1, { ...data, isTransactional: false, baseSequence: 2 }), client)).code,
  ).toBe(ErrorCodes.INVALID_TXN_STATE);
  const marker = { producerId: 1, producerEpoch: 0, coordinatorEpoch: 5, timestampMs: NOW };
  log.append(encodeTransactionMarker({ ...marker, type: 'abort' }), {
    leaderEpoch: 0,
    origin: 'coordinator',
  });
  expect(log.lastStableOffset).toBe(2);
  log.updateHighWatermark(5);
  expect(log.lastStableOffset).toBe(5);
  expect(log.transactions.collectAborted(0, 5)).toEqual([{ producerId: 1, firstOffset: 2 }]);
  expect(log.transactions.collectAborted(0, 2)).toEqual([]);
  const stale = encodeTransactionMarker({ ...marker, type: 'commit', coordinatorEpoch: 4 });
  expect(refusal(() => log.append(stale, { leaderEpoch: 0, origin: 'coordinator' })).code).toBe(
    ErrorCodes.TRANSACTION_COORDINATOR_FENCED,
  );
});
