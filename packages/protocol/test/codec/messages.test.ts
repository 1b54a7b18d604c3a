import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from 'vitest';
import {
  allMessages,
  decodeMessage,
  encodeMessage,
  ProtocolError,
  type MessageInput,
  type MessageSchema,
} from '../../src/index.ts';
import { mutate, randomMessage, seededRandom } from '../../src/testing/index.ts';
import { effort, seed } from '../seed.ts';

const VALUES = 3 * effort;
const MUTATIONS = 40 * effort;

/** Calls `check` with every message at every version and the bytes of a few random values. */
function forEachMessage(
  count: number,
  check: (schema: MessageSchema<unknown>, version: number, sample: Sample) => void,
): void {
  for (const schema of allMessages) {
    for (let version = schema.minVersion; version <= schema.maxVersion; version++) {
      const random = seededRandom(seed + version);
      for (let index = 0; index < count; index++) {
        const value = randomMessage(schema, version, random);
        const bytes = encodeMessage(schema, version, value as MessageInput<unknown>);
        check(schema, version, { value, bytes });
      }
    }
  }
}

interface Sample {
  readonly value: unknown;
  readonly bytes: Buffer;
}

function decodeOrError(schema: MessageSchema<unknown>, version: number, bytes: Buffer): unknown {
  try {
    return decodeMessage(schema, version, bytes);
  } catch (error) {
    return error;
  }
}

describe(`every message at every version (OTTLA_SEED=${seed})`, () => {
  test('a random value, encoded and decoded, is the same', () => {
    forEachMessage(VALUES, (schema, version, { value, bytes }) => {
      const decoded = decodeMessage(schema, version, bytes);
      if (!isDeepStrictEqual(decoded, value)) expect(decoded, `${schema.name} v${version}`).toEqual(value);
    });
  });

  test('cut at any byte, is refused with a position inside the message', () => {
    forEachMessage(1, (schema, version, { bytes }) => {
      for (let end = 0; end < bytes.length; end += end < 200 ? 1 : 37) {
        const error = decodeOrError(schema, version, bytes.subarray(0, end));
        const name = `${schema.name} v${version} cut at ${end}`;
        if (!(error instanceof ProtocolError)) expect.fail(`${name}: ${String(error)}`);
        if (error.position < 0 || error.position > end) expect.fail(`${name}: ${error.message}`);
      }
    });
  });

  test('with bytes behind it, is refused', () => {
    forEachMessage(1, (schema, version, { bytes }) => {
      const longer = Buffer.concat([bytes, Buffer.alloc(1)]);
      expect(decodeOrError(schema, version, longer)).toBeInstanceOf(ProtocolError);
    });
  });

  test('mutated at random, is refused or decodes to a value that survives a round trip', () => {
    const random = seededRandom(seed);
    forEachMessage(1, (schema, version, { bytes }) => {
      for (let index = 0; index < MUTATIONS; index++) {
        const broken = mutate(bytes, random);
        const decoded = decodeOrError(schema, version, broken);
        if (decoded instanceof ProtocolError) continue;
        const name = `${schema.name} v${version} ${broken.toString('hex')}`;
        if (decoded instanceof Error) expect.fail(`${name}: ${decoded.stack}`);
        const again = encodeMessage(schema, version, decoded as MessageInput<unknown>);
        if (!isDeepStrictEqual(decodeMessage(schema, version, again), decoded)) expect.fail(name);
      }
    });
  });

  test('random bytes, are refused or decode', () => {
    const random = seededRandom(seed);
    for (const schema of allMessages) {
      for (let index = 0; index < MUTATIONS; index++) {
        const bytes = Buffer.from(Array.from({ length: random.nextInt(80) }, () => random.nextInt(256)));
        const decoded = decodeOrError(schema, schema.maxVersion, bytes);
        if (decoded instanceof Error && !(decoded instanceof ProtocolError)) throw decoded;
      }
    }
  });
});
