import { SerdeError } from '../errors/client-errors.ts';
import type { Serde, SerdeContext } from './serde.ts';
import { describeIssues, type StandardSchema } from './standard-schema.ts';

/** Declares a serde over bytes that are there; null bytes are refused with the remedy. */
function ofBytes<T>(
  name: string,
  serialize: (value: T, context: SerdeContext) => Buffer,
  deserialize: (bytes: Buffer, context: SerdeContext) => T,
): Serde<T> {
  return {
    name,
    serialize,
    deserialize(bytes, context) {
      if (bytes === null) throw nullError(name, context);
      return deserialize(bytes, context);
    },
  };
}

function nullError(name: string, { topic, part }: SerdeContext): SerdeError {
  return new SerdeError(
    `A record of topic "${topic}" has no ${part}, but its ${part} is declared as ${name}; use serde.nullable(...) when it may be absent`,
  );
}

function slipError(name: string, value: unknown, { topic, part }: SerdeContext): SerdeError {
  const shown =
    value === null ? 'null' : typeof value === 'object' ? 'object' : `${typeof value} "${value as string}"`;
  return new SerdeError(`Cannot write ${shown} as ${name} into the ${part} of topic "${topic}"`);
}

/** Fixed-size numbers as Kafka's own serializers write them: big-endian. */
function fixed<T extends number | bigint>(
  name: string,
  size: number,
  codec: {
    readonly fits: (value: T) => boolean;
    readonly write: (bytes: Buffer, value: T) => void;
    readonly read: (bytes: Buffer) => T;
  },
): Serde<T> {
  return ofBytes<T>(
    name,
    (value, context) => {
      if (!codec.fits(value)) throw slipError(name, value, context);
      const bytes = Buffer.allocUnsafe(size);
      codec.write(bytes, value);
      return bytes;
    },
    (bytes, { topic, part }) => {
      if (bytes.length !== size)
        throw new SerdeError(
          `The ${part} of a record of topic "${topic}" has ${bytes.length} bytes, ${name} has ${size}`,
        );
      return codec.read(bytes);
    },
  );
}

const string: Serde<string> = ofBytes<string>(
  'string',
  (value, context) => {
    if (typeof value !== 'string') throw slipError('string', value, context);
    return Buffer.from(value, 'utf8');
  },
  (bytes) => bytes.toString(),
);

const bytes: Serde<Buffer> = ofBytes<Buffer>(
  'bytes',
  (value, context) => {
    const given: unknown = value;
    if (Buffer.isBuffer(given)) return given;
    if (given instanceof Uint8Array) return Buffer.from(given.buffer, given.byteOffset, given.byteLength);
    throw slipError('bytes', value, context);
  },
  (value) => value,
);

const int16: Serde<number> = fixed<number>('int16', 2, {
  fits: (value) => Number.isInteger(value) && value >= -0x8000 && value <= 0x7fff,
  write: (buffer, value) => buffer.writeInt16BE(value),
  read: (buffer) => buffer.readInt16BE(),
});

const int32: Serde<number> = fixed<number>('int32', 4, {
  fits: (value) => Number.isInteger(value) && value >= -0x8000_0000 && value <= 0x7fff_ffff,
  write: (buffer, value) => buffer.writeInt32BE(value),
  read: (buffer) => buffer.readInt32BE(),
});

const int64: Serde<bigint> = fixed<bigint>('int64', 8, {
  fits: (value) => typeof value === 'bigint' && BigInt.asIntN(64, value) === value,
  write: (buffer, value) => buffer.writeBigInt64BE(value),
  read: (buffer) => buffer.readBigInt64BE(),
});

const float: Serde<number> = fixed<number>('float', 4, {
  fits: (value) => typeof value === 'number',
  write: (buffer, value) => buffer.writeFloatBE(value),
  read: (buffer) => buffer.readFloatBE(),
});

const double: Serde<number> = fixed<number>('double', 8, {
  fits: (value) => typeof value === 'number',
  write: (buffer, value) => buffer.writeDoubleBE(value),
  read: (buffer) => buffer.readDoubleBE(),
});

/** Always absent: keys or values that are never there. */
const nothing: Serde<null> = {
  name: 'nothing',
  serialize: (value, context) => {
    if (value !== null && value !== undefined) throw slipError('nothing', value, context);
    return null;
  },
  deserialize: (given, { topic, part }) => {
    if (given !== null)
      throw new SerdeError(`A record of topic "${topic}" has a ${part}, but none is declared`);
    return null;
  },
};

/** Lets null through on both ways: keys that may be absent, tombstones of compacted topics. */
function nullable<T>(inner: Serde<T>): Serde<T | null> {
  return {
    name: `nullable ${inner.name}`,
    serialize: (value, context) =>
      value === null || value === undefined ? null : inner.serialize(value, context),
    deserialize: (given, context) => (given === null ? null : inner.deserialize(given, context)),
  };
}

/**
 * JSON. With a validator (any Standard Schema: zod, valibot, arktype, ...) the type is the validator's output, and what is read
 * is validated; without one it is whatever the type argument says, unchecked.
 */
function json<T = unknown>(): Serde<T>;
function json<Output>(schema: StandardSchema<unknown, Output>): Serde<Output>;
function json<T>(schema?: StandardSchema<unknown, T>): Serde<T> {
  return ofBytes<T>('json', toJson, (given, context) => {
    const parsed = parseJson(given, context);
    return schema === undefined ? (parsed as T) : validate(schema, parsed, context);
  });
}

function toJson(value: unknown, context: SerdeContext): Buffer {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    throw new SerdeError(`Cannot write the ${context.part} for topic "${context.topic}" as JSON`, error);
  }
  if (text === undefined) throw slipError('json', value, context);
  return Buffer.from(text, 'utf8');
}

function parseJson(given: Buffer, { topic, part }: SerdeContext): unknown {
  try {
    return JSON.parse(given.toString());
  } catch (error) {
    throw new SerdeError(`The ${part} of a record of topic "${topic}" is no JSON`, error);
  }
}

function validate<T>(schema: StandardSchema<unknown, T>, value: unknown, { topic, part }: SerdeContext): T {
  const result = schema['~standard'].validate(value);
  if (result instanceof Promise)
    throw new SerdeError('The validator is asynchronous; serde.json needs one that answers at once');
  if (result.issues === undefined) return result.value;
  throw new SerdeError(
    `The ${part} of a record of topic "${topic}" is not valid: ${describeIssues(result.issues)}`,
  );
}

/** The serdes that come with the client; write your own as an object with the three members of `Serde`. */
export const serde = {
  /** UTF-8 text. */
  string,
  /** Raw bytes; what is read is a view of the received response. */
  bytes,
  /** Big-endian integers of 2, 4 and 8 bytes; int64 is a bigint. */
  int16,
  int32,
  int64,
  /** IEEE 754, 4 and 8 bytes, big-endian. */
  float,
  double,
  /** Always null. */
  nothing,
  nullable,
  json,
} as const;
