import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { Codec } from '../../src/compression/codec.ts';
import { gzip } from '../../src/compression/gzip.ts';
import {
  compressBlock,
  nativeLz4Compressor,
  nativeLz4Decompressor,
} from '../../src/compression/lz4-block.ts';
import { lz4Codec } from '../../src/compression/lz4.ts';
import { nativeSnappyBlocks, pureSnappyBlocks, snappyCodec } from '../../src/compression/snappy.ts';
import { xxHash32 } from '../../src/compression/xxhash32.ts';
import { nodeZstdEngine, wasmZstdEngine, zstdCodec } from '../../src/compression/zstd.ts';
import { ProtocolError } from '../../src/index.ts';
import { mutate, seededRandom } from '../../src/testing/index.ts';
import { effort, seed } from '../seed.ts';

const nativeSnappy = nativeSnappyBlocks();
const nativeLz4 = nativeLz4Compressor();
const nativeUnpack = nativeLz4Decompressor();
const nodeZstd = nodeZstdEngine();

/** Every implementation; those that this machine lacks are left out. */
const codecs: [string, Codec][] = [
  ['gzip', gzip],
  ['snappy in JavaScript', snappyCodec(pureSnappyBlocks)],
  ['lz4 in JavaScript', lz4Codec(() => ({ compress: compressBlock }))],
  ['zstd in WebAssembly', zstdCodec(wasmZstdEngine)],
  ...(nativeSnappy === undefined
    ? []
    : [
        named(
          'snappy addon',
          snappyCodec(() => nativeSnappy),
        ),
      ]),
  ...(nativeLz4 === undefined
    ? []
    : [
        named(
          'lz4 addon',
          lz4Codec(() => ({ compress: nativeLz4, decompress: nativeUnpack })),
        ),
      ]),
  ...(nodeZstd === undefined
    ? []
    : [
        named(
          'zstd of Node',
          zstdCodec(() => nodeZstd),
        ),
      ]),
];

function named(name: string, codec: Codec): [string, Codec] {
  return [name, codec];
}

const random = seededRandom(seed);
const noise = Buffer.from(Array.from({ length: 200_000 }, () => random.nextInt(256)));
/** As most records are: they shrink to a third or so. */
const documents = Buffer.from(
  Array.from({ length: 3000 }, (_, id) =>
    JSON.stringify({ id, user: random.nextInt(1e9), at: 1.5 * id }),
  ).join(),
);
const samples = [
  Buffer.alloc(0),
  Buffer.from('a'),
  Buffer.from('0123456789abcdef'),
  Buffer.alloc(1000, 'abc'),
  Buffer.alloc(300_000, '{"orderId":1234,"state":"open"}'),
  documents,
  noise,
  Buffer.concat([noise.subarray(0, 70_000), Buffer.alloc(70_000), noise.subarray(0, 70_000)]),
];
const LIMIT = 1 << 20;

describe.each(codecs)('%s', (_, codec) => {
  test('gives back what it compressed', () => {
    for (const sample of samples) {
      const packed = codec.compress(sample);
      expect(codec.decompress(packed, LIMIT).equals(sample)).toBe(true);
    }
  });

  test('gives exactly the limit, and refuses one byte more', () => {
    const packed = codec.compress(Buffer.alloc(100_000, 'x'));
    expect(codec.decompress(packed, 100_000)).toHaveLength(100_000);
    expect(() => codec.decompress(packed, 99_999)).toThrow(ProtocolError);
  });

  test('refuses a bomb without the memory it asks for', () => {
    const bomb = codec.compress(Buffer.alloc(32 << 20));
    const before = process.memoryUsage().rss;
    expect(() => codec.decompress(bomb, LIMIT)).toThrow(ProtocolError);
    expect(process.memoryUsage().rss - before).toBeLessThan(16 << 20);
  });

  test(`refuses or decodes broken data, never more than the limit (OTTLA_SEED=${seed})`, () => {
    const packed = samples.slice(1, 4).map((sample) => codec.compress(sample));
    for (let round = 0; round < 150 * effort; round++) {
      const broken = mutate(packed[round % packed.length] ?? Buffer.alloc(0), random);
      try {
        expect(codec.decompress(broken, 4096).length).toBeLessThanOrEqual(4096);
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
      }
    }
  });
});

describe('formats of others', () => {
  test('snappy without framing is read', () => {
    const raw = pureSnappyBlocks().compress(Buffer.from('hello hello hello hello'));
    const text = snappyCodec(pureSnappyBlocks).decompress(raw, LIMIT).toString();
    expect(text).toBe('hello hello hello hello');
  });

  test('gzip members one after the other are read', () => {
    const members = Buffer.concat([gzipSync('one '), gzipSync('two')]);
    expect(gzip.decompress(members, LIMIT).toString()).toBe('one two');
  });

  test('zstd frames one after the other, with one to skip, are read', () => {
    const codec = zstdCodec(wasmZstdEngine);
    const skippable = Buffer.from('502a4d1803000000aabbcc', 'hex');
    const frames = [codec.compress(Buffer.from('one ')), skippable, codec.compress(Buffer.from('two'))];
    expect(codec.decompress(Buffer.concat(frames), LIMIT).toString()).toBe('one two');
  });

  test.skipIf(nativeLz4 === undefined)('the lz4 addon takes and refuses what the JavaScript does', () => {
    const [pure, addon] = [undefined, nativeUnpack].map((decompress) =>
      lz4Codec(() => ({ compress: compressBlock, decompress })),
    ) as [Codec, Codec];
    const outcome = (codec: Codec, bytes: Buffer): Buffer | string => {
      try {
        return codec.decompress(bytes, LIMIT);
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError);
        return 'refused';
      }
    };
    const packed = pure.compress(documents.subarray(0, 100_000));
    for (let round = 0; round < 300 * effort; round++) {
      const broken = mutate(packed, random);
      const [one, other] = [outcome(pure, broken), outcome(addon, broken)];
      expect(typeof one === 'string' ? one : one.toString('hex'), `round ${round}`).toBe(
        typeof other === 'string' ? other : other.toString('hex'),
      );
    }
  });

  test('gzip that says less or more of its size than it has', () => {
    const packed = gzipSync(documents);
    for (const size of [0, 5, documents.length + 1, 0xffff_ffff]) {
      packed.writeUInt32LE(size, packed.length - 4);
      expect(() => gzip.decompress(packed, LIMIT)).toThrow(ProtocolError);
    }
  });

  test('lz4 frames with linked blocks and all checksums are read', () => {
    const first = Buffer.from('0123456789abcdefghij');
    // The second block copies 16 bytes from 20 back, out of the first block, and ends with five literals.
    const blocks = [
      { data: first, stored: true },
      { data: Buffer.concat([Buffer.from([0x0c, 20, 0, 0x50]), Buffer.from('VWXYZ')]), stored: false },
    ];
    const content = Buffer.concat([first, first.subarray(0, 16), Buffer.from('VWXYZ')]);
    const frame = lz4Frame(blocks, content);
    const codec = lz4Codec(() => ({ compress: compressBlock }));
    expect(codec.decompress(frame, LIMIT).toString()).toBe(content.toString());
    const broken = Buffer.from(frame);
    broken[frame.length - 1] = (broken[frame.length - 1] ?? 0) ^ 1;
    expect(() => codec.decompress(broken, LIMIT)).toThrow(/Checksum/);
  });

  test.each([
    ['', 0x02cc5d05],
    ['a', 0x550d7456],
    ['Nobody inspects the spammish repetition', 0xe2293b2f],
  ])('xxHash32 of "%s" is the published one', (text, hash) => {
    expect(xxHash32(Buffer.from(text))).toBe(hash);
  });
});

/** A frame with linked blocks, content size, block and content checksums. */
function lz4Frame(blocks: readonly { data: Buffer; stored: boolean }[], content: Buffer): Buffer {
  const word = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value >>> 0);
    return bytes;
  };
  const descriptor = Buffer.concat([
    Buffer.from([0x40 | 0x10 | 0x08 | 0x04, 0x40]),
    word(content.length),
    word(0),
  ]);
  return Buffer.concat([
    word(0x184d2204),
    descriptor,
    Buffer.from([(xxHash32(descriptor) >>> 8) & 255]),
    ...blocks.flatMap(({ data, stored }) => [
      word(data.length + (stored ? 0x80000000 : 0)),
      data,
      word(xxHash32(data)),
    ]),
    word(0),
    word(xxHash32(content)),
  ]);
}
