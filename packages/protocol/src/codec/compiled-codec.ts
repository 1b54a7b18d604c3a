import type { ByteWriter } from './byte-writer.ts';

/** A compiled decoder; leaves where it stopped in `cursor.position`. With `exact` it refuses bytes left over. */
export type MessageDecoder<T> = (bytes: Buffer, start: number, exact: boolean) => T;

/** A compiled encoder: appends the message to the writer. */
export type MessageEncoder = (value: unknown, writer: ByteWriter) => void;
