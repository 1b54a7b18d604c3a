import type { ScalarKind } from '../schema/field.ts';
import type { MessageInput, MessageSchema } from '../schema/message-schema.ts';
import { defaultValue, layoutOf, type FieldLayout, type StructLayout } from './layout.ts';
import { INT64_MAX, INT64_MIN } from './wire.ts';

/**
 * Messages as JSON, in the form of the official tools: byte fields in base64, uuids as 22 characters, an int64 beyond
 * +-(2^53-1) as a decimal string. Interprets the declaration, so it is for tools and tests, not for serving requests.
 */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** The fields that `version` carries; tagged fields only when they are not at their default. */
export function messageToJson<T>(schema: MessageSchema<T>, version: number, value: T): Json {
  return structToJson(layoutOf(schema, version), value as Record<string, unknown>);
}

/** The value that `json` stands for, fit for encoding. Absent fields stay absent. */
export function messageFromJson<T>(schema: MessageSchema<T>, version: number, json: Json): MessageInput<T> {
  return structFromJson(layoutOf(schema, version), json) as MessageInput<T>;
}

function structToJson(layout: StructLayout, value: Record<string, unknown>): Json {
  const json: { [key: string]: Json } = {};
  for (const field of layout.fields) {
    if (!field.present) continue;
    const one = fieldToJson(field, value[field.name]);
    if (field.tag >= 0 && isDefaultJson(field, one)) continue;
    json[field.name] = one;
  }
  return json;
}

function isDefaultJson(field: FieldLayout, json: Json): boolean {
  return JSON.stringify(json) === JSON.stringify(fieldToJson(field, defaultValue(field)));
}

function fieldToJson(field: FieldLayout, value: unknown): Json {
  if (value === null || value === undefined) return null;
  if (field.kind === 'struct' && field.struct !== undefined) {
    return structToJson(field.struct, value as Record<string, unknown>);
  }
  if (field.kind === 'array') {
    const { struct, elementKind } = field;
    return (value as unknown[]).map((element) =>
      struct === undefined
        ? scalarToJson(elementKind, element)
        : structToJson(struct, element as Record<string, unknown>),
    );
  }
  return scalarToJson(field.kind as ScalarKind, value);
}

function scalarToJson(kind: ScalarKind | undefined, value: unknown): Json {
  if (Buffer.isBuffer(value)) return value.toString('base64');
  if (Array.isArray(value)) return Buffer.concat(value as Buffer[]).toString('base64');
  if (kind === 'int64') return int64ToJson(value as number);
  if (kind === 'float64' && !Number.isFinite(value)) return String(value);
  return value as Json;
}

function int64ToJson(value: number): Json {
  if (Number.isSafeInteger(value)) return value;
  if (value >= INT64_MAX) return '9223372036854775807';
  return BigInt(value).toString();
}

function structFromJson(layout: StructLayout, json: Json): Record<string, unknown> {
  const source = json as { [key: string]: Json };
  const value: Record<string, unknown> = {};
  for (const field of layout.fields) {
    const one = source[field.name];
    if (one !== undefined) value[field.name] = fieldFromJson(field, one);
  }
  return value;
}

function fieldFromJson(field: FieldLayout, json: Json): unknown {
  if (json === null) return null;
  const { struct, elementKind } = field;
  if (field.kind === 'struct' && struct !== undefined) return structFromJson(struct, json);
  if (field.kind === 'array') {
    return (json as Json[]).map((element) =>
      struct === undefined ? scalarFromJson(elementKind, element) : structFromJson(struct, element),
    );
  }
  return scalarFromJson(field.kind as ScalarKind, json);
}

function scalarFromJson(kind: ScalarKind | undefined, json: Json): unknown {
  if (kind === 'bytes' || kind === 'records') return Buffer.from(json as string, 'base64');
  if (kind === 'int64') return int64FromJson(json as number | string);
  if (kind === 'float64') return Number(json);
  return json;
}

function int64FromJson(json: number | string): number {
  if (typeof json === 'number') return json;
  const value = Number(json);
  return value >= INT64_MAX ? INT64_MAX : value <= INT64_MIN ? INT64_MIN : value;
}
