import { ByteWriter } from '../codec/byte-writer.ts';
import { decodeMessage, encodeMessageTo } from '../codec/codec.ts';
import { cursor, fail, readVarint } from '../codec/wire.ts';
import type { MessageInput, MessageSchema } from '../schema/message-schema.ts';

/**
 * How messages are framed as keys and values of Kafka's own topics:
 *
 *   metadata record    varint 1 (frame version), varint record type, varint version, body
 *   coordinator key    int16 record type, body at version 0
 *   coordinator value  int16 version, body
 */
const METADATA_FRAME_VERSION = 1;

/** Schemas by record type. */
export type SchemaTable = ReadonlyMap<number, MessageSchema<unknown>>;

export interface DecodedRecordFrame {
  readonly schema: MessageSchema<unknown>;
  readonly version: number;
  readonly value: unknown;
}

/** A table of record types for decoding; narrow a decoded frame by comparing its `schema`. */
export function schemaTable(schemas: readonly MessageSchema<unknown>[]): SchemaTable {
  return new Map(schemas.map((schema) => [schema.apiKey, schema]));
}

/** The value of a record in `__cluster_metadata`: frame version, type, version, body (KIP-631). */
export function encodeMetadataRecord<T>(
  schema: MessageSchema<T>,
  version: number,
  value: MessageInput<T>,
): Buffer {
  const writer = new ByteWriter();
  writer.unsignedVarint(METADATA_FRAME_VERSION);
  writer.unsignedVarint(schema.apiKey);
  writer.unsignedVarint(version);
  encodeMessageTo(schema, version, value, writer);
  return writer.toBuffer();
}

/** @throws ProtocolError on a frame version or record type that is not known, and on anything malformed */
export function decodeMetadataRecord(bytes: Buffer, schemas: SchemaTable): DecodedRecordFrame {
  const name = 'Metadata record';
  const frameVersion = readVarint(bytes, 0, name);
  if (frameVersion !== METADATA_FRAME_VERSION) fail(`Unknown frame version ${frameVersion}`, name, 0);
  const typePosition = cursor.position;
  const type = readVarint(bytes, typePosition, name);
  const version = readVarint(bytes, cursor.position, name);
  const schema = schemas.get(type) ?? fail(`Unknown record type ${type}`, name, typePosition);
  return { schema, version, value: decodeMessage(schema, version, bytes, cursor.position) };
}

/** The key of a coordinator's record: its type as int16, then the body, which has only version 0. */
export function encodeCoordinatorKey<T>(schema: MessageSchema<T>, value: MessageInput<T>): Buffer {
  return encodeWithInt16(schema, { prefix: schema.apiKey, version: 0 }, value);
}

/** The value of a coordinator's record: its version as int16, then the body. */
export function encodeCoordinatorValue<T>(
  schema: MessageSchema<T>,
  version: number,
  value: MessageInput<T>,
): Buffer {
  return encodeWithInt16(schema, { prefix: version, version }, value);
}

/** The type of a coordinator record: the number its key begins with. */
export function coordinatorRecordType(key: Buffer): number {
  if (key.length < 2) fail('Message ends too early', 'Coordinator key', 0);
  return key.readInt16BE(0);
}

/** @throws ProtocolError on an unknown record type, and on anything malformed */
export function decodeCoordinatorKey(key: Buffer, schemas: SchemaTable): DecodedRecordFrame {
  const type = coordinatorRecordType(key);
  const schema = schemas.get(type) ?? fail(`Unknown record type ${type}`, 'Coordinator key', 0);
  return { schema, version: 0, value: decodeMessage(schema, 0, key, 2) };
}

/** The value of a coordinator record; which schema it has follows from its key. */
export function decodeCoordinatorValue<T>(schema: MessageSchema<T>, value: Buffer): T {
  if (value.length < 2) fail('Message ends too early', schema.name, 0);
  return decodeMessage(schema, value.readInt16BE(0), value, 2);
}

function encodeWithInt16<T>(
  schema: MessageSchema<T>,
  frame: { readonly prefix: number; readonly version: number },
  value: MessageInput<T>,
): Buffer {
  const writer = new ByteWriter();
  writer.int16(frame.prefix);
  encodeMessageTo(schema, frame.version, value, writer);
  return writer.toBuffer();
}
