/** What a serde may want to know besides the value. */
export interface SerdeContext {
  readonly topic: string;
  readonly part: 'key' | 'value';
}

/**
 * Turns keys or values of type `T` into bytes and back. Absent bytes (a record without key, a tombstone) are null: a serde
 * whose `T` has no null throws a SerdeError for them; `serde.nullable` lets them through.
 */
export interface Serde<T> {
  /** For error texts: `string`, `json`. */
  readonly name: string;
  /** Throws SerdeError when the value has no form as bytes. */
  serialize(value: T, context: SerdeContext): Buffer | null;
  /** The bytes are a view of a received response: copy what is kept. Throws SerdeError on bytes that are no `T`. */
  deserialize(bytes: Buffer | null, context: SerdeContext): T;
}

/** The type that a serde reads and writes. */
export type SerdeType<S> = S extends Serde<infer T> ? T : never;
