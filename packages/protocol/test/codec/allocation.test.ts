import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { defaultValue, layoutOf, type FieldLayout, type StructLayout } from '../../src/codec/layout.ts';
import {
  allMessages,
  decodeMessage,
  encodeMessage,
  ProtocolError,
  type MessageInput,
  type MessageSchema,
} from '../../src/index.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const HEAP_BYTES_PER_BYTE = 32;
/** What a message of any length may cost, and the noise of measuring. */
const ALLOWANCE_BYTES = 256 * 1024;
const BOMB_ELEMENTS = 1500;

/** The smallest legal value of a struct: everything empty. */
function smallest(layout: StructLayout): Record<string, unknown> {
  return Object.fromEntries(
    layout.fields.map((field) => {
      if (!field.present || field.tag >= 0) return [field.name, defaultValue(field)];
      if (field.kind === 'struct' && field.struct !== undefined) return [field.name, smallest(field.struct)];
      const value = defaultValue(field);
      return [field.name, value === null && !field.nullable ? Buffer.alloc(0) : value];
    }),
  );
}

/** For each array in the message, a value with that array as long as `count` and all others as short as can be. */
function* bombs(layout: StructLayout, count: number): Generator<Record<string, unknown>> {
  for (const field of layout.fields) {
    if (!field.present || field.struct === undefined) {
      if (field.present && field.kind === 'array') {
        yield { ...smallest(layout), [field.name]: Array.from({ length: count }, () => scalarOf(field)) };
      }
      continue;
    }
    const { struct } = field;
    if (field.kind === 'array') {
      yield { ...smallest(layout), [field.name]: Array.from({ length: count }, () => smallest(struct)) };
    }
    for (const inner of bombs(struct, count)) {
      yield { ...smallest(layout), [field.name]: field.kind === 'array' ? [inner] : inner };
    }
    // Many elements, each with one element of its own inside.
    for (const inner of bombs(struct, 1)) {
      const few = Math.ceil(count / 2);
      if (field.kind === 'array') {
        yield { ...smallest(layout), [field.name]: Array.from({ length: few }, () => inner) };
      }
    }
  }
}

function scalarOf(field: FieldLayout): unknown {
  return defaultValue({ ...field, kind: field.elementKind ?? 'int8', default: undefined });
}

function heapAfterDecoding(schema: MessageSchema<unknown>, version: number, bytes: Buffer): number {
  const before = process.memoryUsage();
  let decoded: unknown;
  try {
    decoded = decodeMessage(schema, version, bytes);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
  }
  const after = process.memoryUsage();
  expect(decoded).not.toBeNull();
  return after.heapUsed - before.heapUsed + Math.max(0, after.arrayBuffers - before.arrayBuffers);
}

describe('arrays as long as the bytes allow, in every array of every message', () => {
  test('decode within 32 bytes of heap per byte, or are refused', { timeout: 60_000 }, () => {
    for (const schema of allMessages) {
      const version = schema.maxVersion;
      const layout = layoutOf(schema, version);
      decodeMessage(schema, version, encodeMessage(schema, version, smallest(layout)));
      for (const value of bombs(layout, BOMB_ELEMENTS)) {
        const bytes = encodeMessage(schema, version, value as MessageInput<unknown>);
        const limit = HEAP_BYTES_PER_BYTE * bytes.length + ALLOWANCE_BYTES;
        if (heapAfterDecoding(schema, version, bytes) <= limit) continue;
        // Compilers and other garbage may have been counted: the least of a few on a clean heap.
        const again = [1, 2, 3].map(() => {
          collectGarbage();
          return heapAfterDecoding(schema, version, bytes);
        });
        const heap = Math.min(...again);
        const shown = JSON.stringify(value).slice(0, 300);
        if (heap > limit) expect.fail(`${schema.name}: ${heap} bytes of heap for ${bytes.length}: ${shown}`);
      }
    }
  });

  test('a count that the remaining bytes cannot hold is refused before anything is allocated', () => {
    const metadata = allMessages.find((schema) => schema.name === 'MetadataRequest');
    if (metadata === undefined) throw new Error('No MetadataRequest');
    const bytes = Buffer.from('7fffffff', 'hex');
    expect(() => decodeMessage(metadata, 1, bytes)).toThrow(/Count 2147483647 exceeds the remaining bytes/);
  });
});
