import { lazy, refuseCompressed, refuseTooLarge, trimmed, type Codec } from './codec.ts';
import {
  compressBlock,
  decompressBlock,
  nativeLz4Compressor,
  nativeLz4Decompressor,
  type BlockCompressor,
  type BlockDecompressor,
  type BlockTarget,
} from './lz4-block.ts';
import { xxHash32 } from './xxhash32.ts';

/**
 * LZ4 frames. Written as Kafka's producers write them: version 1, independent blocks of 64 KiB, no checksum but the
 * header's. Read: any block size, linked blocks, block and content checksums, content size, frames one after the other.
 *
 *   magic | FLG | BD | [content size int64 LE] | header checksum | { int32 LE size (top bit: stored), data, [checksum] }
 *   | int32 0 | [content checksum]
 */
const MAGIC = 0x184d2204;
const SKIPPABLE_MAGIC = 0x184d2a50;
const BLOCK_BYTES = 64 * 1024;
const STORED = 0x80000000;
/** LZ4 cannot pack better than this. */
const MAX_RATIO = 255;
const FLAG_INDEPENDENT = 0x20;
const FLAG_BLOCK_CHECKSUM = 0x10;
const FLAG_CONTENT_SIZE = 0x08;
const FLAG_CONTENT_CHECKSUM = 0x04;
const FLAG_DICTIONARY = 0x01;

/** What packs single blocks, and what unpacks large ones faster than `decompressBlock`, where there is such a thing. */
export interface BlockEngine {
  readonly compress: BlockCompressor;
  readonly decompress?: BlockDecompressor | undefined;
}

/** The frame format of LZ4, over whatever packs single blocks. */
export function lz4Codec(engine: () => BlockEngine): Codec {
  return {
    compress: (bytes) => compressFrame(bytes, engine().compress),
    decompress: (bytes, maxBytes) => decompressFrames(bytes, maxBytes, engine().decompress),
  };
}

export const lz4 = lz4Codec(
  lazy(() => ({ compress: nativeLz4Compressor() ?? compressBlock, decompress: nativeLz4Decompressor() })),
);

function compressFrame(bytes: Buffer, compressOne: BlockCompressor): Buffer {
  const blockCount = Math.ceil(bytes.length / BLOCK_BYTES);
  const frame = Buffer.allocUnsafe(7 + 4 * blockCount + bytes.length + 4);
  frame.writeUInt32LE(MAGIC, 0);
  frame[4] = 0x40 | FLAG_INDEPENDENT;
  frame[5] = 4 << 4;
  frame[6] = (xxHash32(frame, 4, 6) >>> 8) & 255;
  let position = 7;
  for (let start = 0; start < bytes.length; start += BLOCK_BYTES) {
    const block = bytes.subarray(start, start + BLOCK_BYTES);
    const packed = compressOne(block);
    const isStored = packed.length >= block.length;
    const data = isStored ? block : packed;
    position = frame.writeUInt32LE((data.length | (isStored ? STORED : 0)) >>> 0, position);
    position += data.copy(frame, position);
  }
  position = frame.writeUInt32LE(0, position);
  return trimmed(frame, position);
}

interface FrameHeader {
  readonly flags: number;
  readonly blockBytes: number;
  /** -1 when the frame does not say. */
  readonly contentSize: number;
  /** Where the blocks begin. */
  readonly blocks: number;
}

function decompressFrames(
  bytes: Buffer,
  maxBytes: number,
  decompress: BlockDecompressor | undefined,
): Buffer {
  const bound = Math.min(maxBytes, outputBound(bytes, maxBytes));
  const output = Buffer.allocUnsafe(bound);
  let written = 0;
  let position = 0;
  while (position < bytes.length) {
    const skipped = skippableEnd(bytes, position);
    if (skipped > 0) {
      position = skipped;
      continue;
    }
    const header = readHeader(bytes, position);
    const start = written;
    position = header.blocks;
    for (;;) {
      const size = readSize(bytes, position);
      position += 4;
      if (size === 0) break;
      const length = size % STORED;
      const block = bytes.subarray(position, position + length);
      written = writeBlock(block, size >= STORED, {
        output,
        written,
        floor: floorOf(header, start, written),
        limit: header.blockBytes,
        decompress,
      });
      position += length;
      if ((header.flags & FLAG_BLOCK_CHECKSUM) !== 0) {
        checkHash(bytes, position, xxHash32(block));
        position += 4;
      }
    }
    if (header.contentSize >= 0 && written - start !== header.contentSize) {
      refuseCompressed('lz4', `Content is not the ${header.contentSize} bytes announced`, position);
    }
    if ((header.flags & FLAG_CONTENT_CHECKSUM) !== 0) {
      checkHash(bytes, position, xxHash32(output, start, written));
      position += 4;
    }
  }
  return trimmed(output, written);
}

function floorOf(header: FrameHeader, start: number, written: number): number {
  return (header.flags & FLAG_INDEPENDENT) === 0 ? start : written;
}

type Target = BlockTarget & { readonly decompress: BlockDecompressor | undefined };

function writeBlock(block: Buffer, isStored: boolean, target: Target): number {
  if (!isStored)
    return isForEngine(block, target) ? engineBlock(block, target) : decompressBlock(block, target);
  if (block.length > target.limit || block.length > target.output.length - target.written) {
    refuseCompressed('lz4', `Stored block of ${block.length} bytes is too large`);
  }
  return target.written + block.copy(target.output, target.written);
}

/** Below this a call of the addon costs more than it saves. */
const LEAST_ENGINE_BYTES = 8 * 1024;
/** The addon allocates what a block may have at most: not for those that are far from it. */
const USUAL_RATIO = 32;

function isForEngine(block: Buffer, { decompress, written, floor, limit }: Target): boolean {
  return (
    decompress !== undefined &&
    floor === written &&
    block.length >= LEAST_ENGINE_BYTES &&
    limit <= block.length * USUAL_RATIO
  );
}

function engineBlock(block: Buffer, { decompress, output, written, limit }: Target): number {
  try {
    return written + decompress!(block, Math.min(limit, output.length - written)).copy(output, written);
  } catch (error) {
    return refuseCompressed('lz4', (error as Error).message);
  }
}

/** The most bytes the frames can give; walks over the blocks without decoding them. */
function outputBound(bytes: Buffer, maxBytes: number): number {
  let bound = 0;
  let position = 0;
  while (position < bytes.length) {
    const skipped = skippableEnd(bytes, position);
    if (skipped > 0) {
      position = skipped;
      continue;
    }
    const header = readHeader(bytes, position);
    const checksum = (header.flags & FLAG_BLOCK_CHECKSUM) === 0 ? 0 : 4;
    let frameBound = 0;
    position = header.blocks;
    for (let size = readSize(bytes, position); size !== 0; size = readSize(bytes, position)) {
      const length = size % STORED;
      frameBound += size >= STORED ? length : Math.min(header.blockBytes, MAX_RATIO * length);
      position += 4 + length + checksum;
    }
    position += 4 + ((header.flags & FLAG_CONTENT_CHECKSUM) === 0 ? 0 : 4);
    if (header.contentSize > maxBytes) refuseTooLarge('lz4', maxBytes);
    bound += header.contentSize < 0 ? frameBound : Math.min(frameBound, header.contentSize);
  }
  return bound;
}

function readHeader(bytes: Buffer, position: number): FrameHeader {
  if (bytes.length - position < 7) refuseCompressed('lz4', 'Frame is cut short', position);
  if (bytes.readUInt32LE(position) !== MAGIC) refuseCompressed('lz4', 'Frame has no magic number', position);
  const flags = bytes.readUInt8(position + 4);
  const sizeCode = (bytes.readUInt8(position + 5) >>> 4) & 7;
  const hasSize = (flags & FLAG_CONTENT_SIZE) !== 0;
  if (flags >>> 6 !== 1 || sizeCode < 4)
    refuseCompressed('lz4', 'Frame is of an unknown version', position + 4);
  if ((flags & FLAG_DICTIONARY) !== 0) refuseCompressed('lz4', 'Frame needs a dictionary', position + 4);
  const end = position + 6 + (hasSize ? 8 : 0);
  if (bytes.length <= end) refuseCompressed('lz4', 'Frame is cut short', position);
  if (bytes[end] !== ((xxHash32(bytes, position + 4, end) >>> 8) & 255)) {
    refuseCompressed('lz4', 'Header has a wrong checksum', end);
  }
  const contentSize = hasSize
    ? bytes.readUInt32LE(position + 6) + bytes.readUInt32LE(position + 10) * 2 ** 32
    : -1;
  return { flags, blockBytes: 1 << (8 + 2 * sizeCode), contentSize, blocks: end + 1 };
}

/** The size word of a block whose data is all there. */
function readSize(bytes: Buffer, position: number): number {
  if (bytes.length - position < 4) refuseCompressed('lz4', 'Frame is cut short', position);
  const size = bytes.readUInt32LE(position);
  if (size % STORED > bytes.length - position - 4) refuseCompressed('lz4', 'Block is cut short', position);
  return size;
}

function skippableEnd(bytes: Buffer, position: number): number {
  if (bytes.length - position < 8) return 0;
  if ((bytes.readUInt32LE(position) & 0xfffffff0) >>> 0 !== SKIPPABLE_MAGIC) return 0;
  const end = position + 8 + bytes.readUInt32LE(position + 4);
  if (end > bytes.length) refuseCompressed('lz4', 'Frame is cut short', position);
  return end;
}

function checkHash(bytes: Buffer, position: number, hash: number): void {
  if (bytes.length - position < 4 || bytes.readUInt32LE(position) !== hash) {
    refuseCompressed('lz4', 'Checksum does not match', position);
  }
}
