import { lazy, optionalModule, refuseCompressed, refuseTooLarge, type Codec } from './codec.ts';

/**
 * Snappy in the framing of the Java library (xerial), which Kafka's producers write:
 *
 *   82 53 4e 41 50 50 59 00 | int32 version 1 | int32 compatible 1 | { int32 length, raw snappy block of 32 KiB } ...
 *
 * Bare blocks without the framing, as other clients send them, are read too.
 */
const XERIAL_MAGIC = Buffer.from('82534e4150505900', 'hex');
const XERIAL_HEADER_BYTES = 16;
const BLOCK_BYTES = 32 * 1024;
/** A three-byte copy makes at most 64 bytes. */
const MAX_RATIO = 22;

/** Raw snappy blocks. */
export interface SnappyBlocks {
  compress(bytes: Buffer): Buffer;
  uncompress(bytes: Buffer): Buffer;
}

interface NativeSnappy {
  compressSync(bytes: Buffer, options: object): Buffer;
  uncompressSync(bytes: Buffer, options: object): Buffer;
}

interface SnappyJs {
  compress(bytes: Buffer): Buffer;
  uncompress(bytes: Buffer): Buffer;
}

/** The addon; undefined where it cannot be loaded. `copyOutputData` keeps its memory out of reach of slow collection. */
export const nativeSnappyBlocks = lazy((): SnappyBlocks | undefined => {
  const native = optionalModule<NativeSnappy>('snappy');
  if (native === undefined) return undefined;
  return {
    compress: (bytes) => native.compressSync(bytes, { copyOutputData: true }),
    uncompress: (bytes) => native.uncompressSync(bytes, { asBuffer: true, copyOutputData: true }),
  };
});

/** The same in JavaScript. */
export const pureSnappyBlocks = lazy((): SnappyBlocks => {
  const pure = optionalModule<SnappyJs>('snappyjs');
  if (pure === undefined) return refuseCompressed('snappy', 'The package "snappyjs" is not installed');
  return {
    compress: (bytes) => Buffer.from(pure.compress(bytes)),
    uncompress: (bytes) => Buffer.from(pure.uncompress(bytes)),
  };
});

/** The codec over given blocks. */
export function snappyCodec(blocks: () => SnappyBlocks): Codec {
  return {
    compress: (bytes) => frame(blocks(), bytes),
    decompress(bytes, maxBytes) {
      if (!isXerial(bytes, 0)) return uncompressBlock(blocks(), bytes, maxBytes);
      return unframe(blocks(), bytes, maxBytes);
    },
  };
}

export const snappy = snappyCodec(() => nativeSnappyBlocks() ?? pureSnappyBlocks());

function frame(blocks: SnappyBlocks, bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  let total = XERIAL_HEADER_BYTES;
  for (let start = 0; start < bytes.length; start += BLOCK_BYTES) {
    const part = blocks.compress(bytes.subarray(start, start + BLOCK_BYTES));
    parts.push(part);
    total += 4 + part.length;
  }
  const framed = Buffer.allocUnsafe(total);
  let position = XERIAL_MAGIC.copy(framed);
  position = framed.writeInt32BE(1, position);
  position = framed.writeInt32BE(1, position);
  for (const part of parts) {
    position = framed.writeInt32BE(part.length, position);
    position += part.copy(framed, position);
  }
  return framed;
}

function unframe(blocks: SnappyBlocks, bytes: Buffer, maxBytes: number): Buffer {
  const parts: Buffer[] = [];
  let total = 0;
  let position = 0;
  while (position < bytes.length) {
    // Streams may follow each other, each with a header of its own.
    if (isXerial(bytes, position)) {
      position += XERIAL_HEADER_BYTES;
      continue;
    }
    if (bytes.length - position < 4) refuseCompressed('snappy', 'Block length is cut short', position);
    const length = bytes.readInt32BE(position);
    position += 4;
    if (length < 0 || length > bytes.length - position) {
      refuseCompressed('snappy', `Block of ${length} bytes exceeds its data`, position);
    }
    const part = uncompressBlock(blocks, bytes.subarray(position, position + length), maxBytes - total);
    parts.push(part);
    total += part.length;
    position += length;
  }
  return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts, total);
}

function isXerial(bytes: Buffer, position: number): boolean {
  return (
    bytes.length - position >= XERIAL_HEADER_BYTES &&
    bytes.compare(XERIAL_MAGIC, 0, XERIAL_MAGIC.length, position, position + XERIAL_MAGIC.length) === 0
  );
}

/** A block begins with its length uncompressed, a varint: believed only as far as its size allows. */
function uncompressBlock(blocks: SnappyBlocks, block: Buffer, maxBytes: number): Buffer {
  const declared = declaredLength(block);
  if (declared > maxBytes) refuseTooLarge('snappy', maxBytes);
  if (declared > block.length * MAX_RATIO) {
    refuseCompressed('snappy', `Block of ${block.length} bytes cannot hold ${declared}`);
  }
  if (declared === 0) return Buffer.alloc(0);
  try {
    return blocks.uncompress(block);
  } catch (error) {
    return refuseCompressed('snappy', (error as Error).message);
  }
}

function declaredLength(block: Buffer): number {
  let length = 0;
  for (let index = 0; index < 5; index++) {
    const byte = block[index];
    if (byte === undefined) break;
    length += (byte & 127) * 2 ** (7 * index);
    if (byte < 128) return length;
  }
  return refuseCompressed('snappy', 'Length of a block is malformed');
}
