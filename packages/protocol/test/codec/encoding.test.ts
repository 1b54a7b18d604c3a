import { describe, expect, test } from 'vitest';
import {
  ByteWriter,
  decodeMessage,
  encodeMessage,
  encodeMessageTo,
  fetchRequest,
  fetchResponse,
  INT64_MAX,
  INT64_MIN,
  metadataRequest,
  offsetCommitRequest,
  produceRequest,
  ProtocolError,
  UnsupportedVersionError,
} from '../../src/index.ts';

describe('what a version cannot carry', () => {
  test('is refused when it is set and not ignorable', () => {
    const request = { groupId: 'g', groupInstanceId: 'i' };
    expect(() => encodeMessage(offsetCommitRequest, 6, request)).toThrow(UnsupportedVersionError);
    expect(() => encodeMessage(offsetCommitRequest, 7, request)).not.toThrow();
  });

  test('is left out when it is ignorable or at its default', () => {
    const bytes = encodeMessage(fetchRequest, 4, { sessionId: 9, forgottenTopicsData: [], replicaId: -1 });
    expect(decodeMessage(fetchRequest, 4, bytes)).toMatchObject({ sessionId: 0, sessionEpoch: -1 });
  });

  test.each([-1, 99, 1.5])('a version %d that does not exist is refused', (version) => {
    expect(() => encodeMessage(metadataRequest, version, {})).toThrow(UnsupportedVersionError);
    expect(() => decodeMessage(metadataRequest, version, Buffer.alloc(9))).toThrow(UnsupportedVersionError);
  });
});

describe('values that do not fit', () => {
  test.each([
    ['a fraction', { acks: 0.5 }],
    ['a number out of range', { acks: 40_000 }],
    ['NaN', { timeoutMs: Number.NaN }],
    ['null where there is none', { topicData: null }],
    ['a uuid of the wrong length', { topicData: [{ topicId: 'short' }] }],
    ['a string beyond 32767 bytes', { transactionalId: 'x'.repeat(32_768) }],
  ])('%s is refused with the name of the field', (_, value) => {
    expect(() => encodeMessage(produceRequest, 13, value as object)).toThrow(/^ProduceRequest\.\w+/);
    expect(() => encodeMessage(produceRequest, 13, value as object)).toThrow(ProtocolError);
  });
});

describe('int64', () => {
  test.each([0, -1, 2 ** 31, -(2 ** 31) - 1, 2 ** 53 - 1, 1 - 2 ** 53, INT64_MAX, INT64_MIN])(
    '%d survives a round trip',
    (offset) => {
      const value = { topics: [{ partitions: [{ fetchOffset: offset }] }] };
      const decoded = decodeMessage(fetchRequest, 12, encodeMessage(fetchRequest, 12, value));
      expect(decoded.topics[0]?.partitions[0]?.fetchOffset).toBe(offset);
    },
  );

  test('the extremes are those of Java', () => {
    const hex = encodeMessage(fetchRequest, 4, {
      topics: [{ partitions: [{ fetchOffset: INT64_MAX }, { fetchOffset: INT64_MIN }] }],
    }).toString('hex');
    expect(hex).toContain('7fffffffffffffff');
    expect(hex).toContain('8000000000000000');
  });
});

describe('a writer', () => {
  test('takes long records by reference and gives back everything in order', () => {
    const long = [Buffer.alloc(5000, 1), Buffer.alloc(2000, 2)];
    const writer = new ByteWriter();
    const value = {
      responses: [{ topic: 't', partitions: [{ records: long }, { records: Buffer.alloc(10, 3) }] }],
    };
    encodeMessageTo(fetchResponse, 12, value, writer);
    const { length } = writer;
    const chunks = writer.chunks();
    expect(long.every((one) => chunks.includes(one))).toBe(true);
    const bytes = Buffer.concat(chunks);
    expect(bytes).toHaveLength(length);
    const decoded = decodeMessage(fetchResponse, 12, bytes).responses[0]?.partitions;
    expect(decoded?.map((one) => one.records?.length)).toEqual([7000, 10]);
  });

  test('two at a time do not disturb each other, whatever they grow to', () => {
    const writers = [new ByteWriter(), new ByteWriter()];
    for (let round = 0; round < 3000; round++) {
      writers.forEach((writer, index) =>
        encodeMessageTo(metadataRequest, 1, { topics: [{ name: `${index}-${round}` }] }, writer),
      );
    }
    writers.forEach((writer, index) => {
      let bytes = Buffer.concat(writer.chunks());
      for (let round = 0; round < 3000; round++) {
        const size = 6 + `${index}-${round}`.length;
        const { topics } = decodeMessage(metadataRequest, 1, bytes.subarray(0, size));
        expect(topics?.[0]?.name).toBe(`${index}-${round}`);
        bytes = bytes.subarray(size);
      }
    });
  });
});
