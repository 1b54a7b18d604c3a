import {
  BatchLayout,
  compress,
  COMPRESSION_TYPES,
  encodeBatch,
  encodeTransactionMarker,
  writeBatchCrc,
  type CompressionType,
} from '@ottla/protocol';
import { describe, expect, test } from 'vitest';
import { connect, PartitionError } from '../../src/index.ts';
import { FakeServer } from '../fake-server.ts';
import { answering, batch, first, log } from './fake-log.ts';

/** A batch at offset 4 with a change, and the checksum that fits it. */
function changed(change: (bytes: Buffer) => Buffer | void): Buffer {
  const bytes = batch(4, 2);
  const result = change(bytes) ?? bytes;
  writeBatchCrc(result, 0);
  return result;
}

const int32 = (place: keyof typeof BatchLayout, value: number) =>
  changed((bytes) => void bytes.writeInt32BE(value, BatchLayout[place]));

/** Records of this content, whatever it is, with a header that fits it. */
function packed(type: CompressionType, content: Buffer, recordCount = 1): Buffer {
  return changed((bytes) => {
    const result = Buffer.concat([bytes.subarray(0, BatchLayout.records), content]);
    result.writeInt32BE(result.length - 12, BatchLayout.batchLength);
    result.writeInt16BE(COMPRESSION_TYPES.indexOf(type), BatchLayout.attributes);
    result.writeInt32BE(recordCount, BatchLayout.recordCount);
    result.writeInt32BE(0, BatchLayout.lastOffsetDelta);
    return result;
  });
}

const bomb = Buffer.alloc(65 * 1024 * 1024);
const record = (...bytes: number[]) => packed('none', Buffer.from(bytes));

const cases: readonly (readonly [string, () => Buffer])[] = [
  ['a checksum that is wrong', () => Buffer.from(batch(4, 2).fill(9, 70))],
  ['a count of 2^31 - 1 records', () => int32('recordCount', 0x7fff_ffff)],
  ['a count below zero', () => int32('recordCount', -1)],
  ['fewer records than the count says', () => int32('recordCount', 3)],
  ['more records than the count says', () => int32('recordCount', 1)],
  ['a last offset before the first', () => int32('lastOffsetDelta', -3)],
  ['a length below that of a header', () => int32('batchLength', 30)],
  ['a length below zero', () => Buffer.from(batch(4, 2).fill(0xff, 8, 12))],
  ['a length of 2^31 - 1', () => Buffer.from(batch(4, 2).fill(0x7f, 8, 9))],
  ['nothing but the beginning of a batch', () => batch(4, 2).subarray(0, 70)],
  ['a few bytes', () => Buffer.from('what is this')],
  ['message format 1', () => changed((bytes) => void (bytes[BatchLayout.magic] = 1))],
  [
    'a compression type that nobody knows',
    () => changed((bytes) => void bytes.writeInt16BE(6, BatchLayout.attributes)),
  ],
  ['a record of negative length', () => record(0x01, 0, 0, 0, 0, 0, 0, 0)],
  ['a record longer than its batch', () => record(0x7e, 0, 0, 0, 1, 1, 0)],
  ['a key longer than its record', () => record(0x0c, 0, 0, 0, 0x7e, 0, 0)],
  ['a header count of 2^31 - 1', () => record(0x14, 0, 0, 0, 1, 1, 0xfe, 0xff, 0xff, 0xff, 0x0f)],
  ['a bomb of gzip', () => packed('gzip', compress('gzip', bomb))],
  ['a bomb of zstd', () => packed('zstd', compress('zstd', bomb))],
  ...COMPRESSION_TYPES.slice(1).flatMap((type): [string, () => Buffer][] => [
    [`${type} that is none`, () => packed(type, Buffer.from('neither compressed nor records'))],
    [`${type} cut short`, () => packed(type, compress(type, Buffer.alloc(5_000, 'abcdefg')).subarray(0, 40))],
    [`a count that ${type} cannot hold`, () => packed(type, compress(type, Buffer.alloc(60)), 0x7fff_ffff)],
  ]),
];

describe('a batch with', () => {
  test.each(cases)('%s is an error with its place; seek gets past it', async (_, corrupt) => {
    const bytes = corrupt();
    await using server = await FakeServer.start(
      answering(log({ records: (offset) => (offset === 4 ? bytes : offset < 20 ? batch(offset, 2) : null) })),
    );
    await using ottla = connect({ bootstrap: server.bootstrap });
    await using consumer = ottla.consumer('t', { from: 'earliest' });
    const before = process.memoryUsage().arrayBuffers;
    const seen: number[] = [];
    const failing = (async () => {
      for await (const message of consumer) {
        seen.push(message.offset);
        // Headers are decoded when they are looked at.
        void message.headers;
      }
    })();
    const error = await failing.catch((e: unknown) => e);
    expect(error).toBeInstanceOf(PartitionError);
    expect(error).toMatchObject({ name: 'CORRUPT_MESSAGE', topic: 't', partition: 0, retriable: false });
    // The first record of a batch may be good.
    expect((error as PartitionError).offset).toBeGreaterThanOrEqual(4);
    expect(seen.slice(0, 4)).toEqual([0, 1, 2, 3]);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(80 * 1024 * 1024);
    consumer.seek({ topic: 't', partition: 0 }, 6);
    expect(await first(consumer, 2)).toEqual([6, 7]);
  });

  test('a control record of no known type is passed over', async () => {
    const marker = encodeTransactionMarker(
      { type: 'commit', producerId: 7, producerEpoch: 0, coordinatorEpoch: 0, timestampMs: 0 },
      { baseOffset: 4 },
    );
    const unknown = encodeBatch({
      baseOffset: 5,
      producerId: 7,
      producerEpoch: 0,
      baseSequence: 0,
      isTransactional: true,
      isControl: true,
      records: [{ key: Buffer.from([0, 0, 0x7f, 0x7f]), value: Buffer.alloc(0) }],
    });
    await using server = await FakeServer.start(
      answering(
        log({
          records: (at) => (at === 4 ? Buffer.concat([marker, unknown]) : at < 20 ? batch(at, 2) : null),
        }),
      ),
    );
    await using ottla = connect({ bootstrap: server.bootstrap });
    await using consumer = ottla.consumer('t', { from: 'earliest', isolationLevel: 'read_committed' });
    expect(await first(consumer, 6)).toEqual([0, 1, 2, 3, 6, 7]);
  });
});
