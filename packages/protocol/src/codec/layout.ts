import type { Field, Fields, ScalarKind } from '../schema/field.ts';
import type { MessageSchema } from '../schema/message-schema.ts';
import { inVersions } from '../schema/version-range.ts';
import { ZERO_UUID } from './wire.ts';

/** A field as it stands in one version of a message: what the codec generators and the test generators work from. */
export interface FieldLayout {
  readonly name: string;
  /** For messages of errors: `ProduceRequest.topicData.name`. */
  readonly path: string;
  readonly kind: ScalarKind | 'array' | 'struct';
  readonly present: boolean;
  /** The tag when the field is tagged in this version, else -1. */
  readonly tag: number;
  readonly nullable: boolean;
  readonly flexible: boolean;
  readonly ignorable: boolean;
  readonly default: number | string | boolean | null | undefined;
  /** Of an array of scalars. */
  readonly elementKind: ScalarKind | undefined;
  /** Of a struct or an array of structs. */
  readonly struct: StructLayout | undefined;
}

export interface StructLayout {
  readonly fields: readonly FieldLayout[];
  /** Whether a section of tagged fields ends the struct. */
  readonly tagSection: boolean;
}

/** What a message looks like in `version`. */
export function layoutOf(schema: MessageSchema<unknown>, version: number): StructLayout {
  return structLayout(schema.fields, { schema, version, path: schema.name });
}

interface Scope {
  readonly schema: MessageSchema<unknown>;
  readonly version: number;
  readonly path: string;
}

function structLayout(fields: Fields, scope: Scope): StructLayout {
  return {
    fields: Object.entries(fields).map(([name, field]) => fieldLayout(name, field, scope)),
    tagSection: scope.schema.isFlexible(scope.version),
  };
}

function fieldLayout(name: string, field: Field<unknown>, scope: Scope): FieldLayout {
  const { options, element } = field;
  const { version } = scope;
  const path = `${scope.path}.${name}`;
  const struct = field.fields ?? (typeof element === 'object' ? element : undefined);
  return {
    name,
    path,
    kind: field.kind,
    present: inVersions(field.versions, version),
    tag: inVersions(options.tagged, version) ? (options.tag ?? -1) : -1,
    nullable: inVersions(options.nullable, version),
    flexible:
      options.flexible === undefined
        ? scope.schema.isFlexible(version)
        : inVersions(options.flexible, version),
    ignorable: options.ignorable === true,
    default: options.default,
    elementKind: typeof element === 'string' ? element : undefined,
    struct: struct === undefined ? undefined : structLayout(struct, { ...scope, path }),
  };
}

/** Bytes of the kinds with a fixed size. */
export const FIXED_SIZES: Partial<Record<ScalarKind | 'array' | 'struct', number>> = {
  bool: 1,
  int8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  float64: 8,
  uuid: 16,
};

/** The fewest bytes that a field can take on the wire. */
function minimumSize(field: FieldLayout): number {
  if (!field.present || field.tag >= 0) return 0;
  if (field.kind === 'struct') {
    return field.nullable || field.struct === undefined ? 1 : minimumStructSize(field.struct);
  }
  return minimumScalarSize(field.kind, field.flexible);
}

function minimumScalarSize(kind: ScalarKind | 'array', flexible: boolean): number {
  return FIXED_SIZES[kind] ?? (flexible ? 1 : kind === 'string' ? 2 : 4);
}

function minimumStructSize(struct: StructLayout): number {
  const sum = struct.fields.reduce((size, field) => size + minimumSize(field), 0);
  return sum + (struct.tagSection ? 1 : 0);
}

/** The fewest bytes of one element of an array. */
export function minimumElementSize(field: FieldLayout): number {
  if (field.struct !== undefined) return Math.max(1, minimumStructSize(field.struct));
  return minimumScalarSize(field.elementKind ?? 'int8', field.flexible);
}

/** Upper estimate of the heap bytes of one element besides its variable parts (text, nested elements). */
export function elementHeapBytes(field: FieldLayout): number {
  const slot = 8;
  if (field.struct === undefined) return slot + scalarHeapBytes(field.elementKind ?? 'int8');
  return slot + structHeapBytes(field.struct);
}

function structHeapBytes(struct: StructLayout): number {
  const header = 24;
  return struct.fields.reduce((size, field) => size + 8 + fieldHeapBytes(field), header);
}

function fieldHeapBytes(field: FieldLayout): number {
  if (!field.present) return 0;
  if (field.kind === 'struct') {
    // A tagged struct costs bytes of its own before it is built.
    return field.tag >= 0 || field.struct === undefined ? 0 : structHeapBytes(field.struct);
  }
  return scalarHeapBytes(field.kind);
}

function scalarHeapBytes(kind: ScalarKind | 'array'): number {
  switch (kind) {
    case 'string':
      return 24;
    case 'uuid':
      return 40;
    case 'bytes':
    case 'records':
      return 160;
    case 'array':
      return 48;
    case 'int64':
    case 'float64':
    case 'uint32':
      return 16;
    default:
      return 0;
  }
}

/** What a field decodes to when it is absent. Structs are fresh objects. */
export function defaultValue(field: FieldLayout): unknown {
  if (field.default !== undefined) return field.default;
  switch (field.kind) {
    case 'bool':
      return false;
    case 'string':
      return '';
    case 'uuid':
      return ZERO_UUID;
    case 'bytes':
      return Buffer.alloc(0);
    case 'records':
      return null;
    case 'array':
      return [];
    case 'struct':
      return defaultStruct(field.struct);
    default:
      return 0;
  }
}

/** A struct with the default of each of its fields; made anew at each call. */
function defaultStruct(struct: StructLayout | undefined): Record<string, unknown> {
  const value: Record<string, unknown> = {};
  for (const field of struct?.fields ?? []) value[field.name] = defaultValue(field);
  return value;
}
