/**
 * The declaration language of messages: one function per wire type, each with the versions that carry the field.
 * The TypeScript type of a message is inferred from its declaration (`Infer`), the codec is compiled from it
 * (`codec/`), so a field is written down exactly once. Version ranges are Kafka's: `3`, `1-4`, `2+`, `none`.
 */

export type ScalarKind =
  | 'bool'
  | 'int8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'float64'
  | 'uuid'
  | 'string'
  | 'bytes'
  | 'records';

/** Fields of a struct in wire order. */
export type Fields = Readonly<Record<string, Field<unknown>>>;

/** One declared field; `T` is the TypeScript type of its decoded value and exists at compile time only. */
export interface Field<T> {
  readonly kind: ScalarKind | 'array' | 'struct';
  readonly versions: string;
  readonly options: FieldOptions;
  /** Of an array: a scalar kind, or the fields of its structs. */
  readonly element?: ScalarKind | Fields;
  /** Of a struct. */
  readonly fields?: Fields;
  /** Never set; carries `T`. */
  readonly phantom?: T;
}

export interface FieldOptions {
  /** Versions in which the value may be null. */
  readonly nullable?: string;
  /** What an absent field decodes to and encodes as; when not given: zero, false, empty, or a struct of defaults. */
  readonly default?: number | string | boolean | null;
  /** May be dropped silently when a version cannot carry it; otherwise encoding a non-default value is refused. */
  readonly ignorable?: boolean;
  /** Number of the tagged field (KIP-482) in the versions `tagged`. */
  readonly tag?: number;
  readonly tagged?: string;
  /** Overrides the flexible versions of the message for this field. */
  readonly flexible?: string;
  /** Part of the key of a map-like array. */
  readonly mapKey?: boolean;
  /** What the value names, in Kafka's words: `topicName`, `brokerId`, `groupId`, ... */
  readonly entity?: string;
}

type OrNull<T, O> = O extends { readonly nullable: string } ? T | null : T;

type ScalarValue<K> = K extends 'bool'
  ? boolean
  : K extends 'string' | 'uuid'
    ? string
    : K extends 'bytes' | 'records'
      ? Buffer
      : number;

/** The decoded value of a set of fields: every field present. */
export type FieldsValue<F> = { -readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never };

type ElementValue<E> = E extends ScalarKind ? ScalarValue<E> : FieldsValue<E>;

type ScalarField = <const O extends FieldOptions = object>(versions: string, options?: O) => Field<never>;

type ScalarFieldOf<K extends ScalarKind> = <const O extends FieldOptions = object>(
  versions: string,
  options?: O,
) => Field<OrNull<ScalarValue<K>, O>>;

const NO_OPTIONS: FieldOptions = {};

function scalar<K extends ScalarKind>(kind: K): ScalarFieldOf<K> {
  const create: ScalarField = (versions, options) => ({
    kind,
    versions,
    options: options ?? NO_OPTIONS,
  });
  return create;
}

export const bool = scalar('bool');
export const int8 = scalar('int8');
export const int16 = scalar('int16');
export const uint16 = scalar('uint16');
export const int32 = scalar('int32');
export const uint32 = scalar('uint32');
/** A `number`: exact within +-(2^53-1); Long.MAX_VALUE and Long.MIN_VALUE are 2^63 and -2^63 and survive a round trip. */
export const int64 = scalar('int64');
export const float64 = scalar('float64');
/** 16 bytes on the wire, 22 characters of url-safe base64 in values. */
export const uuid = scalar('uuid');
export const string = scalar('string');
export const bytes = scalar('bytes');
/** Record batches, left as raw bytes. */
export const records = scalar('records');

/** An array of scalars (`array('0+', 'int32')`) or of structs (`array('0+', { name: string('0+') })`). */
export function array<const E extends ScalarKind | Fields, const O extends FieldOptions = object>(
  versions: string,
  element: E,
  options?: O,
): Field<OrNull<ElementValue<E>[], O>> {
  return { kind: 'array', versions, element, options: options ?? NO_OPTIONS };
}

/** A single struct (`struct('0+', { name: string('0+') })`). */
export function struct<const F extends Fields, const O extends FieldOptions = object>(
  versions: string,
  fields: F,
  options?: O,
): Field<OrNull<FieldsValue<F>, O>> {
  return { kind: 'struct', versions, fields, options: options ?? NO_OPTIONS };
}
