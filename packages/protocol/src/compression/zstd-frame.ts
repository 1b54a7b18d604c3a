import { refuseCompressed } from './codec.ts';

/**
 * The outside of Zstandard frames (RFC 8878): where each ends and how much it can give, from its header and the headers
 * of its blocks, without decoding anything.
 */
const MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
/** No block gives more than this. */
const MAX_BLOCK_BYTES = 128 * 1024;

export interface ZstdFrame {
  readonly start: number;
  readonly end: number;
  /** The most bytes it can give; exact when the header tells the size of the content. */
  readonly bound: number;
  readonly skippable: boolean;
}

/** All frames of `bytes`. @throws ProtocolError when one is cut short or something else follows */
export function zstdFrames(bytes: Buffer): ZstdFrame[] {
  const frames: ZstdFrame[] = [];
  let position = 0;
  while (position < bytes.length) {
    const frame = readFrame(bytes, position);
    frames.push(frame);
    position = frame.end;
  }
  return frames;
}

function readFrame(bytes: Buffer, start: number): ZstdFrame {
  need(bytes, start, 5);
  const magic = bytes.readUInt32LE(start);
  if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) {
    need(bytes, start, 8);
    const length = bytes.readUInt32LE(start + 4);
    need(bytes, start + 8, length);
    return { start, end: start + 8 + length, bound: 0, skippable: true };
  }
  if (magic !== MAGIC) refuseCompressed('zstd', 'Frame has no magic number', start);
  const descriptor = bytes.readUInt8(start + 4);
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const sizeFlag = descriptor >>> 6;
  const sizeBytes = sizeFlag === 0 ? (isSingleSegment ? 1 : 0) : 1 << sizeFlag;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const sizeStart = start + 5 + (isSingleSegment ? 0 : 1) + dictionaryBytes;
  need(bytes, start, sizeStart + sizeBytes - start);
  const contentSize = sizeBytes === 0 ? -1 : readContentSize(bytes, sizeStart, sizeBytes);
  const blocks = walkBlocks(bytes, sizeStart + sizeBytes);
  const end = blocks.end + ((descriptor & 4) === 0 ? 0 : 4);
  need(bytes, blocks.end, end - blocks.end);
  // A false content size fails in the decoder; taking the smaller keeps both from asking for too much memory.
  const bound = contentSize < 0 ? blocks.bound : Math.min(contentSize, blocks.bound);
  return { start, end, bound, skippable: false };
}

function readContentSize(bytes: Buffer, position: number, size: number): number {
  switch (size) {
    case 1:
      return bytes.readUInt8(position);
    case 2:
      return bytes.readUInt16LE(position) + 256;
    case 4:
      return bytes.readUInt32LE(position);
    default:
      return bytes.readUInt32LE(position) + bytes.readUInt32LE(position + 4) * 2 ** 32;
  }
}

function walkBlocks(bytes: Buffer, start: number): { end: number; bound: number } {
  let position = start;
  let bound = 0;
  for (;;) {
    need(bytes, position, 3);
    const header = bytes.readUIntLE(position, 3);
    const type = (header >>> 1) & 3;
    const size = header >>> 3;
    if (type === 3) refuseCompressed('zstd', 'Block has a reserved type', position);
    const stored = type === 1 ? 1 : size;
    need(bytes, position + 3, stored);
    bound += type === 2 ? MAX_BLOCK_BYTES : size;
    position += 3 + stored;
    if ((header & 1) === 1) return { end: position, bound };
  }
}

function need(bytes: Buffer, position: number, count: number): void {
  if (bytes.length - position < count) refuseCompressed('zstd', 'Frame is cut short', position);
}
