import { lazy, optionalModule, refuseCompressed } from './codec.ts';

/**
 * LZ4 blocks: sequences of literals and a copy of earlier output.
 *
 *   token: literal length << 4 | copy length - 4; either is continued in bytes of 255 when it is 15
 *   literals | int16 LE distance back | ...; the last sequence is literals alone
 */
const MIN_MATCH = 4;
/** The last match must start this far before the end, and the last bytes are literals: the format's rule. */
const MATCH_MARGIN = 12;
const LAST_LITERALS = 5;
const MAX_DISTANCE = 65_535;
const HASH_BITS = 13;

/** Compresses one block; may give more bytes than it got. */
export type BlockCompressor = (block: Buffer) => Buffer;

/** Gives the bytes of a block that refers to nothing before it; throws when they are more than `limit`, or it is malformed. */
export type BlockDecompressor = (block: Buffer, limit: number) => Buffer;

interface NativeLz4 {
  compressSync(bytes: Buffer): Buffer;
  uncompressSync(bytes: Buffer): Buffer;
}

/** The addon's compressor; undefined where it cannot be loaded. It puts the length in front, which frames do not want. */
export const nativeLz4Compressor = lazy((): BlockCompressor | undefined => {
  const native = optionalModule<NativeLz4>('lz4-napi');
  return native === undefined ? undefined : (block) => native.compressSync(block).subarray(4);
});

/** Where a block is put behind the length that the addon wants in front of it. */
const prefixed = lazy(() => Buffer.allocUnsafeSlow(128 * 1024));

/** The addon's decompressor; undefined where it cannot be loaded. It allocates `limit` bytes. */
export const nativeLz4Decompressor = lazy((): BlockDecompressor | undefined => {
  const native = optionalModule<NativeLz4>('lz4-napi');
  if (native === undefined) return undefined;
  return (block, limit) => {
    const size = block.length + 4;
    const input = size <= prefixed().length ? prefixed().subarray(0, size) : Buffer.allocUnsafe(size);
    input.writeUInt32LE(limit, 0);
    block.copy(input, 4);
    return native.uncompressSync(input);
  };
});

const positions = new Int32Array(1 << HASH_BITS);

/** The same in JavaScript: greedy, one candidate per hash of four bytes. */
export function compressBlock(block: Buffer): Buffer {
  const { length } = block;
  const output = Buffer.allocUnsafe(length + Math.ceil(length / 255) + 16);
  const lastMatch = length - MATCH_MARGIN;
  let written = 0;
  let literals = 0;
  let misses = 0;
  let position = 0;
  positions.fill(-1);
  while (position < lastMatch) {
    const word = block.readInt32LE(position);
    const hash = Math.imul(word, 0x9e3779b1) >>> (32 - HASH_BITS);
    const candidate = positions[hash] ?? -1;
    positions[hash] = position;
    if (candidate < 0 || position - candidate > MAX_DISTANCE || block.readInt32LE(candidate) !== word) {
      // The longer nothing matches, the larger the steps: incompressible data passes quickly.
      position += 1 + (misses++ >> 6);
      continue;
    }
    misses = 0;
    const end = matchEnd(block, candidate, position);
    written = putLiterals(output, written, block.subarray(literals, position), end - position);
    output[written++] = (position - candidate) & 255;
    output[written++] = (position - candidate) >>> 8;
    written = putExtension(output, written, end - position - MIN_MATCH);
    position = end;
    literals = end;
  }
  written = putLiterals(output, written, block.subarray(literals), 0);
  return output.subarray(0, written);
}

function matchEnd(block: Buffer, candidate: number, position: number): number {
  const limit = block.length - LAST_LITERALS;
  const distance = position - candidate;
  let end = position + MIN_MATCH;
  while (end < limit && block[end] === block[end - distance]) end++;
  return end;
}

/** Writes the token, the rest of the literal length, and the literals. `match` is 0 in the last sequence. */
function putLiterals(output: Buffer, written: number, literals: Buffer, match: number): number {
  const count = literals.length;
  const copy = match === 0 ? 0 : Math.min(15, match - MIN_MATCH);
  output[written] = (Math.min(15, count) << 4) | copy;
  const start = putExtension(output, written + 1, count);
  return start + literals.copy(output, start);
}

/** Writes what a length has beyond the 15 that the token can say. */
function putExtension(output: Buffer, written: number, length: number): number {
  let next = written;
  if (length < 15) return next;
  let rest = length - 15;
  for (; rest >= 255; rest -= 255) output[next++] = 255;
  output[next++] = rest;
  return next;
}

/** Where a block is decoded to: `output` from `written` on; copies reach back to `floor`. */
export interface BlockTarget {
  readonly output: Buffer;
  readonly written: number;
  readonly floor: number;
  /** The most that the block may write. */
  readonly limit: number;
}

/** Decodes one block; returns the position after what it wrote. @throws ProtocolError when it is malformed or too large */
export function decompressBlock(block: Buffer, target: BlockTarget): number {
  const { output, floor } = target;
  const stop = Math.min(output.length, target.written + target.limit);
  const { length } = block;
  let to = target.written;
  let from = 0;
  while (from < length) {
    const token = block[from++]!;
    let count = token >>> 4;
    if (count === 15) {
      let more = 255;
      while (more === 255 && from < length) count += more = block[from++]!;
    }
    if (count > length - from || count > stop - to) refuseBlock(from);
    if (count > 16) to += block.copy(output, to, from, from + count);
    else for (let index = 0; index < count; index++) output[to++] = block[from + index]!;
    from += count;
    if (from === length) return to;
    if (length - from < 2) refuseBlock(from);
    const distance = block[from]! | (block[from + 1]! << 8);
    from += 2;
    let copy = (token & 15) + MIN_MATCH;
    if (copy === 15 + MIN_MATCH) {
      let more = 255;
      while (more === 255 && from < length) copy += more = block[from++]!;
    }
    if (distance === 0 || distance > to - floor || copy > stop - to) refuseBlock(from);
    // Bytes may be copies of bytes of this very copy; only far ones can be moved at once.
    if (copy > 24 && distance >= copy) output.copyWithin(to, to - distance, to - distance + copy);
    else for (let index = 0; index < copy; index++) output[to + index] = output[to + index - distance]!;
    to += copy;
  }
  return refuseBlock(from);
}

function refuseBlock(position: number): never {
  return refuseCompressed('lz4', 'Block is malformed or too large', position);
}
