import { writeSignedVarint } from '@ottla/protocol';

/** A key, a value or the value of a header on its way into a batch. Text is written as UTF-8, null is absent. */
export type RecordBytes = Uint8Array | string | null;

/** One header: keys may repeat, and their order is kept. */
export type HeaderPair = readonly [key: string, value: RecordBytes];

/** Up to this length a loop over the characters is quicker than a call into the runtime. */
const SHORT_TEXT_LENGTH = 24;
/** The same for bytes. */
const SHORT_BYTES_LENGTH = 8;
/** UTF-8 needs at most this many bytes for one UTF-16 unit. */
const MAX_BYTES_PER_UNIT = 3;

/** The most bytes that `field` can take without its length in front; cheap, and exact for bytes. */
export function maxBytesOf(field: RecordBytes): number {
  if (field === null) return 0;
  return typeof field === 'string' ? field.length * MAX_BYTES_PER_UNIT : field.length;
}

/** The bytes that `field` takes without its length in front. */
export function exactBytesOf(field: RecordBytes): number {
  if (field === null) return 0;
  return typeof field === 'string' ? Buffer.byteLength(field) : field.length;
}

/**
 * Writes `text` as UTF-8 and returns the position behind it. There must be room for three bytes per character, whatever it
 * takes in the end.
 */
export function writeText(bytes: Buffer, position: number, text: string): number {
  const { length } = text;
  if (length > SHORT_TEXT_LENGTH) return position + bytes.write(text, position);
  for (let index = 0; index < length; index++) {
    const unit = text.charCodeAt(index);
    if (unit > 127) return position + bytes.write(text, position);
    bytes[position + index] = unit;
  }
  return position + length;
}

/** Writes the length of `field` and its bytes; returns the position behind them. See `writeText` for the room it needs. */
export function writeField(bytes: Buffer, position: number, field: RecordBytes): number {
  if (field === null) {
    bytes[position] = 1;
    return position + 1;
  }
  if (typeof field !== 'string') {
    const start = writeSignedVarint(bytes, position, field.length);
    if (field.length > SHORT_BYTES_LENGTH) bytes.set(field, start);
    else for (let index = 0; index < field.length; index++) bytes[start + index] = field[index]!;
    return start + field.length;
  }
  // The length in bytes is known only afterwards; text is mostly ASCII, so the guess is nearly always right.
  const guess = varintBytesOf(field.length);
  const end = writeText(bytes, position + guess, field);
  return closeGap(bytes, { position, guess, end });
}

/** Bytes of a length as a varint; lengths are never negative, and below 2^28. */
export function varintBytesOf(length: number): number {
  if (length < 64) return 1;
  if (length < 8_192) return 2;
  if (length < 1_048_576) return 3;
  return length < 134_217_728 ? 4 : 5;
}

/**
 * Puts the length of what was written behind it: `guess` bytes were left free for it at `position`, and when that was
 * wrong, what follows is moved. Returns the end.
 */
export function closeGap(
  bytes: Buffer,
  written: { readonly position: number; readonly guess: number; readonly end: number },
): number {
  const { position, guess, end } = written;
  const length = end - position - guess;
  const needed = varintBytesOf(length);
  if (needed !== guess) bytes.copyWithin(position + needed, position + guess, end);
  writeSignedVarint(bytes, position, length);
  return end + needed - guess;
}
