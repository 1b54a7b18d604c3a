import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  BatchLayout,
  ControlRecordType,
  controlRecordType,
  decodeEndTxnMarker,
  decodeRecords,
  encodeBatch,
  encodeTransactionMarker,
  iterateBatches,
  murmur2,
  partitionForKey,
  patchBatch,
  ProtocolError,
  readBatchSummary,
  UnsupportedMagicError,
  validateBatchCrc,
  type CompressionType,
  type DecodedRecord,
} from '../../src/index.ts';
import { writeBatchCrc } from '../../src/records/batch-summary.ts';
import { mutate, seededRandom } from '../../src/testing/index.ts';
import { effort, seed } from '../seed.ts';

interface GoldenBatch {
  readonly compression: CompressionType;
  readonly timestampType: string;
  readonly baseOffset: number;
  readonly maxTimestamp: number;
  readonly partitionLeaderEpoch: number;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly transactional: boolean;
  readonly control: boolean;
  readonly hex: string;
  readonly records: readonly object[];
}

function vectors<T>(name: string): T[] {
  return JSON.parse(readFileSync(new URL(`../vectors/${name}`, import.meta.url), 'utf8')) as T[];
}

const batches = vectors<GoldenBatch>('batches.json');

function shown({ timestamp, key, value, headers }: DecodedRecord): object {
  const hex = (bytes: Buffer | null): string | null => bytes?.toString('hex') ?? null;
  return {
    timestamp,
    key: hex(key),
    value: hex(value),
    headers: headers.map((one) => [one.key, hex(one.value)]),
  };
}

describe('golden record batches', () => {
  test.each(batches)('$compression $timestampType at $baseOffset: fields, records, bytes', (golden) => {
    const bytes = Buffer.from(golden.hex, 'hex');
    const { hex, records, transactional, control, ...fields } = golden;
    const { marker, coordinatorEpoch, ...expected } = fields as Record<string, unknown>;
    expect(readBatchSummary(bytes, 0)).toMatchObject({
      ...expected,
      isTransactional: transactional,
      isControl: control,
    });
    expect(validateBatchCrc(bytes, 0)).toBe(true);
    const decoded = decodeRecords(bytes, 0, { storedTimestamps: true });
    expect(decoded.map(shown)).toEqual(records);
    const encoded = encodeBatch({
      ...golden,
      isTransactional: transactional,
      isControl: control,
      records: decoded,
      ...(golden.timestampType === 'LogAppendTime' && { logAppendTimeMs: golden.maxTimestamp }),
    });
    if (golden.compression === 'none') expect(encoded.toString('hex')).toBe(hex);
    expect(decodeRecords(encoded, 0, { storedTimestamps: true }).map(shown)).toEqual(records);
    if (marker === undefined) return;
    expect(controlRecordType(decoded[0]?.key ?? null)).toBe(
      ControlRecordType[marker === 'COMMIT' ? 'commit' : 'abort'],
    );
    expect(decodeEndTxnMarker(decoded[0]?.value ?? null)).toEqual({ coordinatorEpoch });
    const again = encodeTransactionMarker(
      {
        type: marker === 'COMMIT' ? 'commit' : 'abort',
        producerId: golden.producerId,
        producerEpoch: golden.producerEpoch,
        coordinatorEpoch: coordinatorEpoch as number,
        timestampMs: golden.maxTimestamp,
      },
      { baseOffset: golden.baseOffset, partitionLeaderEpoch: golden.partitionLeaderEpoch },
    );
    expect(again.toString('hex')).toBe(hex);
  });

  test('one after the other in a buffer, come out in order with their positions', () => {
    const buffers = batches.map((golden) => Buffer.from(golden.hex, 'hex'));
    const summaries = [...iterateBatches(Buffer.concat(buffers))];
    expect(summaries.map((one) => one.baseOffset)).toEqual(batches.map((one) => one.baseOffset));
    expect(summaries.map((one) => one.sizeInBytes)).toEqual(buffers.map((one) => one.length));
  });

  test('a new base offset and leader epoch leave the checksum valid', () => {
    const bytes = Buffer.from(batches[2]?.hex ?? '', 'hex');
    patchBatch(bytes, 0, { baseOffset: 2 ** 40 + 3, partitionLeaderEpoch: 9 });
    expect(readBatchSummary(bytes, 0)).toMatchObject({ baseOffset: 2 ** 40 + 3, partitionLeaderEpoch: 9 });
    expect(validateBatchCrc(bytes, 0)).toBe(true);
    patchBatch(bytes, 0, { logAppendTimeMs: 1_800_000_000_000 });
    expect(decodeRecords(bytes, 0)[0]?.timestamp).toBe(1_800_000_000_000);
    expect(validateBatchCrc(bytes, 0)).toBe(true);
  });
});

describe('hostile record batches', () => {
  test.each([0, 1, 3, -1])('magic %i is refused as such', (magic) => {
    const bytes = Buffer.from(batches[0]?.hex ?? '', 'hex');
    bytes.writeInt8(magic, BatchLayout.magic);
    expect(() => readBatchSummary(bytes, 0)).toThrow(UnsupportedMagicError);
  });

  test('cut at any byte, are refused', () => {
    const bytes = Buffer.from(batches[2]?.hex ?? '', 'hex');
    for (let end = 0; end < bytes.length; end++) {
      expect(() => readBatchSummary(bytes.subarray(0, end), 0)).toThrow(ProtocolError);
    }
  });

  test.each([-1, 0, 1, 4, 6, 0x7fffffff])('with %i records announced instead of 5, are refused', (count) => {
    const bytes = Buffer.from(batches[2]?.hex ?? '', 'hex');
    bytes.writeInt32BE(count, BatchLayout.recordCount);
    expect(() => decodeRecords(bytes, 0)).toThrow(ProtocolError);
  });

  test(`mutated at random behind a valid checksum, decode or are refused (OTTLA_SEED=${seed})`, () => {
    const random = seededRandom(seed);
    for (const golden of batches.filter((one) => one.hex.length < 10_000)) {
      for (let round = 0; round < 60 * effort; round++) {
        const broken = mutate(Buffer.from(golden.hex, 'hex'), random);
        try {
          readBatchSummary(broken, 0);
          writeBatchCrc(broken, 0);
          decodeRecords(broken, 0, { maxDecompressedBytes: 1 << 20 });
        } catch (error) {
          if (!(error instanceof ProtocolError)) throw error;
        }
      }
    }
  });
});

describe('murmur2', () => {
  test.each(vectors<{ key: string; murmur2: number; partitionOf12: number }>('murmur2.json'))(
    'of $key is what the default partitioner has',
    (golden) => {
      const key = Buffer.from(golden.key, 'hex');
      expect(murmur2(key)).toBe(golden.murmur2);
      expect(partitionForKey(key, 12)).toBe(golden.partitionOf12);
    },
  );
});
