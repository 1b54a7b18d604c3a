import { defaultValue, layoutOf, type FieldLayout, type StructLayout } from '../codec/layout.ts';
import { INT64_MAX, INT64_MIN, ZERO_UUID } from '../codec/wire.ts';
import type { ScalarKind } from '../schema/field.ts';
import type { MessageSchema } from '../schema/message-schema.ts';

/** Random messages from their declarations, for tests and fuzzers of this and other packages. */
export interface SeededRandom {
  /** Uniform integer in [0, bound). */
  nextInt(bound: number): number;
}

/** A small generator (mulberry32): the same seed gives the same numbers everywhere. */
export function seededRandom(seed: number): SeededRandom {
  let state = seed | 0;
  return {
    nextInt(bound) {
      state = (state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
      return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
    },
  };
}

/** A value of a message as decoding gives it: every field set, those that `version` lacks at their default. */
export function randomMessage<T>(schema: MessageSchema<T>, version: number, random: SeededRandom): T {
  return randomStruct(layoutOf(schema, version), random, 0) as T;
}

function randomStruct(layout: StructLayout, random: SeededRandom, depth: number): Record<string, unknown> {
  const value: Record<string, unknown> = {};
  for (const field of layout.fields) value[field.name] = randomField(field, random, depth);
  return value;
}

function randomField(field: FieldLayout, random: SeededRandom, depth: number): unknown {
  if (!field.present) return defaultValue(field);
  if (field.tag >= 0 && random.nextInt(2) === 0) return defaultValue(field);
  if (field.nullable && random.nextInt(4) === 0) return null;
  if (field.kind === 'struct' && field.struct !== undefined) {
    return randomStruct(field.struct, random, depth);
  }
  if (field.kind !== 'array') return randomScalar(field.kind as ScalarKind, random);
  // Deep messages would grow without bound: the deeper, the fewer elements.
  const count = random.nextInt(Math.max(2, 4 - depth));
  return Array.from({ length: count }, () =>
    field.struct === undefined
      ? randomScalar(field.elementKind ?? 'int8', random)
      : randomStruct(field.struct, random, depth + 1),
  );
}

const TEXTS = ['', 'a', 'orders', 'payments-eu.7', 'été-中文-🚀', 'x'.repeat(43), 'y'.repeat(300)];
const INT64_SAMPLES = [0, 1, -1, 2 ** 31, 2 ** 32 + 5, 2 ** 53 - 1, 1 - 2 ** 53, INT64_MAX, INT64_MIN];

function randomScalar(kind: ScalarKind, random: SeededRandom): unknown {
  switch (kind) {
    case 'bool':
      return random.nextInt(2) === 1;
    case 'int8':
      return random.nextInt(256) - 128;
    case 'int16':
      return random.nextInt(65_536) - 32_768;
    case 'uint16':
      return random.nextInt(65_536);
    case 'int32':
      return random.nextInt(3) === 0 ? random.nextInt(200) - 1 : random.nextInt(2 ** 32) | 0;
    case 'uint32':
      return random.nextInt(2 ** 32);
    case 'int64':
      return random.nextInt(2) === 0
        ? (INT64_SAMPLES[random.nextInt(INT64_SAMPLES.length)] ?? 0)
        : (random.nextInt(2 ** 22) - 2 ** 21) * 2 ** 31 + random.nextInt(2 ** 31);
    case 'float64':
      return [0, -1.5, 1e300, Infinity, NaN][random.nextInt(5)];
    case 'uuid':
      return random.nextInt(4) === 0 ? ZERO_UUID : randomBytes(16, random).toString('base64url');
    case 'string':
      return TEXTS[random.nextInt(TEXTS.length)];
    case 'bytes':
    case 'records':
      return randomBytes([0, 1, 20, 2000][random.nextInt(4)] ?? 0, random);
  }
}

function randomBytes(count: number, random: SeededRandom): Buffer {
  return Buffer.from(Array.from({ length: count }, () => random.nextInt(256)));
}
