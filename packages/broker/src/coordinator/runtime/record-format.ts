import {
  coordinatorRecordType,
  decodeCoordinatorValue,
  decodeMessage,
  encodeCoordinatorKey,
  encodeCoordinatorValue,
  type MessageInput,
  type MessageSchema,
} from '@ottla/protocol';
import type { RecordSerde } from './state-machine.ts';

/** A record as a state machine has it: its kind, its key, and its value or null for a tombstone. */
export interface TypedRecord<Type extends string, Key, Value> {
  readonly type: Type;
  readonly key: Key;
  readonly value: Value | null;
}

/** How records of one kind become bytes and come back. */
export interface RecordFormat<Record extends { readonly type: string }> {
  readonly type: Record['type'];
  /** Numbers at the beginning of the keys of this kind; the first is the one written. */
  readonly keyTypes: readonly number[];
  encode(record: Record): { readonly key: Buffer; readonly value: Buffer | null };
  /** Throws `ProtocolError` on malformed bytes. What it returns keeps no hold of them. */
  decode(key: Buffer, value: Buffer | null): Record;
}

/** The format of a kind of record that is written as its schemas say: key version 0 and the value at one version. */
export function recordFormat<Type extends string, Key, Value>(
  type: Type,
  schemas: { readonly key: MessageSchema<Key>; readonly value: MessageSchema<Value> },
  /** The version a Kafka 4.3 broker writes. */
  valueVersion = 0,
): RecordFormat<TypedRecord<Type, Key, Value>> {
  return {
    type,
    keyTypes: [schemas.key.apiKey],
    encode: ({ key, value }) => ({
      key: encodeCoordinatorKey(schemas.key, key as MessageInput<Key>),
      value:
        value === null
          ? null
          : encodeCoordinatorValue(schemas.value, valueVersion, value as MessageInput<Value>),
    }),
    decode: (key, value) => ({
      type,
      key: decodeMessage(schemas.key, 0, key, 2),
      // Byte fields would keep the whole piece of the log in memory, so they are read from a copy of their own.
      value: value === null ? null : decodeCoordinatorValue(schemas.value, Buffer.from(value)),
    }),
  };
}

/** A serde of all these kinds; keys of other types are skipped. */
export function recordSerde<Record extends { readonly type: string }>(
  formats: readonly RecordFormat<Record>[],
): RecordSerde<Record> {
  const byType = new Map(formats.map((format) => [format.type, format]));
  const byKeyType = new Map(formats.flatMap((format) => format.keyTypes.map((type) => [type, format])));
  return {
    encode(record) {
      const format = byType.get(record.type);
      if (format === undefined) throw new Error(`No format for records of type "${record.type}"`);
      return format.encode(record);
    },
    decode: (key, value) => byKeyType.get(coordinatorRecordType(key))?.decode(key, value) ?? null,
  };
}
