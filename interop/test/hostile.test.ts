import { gzipSync } from 'node:zlib';
import {
  apiVersionsRequest,
  apiVersionsResponse,
  decodeResponse,
  encodeBatch,
  metadataRequest,
  metadataResponse,
  produceRequest,
  produceResponse,
  saslHandshakeRequest,
  saslHandshakeResponse,
} from '@ottla/protocol';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { RawConnection, type Peer } from '../src/index.ts';
import { batch, call, createTopic } from './requests.ts';
import { interop, residentBytes, startPeer, unique } from './support.ts';

/** Request header: key, version, correlation id 7, no client id; flexible versions have tagged fields as well. */
function header(apiKey: number, version: number, flexible = false): Buffer {
  const bytes = Buffer.alloc(flexible ? 11 : 10);
  bytes.writeInt16BE(apiKey, 0);
  bytes.writeInt16BE(version, 2);
  bytes.writeInt32BE(7, 4);
  bytes.writeInt16BE(-1, 8);
  return bytes;
}

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
let peer: Peer;
const ottla = interop.kind === 'ottla';
const metadata = { request: metadataRequest, response: metadataResponse, version: 9 };

async function react(...chunks: readonly Buffer[]): Promise<Buffer | 'closed' | 'silence'> {
  const connection = await RawConnection.open(peer.port);
  connection.send(...chunks);
  const reaction = await connection.reaction();
  connection.close();
  return reaction;
}

const frame = (...chunks: readonly Buffer[]) => {
  const length = Buffer.alloc(4);
  length.writeInt32BE(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  return Buffer.concat([length, ...chunks]);
};

/** Whatever a test did, others are served at once. */
async function servesOthers(): Promise<void> {
  const connection = await RawConnection.open(peer.port);
  const answer = await call(
    connection,
    { request: apiVersionsRequest, response: apiVersionsResponse, version: 3 },
    {
      clientSoftwareName: 'interop',
      clientSoftwareVersion: '1.0',
    },
  );
  expect(answer.errorCode).toBe(0);
  connection.close();
}

// A broker of its own: one that falls must not take the other tests with it.
beforeAll(async () => {
  peer = await startPeer();
});
afterAll(() => peer?.dispose());
afterEach(servesOthers);

describe('bytes that are no request', () => {
  test.each([
    ['a frame length of -1', hex('ffffffff')],
    ['a frame length of 0', hex('00000000')],
    ['a frame length of 101 MiB', hex('06500000')],
    ['a frame length of 2^31-1', hex('7fffffff')],
    ['a frame shorter than a header', frame(hex('0012'))],
    ['an unknown API key', frame(header(999, 0))],
    ['a negative API key', frame(header(-1, 0))],
    ['an API of the controllers (BeginQuorumEpoch)', frame(header(53, 0))],
    ['an API of the controllers (AlterPartition)', frame(header(56, 2, true))],
    ['a version that is not announced (Metadata v99)', frame(header(3, 99, true))],
    ['an array of 2^31-1 items without items', frame(header(3, 1), hex('7fffffff'))],
    ['a string of length -5', frame(header(3, 1), hex('00000001 fffb'))],
    ['a varint of 6 bytes', frame(header(3, 9, true), hex('ffffffffff01'))],
    ['a body that ends too early', frame(header(3, 1), hex('00000002 0001 61'))],
    ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
    ['a TLS hello', hex('16030100f8010000f40303')],
    ['a client id that is longer than the frame', frame(hex('0003 0001 00000007 7fff'))],
  ])('%s closes the connection without an answer', async (_name, bytes) => {
    expect(await react(bytes)).toBe('closed');
  });

  test.skipIf(!ottla).each([
    ['tagged fields out of order', frame(header(3, 9, true), hex('01 00 00 00 02 05 01 00 04 01 00'))],
    ['a negative array length other than -1', frame(header(3, 1), hex('fffffffe'))],
  ])('%s, which Kafka lets pass, closes the connection', async (_name, bytes) => {
    expect(await react(bytes)).toBe('closed');
  });

  test.each([
    ['64 bytes behind the body', frame(header(3, 1), hex('00000000'), Buffer.alloc(64))],
    [
      'Metadata 13 for all topics as librdkafka 2.15 writes it',
      frame(header(3, 13, true), hex('00000000010000')),
    ],
  ])('%s: passed over, the request is served', async (_name, bytes) => {
    expect(Buffer.isBuffer(await react(bytes))).toBe(true);
  });

  test('a broken frame behind a good one: the good one is answered first', async () => {
    const connection = await RawConnection.open(peer.port);
    connection.send(Buffer.concat([frame(header(18, 0)), hex('ffffffff')]));
    expect(Buffer.isBuffer(await connection.reaction())).toBe(true);
    expect(await connection.reaction()).toBe('closed');
  });

  test('two bytes of a frame, then silence: the connection waits and nobody else is kept waiting', async () => {
    const connection = await RawConnection.open(peer.port);
    connection.send(hex('0000'));
    expect(await connection.reaction(400)).toBe('silence');
    connection.close();
  });

  // A real Kafka with a heap of 1 GB allocates the announced sizes and dies.
  test.skipIf(!ottla)(
    '300 half-open connections and 100 that send a byte at a time cost little memory',
    async () => {
      const before = residentBytes(peer.pid);
      const connections = await Promise.all(Array.from({ length: 400 }, () => RawConnection.open(peer.port)));
      // Each announces a frame of 90 MiB and never sends it.
      for (const connection of connections) connection.send(hex('05a00000'));
      for (let round = 0; round < 5; round += 1) {
        for (const connection of connections.slice(300)) connection.send(hex('00'));
        await servesOthers();
      }
      expect(residentBytes(peer.pid) - before).toBeLessThan(200 * 1024 * 1024);
      for (const connection of connections) connection.close();
    },
  );
});

describe('requests that are refused with an error', () => {
  test.each([99, -1])(
    'ApiVersions v%i is answered with the ranges and error 35 in version 0',
    async (version) => {
      const reaction = await react(frame(header(18, version, true), hex('01 01 00')));
      if (!Buffer.isBuffer(reaction)) throw new Error(reaction);
      const { value } = decodeResponse(apiVersionsResponse, 0, reaction);
      expect(value.errorCode).toBe(35);
      expect(value.apiKeys.find(({ apiKey }) => apiKey === 18)).toMatchObject({
        minVersion: 0,
        maxVersion: 4,
      });
    },
  );

  test.each([0, 1])('SaslHandshake v%i on a plaintext listener: ILLEGAL_SASL_STATE', async (version) => {
    const connection = await RawConnection.open(peer.port);
    const api = { request: saslHandshakeRequest, response: saslHandshakeResponse, version };
    expect((await call(connection, api, { mechanism: 'PLAIN' })).errorCode).toBe(34);
    connection.close();
  });

  test.each(['../../x', '..', '.', '', 'a/b', 'a\u0000b', 'ä', 'x'.repeat(250)])(
    'topic name "%s": INVALID_TOPIC_EXCEPTION',
    async (name) => {
      const connection = await RawConnection.open(peer.port);
      const answer = await call(connection, metadata, { topics: [{ name }], allowAutoTopicCreation: true });
      expect(answer.topics[0]!.errorCode).toBe(17);
      connection.close();
    },
  );

  test('a topic name of invalid UTF-8 is answered per topic or closes the connection', async () => {
    const reaction = await react(frame(header(3, 1), hex('00000001 0002 c328')));
    if (ottla && reaction === 'closed') return;
    if (!Buffer.isBuffer(reaction)) throw new Error(reaction);
    expect(decodeResponse(metadataResponse, 1, reaction).value.topics[0]!.errorCode).toBe(17);
  });
});

describe('produced batches that lie', () => {
  let topic: string;

  beforeAll(async () => {
    topic = unique('hostile');
    await createTopic(topic, peer.port);
  });

  const produceErrors = async (records: Buffer, name = topic): Promise<number> => {
    const connection = await RawConnection.open(peer.port);
    const api = { request: produceRequest, response: produceResponse, version: 9 };
    const answer = await call(connection, api, {
      acks: -1,
      timeoutMs: 5000,
      topicData: [{ name, partitionData: [{ index: 0, records }] }],
    });
    connection.close();
    return answer.responses[0]!.partitionResponses[0]!.errorCode;
  };

  /** A good batch with some bytes changed and, unless told otherwise, the right CRC for them. */
  const changed = (change: (bytes: Buffer) => void): Buffer => {
    const bytes = batch();
    change(bytes);
    return withCrc(bytes);
  };

  const CORRUPT_MESSAGE = 2;
  const INVALID_RECORD = 87;

  test('an honest batch is accepted', async () => {
    expect(await produceErrors(batch())).toBe(0);
  });

  test.each<[string, () => Buffer, readonly number[]]>([
    [
      'a wrong CRC',
      () => {
        const bytes = batch();
        bytes[bytes.length - 1]! ^= 1;
        return bytes;
      },
      [CORRUPT_MESSAGE],
    ],
    ['magic 1', () => changed((bytes) => bytes.writeInt8(1, 16)), [CORRUPT_MESSAGE, INVALID_RECORD, 43]],
    ['magic 3', () => changed((bytes) => bytes.writeInt8(3, 16)), [CORRUPT_MESSAGE, INVALID_RECORD, 43]],
    [
      'a record count of 2 for one record',
      () => changed((bytes) => bytes.writeInt32BE(2, 57)),
      [INVALID_RECORD, CORRUPT_MESSAGE],
    ],
    [
      'a record count of -1',
      () => changed((bytes) => bytes.writeInt32BE(-1, 57)),
      [INVALID_RECORD, CORRUPT_MESSAGE],
    ],
    [
      'a last offset delta that fits no count',
      () => changed((bytes) => bytes.writeInt32BE(5, 23)),
      [INVALID_RECORD],
    ],
    [
      'a batch length beyond the bytes',
      () => changed((bytes) => bytes.writeInt32BE(bytes.length, 8)),
      [CORRUPT_MESSAGE, INVALID_RECORD],
    ],
    [
      'a batch length of 10',
      () => changed((bytes) => bytes.writeInt32BE(10, 8)),
      [CORRUPT_MESSAGE, INVALID_RECORD],
    ],
    [
      'an unknown compression type',
      () => changed((bytes) => bytes.writeInt16BE(7, 21)),
      [CORRUPT_MESSAGE, INVALID_RECORD, 74, -1],
    ],
    ['a control batch', () => changed((bytes) => bytes.writeInt16BE(0x20, 21)), [INVALID_RECORD]],
    ['two batches', () => Buffer.concat([batch(), batch()]), [INVALID_RECORD]],
  ])('%s is refused and not stored', async (_name, bytes, errors) => {
    expect(errors).toContain(await produceErrors(bytes()));
  });

  /** A batch whose body is the first megabyte of a gzip stream of zeros: it unpacks to 200 MiB, then ends too early. */
  const bomb = (): Buffer => {
    const plain = encodeBatch({ records: [{ timestamp: 1, value: Buffer.alloc(1) }] });
    const packed = gzipSync(Buffer.alloc(900 * 1024 * 1024), { level: 1 });
    const bytes = Buffer.concat([plain.subarray(0, 61), packed.subarray(0, 1_000_000)]);
    bytes.writeInt16BE(1, 21);
    bytes.writeInt32BE(bytes.length - 12, 8);
    return withCrc(bytes);
  };

  test(
    'a decompression bomb for a topic that recompresses is refused within bounded memory',
    { timeout: 40_000 },
    async () => {
      const recompressed = unique('hostile-lz4');
      await createTopic(recompressed, peer.port, { 'compression.type': 'lz4' });
      const before = residentBytes(peer.pid);
      expect(await produceErrors(bomb(), recompressed)).not.toBe(0);
      expect(residentBytes(peer.pid) - before).toBeLessThan(500 * 1024 * 1024);
    },
  );

  test(
    'a decompression bomb for a topic that keeps what it gets costs bounded memory',
    { timeout: 40_000 },
    async () => {
      const before = residentBytes(peer.pid);
      expect(await produceErrors(bomb())).not.toBe(0);
      expect(residentBytes(peer.pid) - before).toBeLessThan(500 * 1024 * 1024);
    },
  );

  test('after all of these the partition holds just the honest record', async () => {
    expect(await produceErrors(batch())).toBe(0);
  });
});

/** CRC-32C of the bytes behind the CRC field, bit by bit: a test needs no speed, and not the code under test. */
function withCrc(bytes: Buffer): Buffer {
  let crc = 0xffffffff;
  for (let i = 21; i < bytes.length; i += 1) {
    crc ^= bytes[i]!;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  bytes.writeUInt32BE((crc ^ 0xffffffff) >>> 0, 17);
  return bytes;
}
