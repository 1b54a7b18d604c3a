import { createRequire } from 'node:module';
import { ProtocolError } from '../protocol-error.ts';

/** One compression format over whole buffers. */
export interface Codec {
  compress(bytes: Buffer, level?: number): Buffer;
  /**
   * Gives at most `maxBytes`, and allocates no more than that.
   * @throws ProtocolError when the data is malformed or would take more
   */
  decompress(bytes: Buffer, maxBytes: number): Buffer;
}

const load = createRequire(import.meta.url);

/**
 * Loads a native addon, or another package that is better not loaded before it is needed. Undefined when it is not
 * installed or has no build for this machine; every one has a replacement in JavaScript or WebAssembly.
 */
export function optionalModule<T>(name: string): T | undefined {
  try {
    return load(name) as T;
  } catch {
    return undefined;
  }
}

/** Path of a file in an installed package. */
export function modulePath(name: string): string {
  return load.resolve(name);
}

/** A value that is made when it is first asked for. */
export function lazy<T>(create: () => T): () => T {
  let value: { readonly made: T } | undefined;
  return () => (value ??= { made: create() }).made;
}

/** Refuses malformed compressed data. @throws ProtocolError, always */
export function refuseCompressed(format: string, problem: string, position = 0): never {
  throw new ProtocolError(`Compressed records (${format}): ${problem} at byte ${position}`, position);
}

/** Refuses data that would take more than the cap. @throws ProtocolError, always */
export function refuseTooLarge(format: string, maxBytes: number): never {
  throw new ProtocolError(`Compressed records (${format}): More than ${maxBytes} bytes when decompressed`, 0);
}

/** `bytes` up to `length`, copied when most of the buffer behind it would be kept for nothing. */
export function trimmed(bytes: Buffer, length: number): Buffer {
  return length * 2 < bytes.length ? Buffer.from(bytes.subarray(0, length)) : bytes.subarray(0, length);
}
