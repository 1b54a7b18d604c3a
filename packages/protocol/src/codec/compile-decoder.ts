import type { ScalarKind } from '../schema/field.ts';
import type { MessageSchema } from '../schema/message-schema.ts';
import type { MessageDecoder } from './compiled-codec.ts';
import {
  defaultValue,
  elementHeapBytes,
  FIXED_SIZES,
  layoutOf,
  minimumElementSize,
  type FieldLayout,
  type StructLayout,
} from './layout.ts';
import * as wire from './wire.ts';

/**
 * Writes the decoder of one message at one version as straight-line JavaScript: `b` is the buffer, `p` the position,
 * `end` where the message may reach to, `budget` the heap bytes that its elements may still cost.
 *
 * The decoder law: a count is at most what the remaining bytes can hold, elements are charged to the budget before
 * they are built, unknown tagged fields are skipped, and everything malformed is refused with its position.
 */
export function compileDecoder<T>(schema: MessageSchema<T>, version: number): MessageDecoder<T> {
  const generator = new DecoderGenerator();
  const value = generator.struct(layoutOf(schema, version), schema.name);
  const budgetCap = schema.type === 'request' || schema.type === 'header' ? REQUEST_HEAP_BYTES : 'Infinity';
  const source = `'use strict';
const { ${Object.keys(wire).join(', ')} } = wire;
return function decode(b, p, exact) {
const end = b.length;
let budget = Math.min(${BASE_HEAP_BYTES} + ${HEAP_BYTES_PER_BYTE} * (end - p), ${budgetCap});
let n = 0;
${generator.code.join('\n')}
if (exact && p !== end) fail((end - p) + ' bytes left over', ${JSON.stringify(schema.name)}, p);
cursor.position = p;
return ${value};
};`;
  const create = new Function('wire', 'defaults', 'EMPTY', source) as CreateDecoder<T>;
  return create(wire, generator.defaults, EMPTY_BUFFER);
}

type CreateDecoder<T> = (
  helpers: typeof wire,
  defaults: readonly unknown[],
  empty: Buffer,
) => MessageDecoder<T>;

const EMPTY_BUFFER = Buffer.alloc(0);
/** Decoded heap per byte of the message, and what any message may cost. */
const HEAP_BYTES_PER_BYTE = 32;
const BASE_HEAP_BYTES = 64 * 1024;
/** No request costs more heap than this, however long it is. */
const REQUEST_HEAP_BYTES = 64 * 1024 * 1024;

class DecoderGenerator {
  readonly code: string[] = [];
  /** Default values that are objects, frozen and shared by all decoded messages. */
  readonly defaults: unknown[] = [];
  #names = 0;

  /** Emits the reading of a struct; returns the expression that builds it. */
  struct(layout: StructLayout, path: string): string {
    const variables = layout.fields.map((field) => this.#declare(field));
    const wireFields = layout.fields.filter((field) => field.present && field.tag < 0);
    let checked = 0;
    wireFields.forEach((field, index) => {
      if (checked <= index && FIXED_SIZES[field.kind] !== undefined) {
        checked = index;
        let size = 0;
        for (let one = wireFields[checked]; one !== undefined; one = wireFields[++checked]) {
          const fixed = FIXED_SIZES[one.kind];
          if (fixed === undefined) break;
          size += fixed;
        }
        this.code.push(`if (end - p < ${size}) failEnd(${JSON.stringify(field.path)}, p);`);
      }
      this.#value(field, variables[layout.fields.indexOf(field)] ?? '');
    });
    if (layout.tagSection) this.#tagSection(layout, variables, path);
    const entries = layout.fields.map((field, index) => `${field.name}: ${variables[index]}`);
    return `{ ${entries.join(', ')} }`;
  }

  #name(): string {
    return `v${this.#names++}`;
  }

  #declare(field: FieldLayout): string {
    const variable = this.#name();
    const absent = !field.present || field.tag >= 0;
    this.code.push(`let ${variable}${absent ? ` = ${this.#default(field)}` : ''};`);
    return variable;
  }

  #default(field: FieldLayout): string {
    const value = defaultValue(field);
    if (Buffer.isBuffer(value)) return 'EMPTY';
    if (Array.isArray(value)) return '[]';
    if (typeof value !== 'object' || value === null) return JSON.stringify(value);
    this.defaults.push(deepFreeze(value));
    return `defaults[${this.defaults.length - 1}]`;
  }

  /** Emits the reading of one present field into `variable`; room for fixed sizes has been checked. */
  #value(field: FieldLayout, variable: string): void {
    const path = JSON.stringify(field.path);
    if (field.kind === 'array') {
      this.#array(field, variable);
    } else if (field.kind === 'struct') {
      this.#nullableStruct(field, variable);
    } else if (FIXED_SIZES[field.kind] !== undefined) {
      this.#fixed(field.kind, variable);
    } else {
      this.#length(field, field.kind === 'string' ? 2 : 4);
      const isNull = field.nullable ? `${variable} = null` : `failNull(${path}, p)`;
      this.code.push(`if (n < 0) ${isNull}; else {`);
      this.#sized(field.kind, field.path, variable);
      this.code.push('}');
    }
  }

  /** Text or bytes of length `n` at `p`. */
  #sized(kind: ScalarKind, path: string, variable: string): void {
    const name = JSON.stringify(path);
    this.code.push(`if (n > end - p) failEnd(${name}, p);`);
    if (kind === 'string') {
      this.code.push(`if (n > 32767) checkStringLength(n, ${name}, p);`);
      this.code.push(`${variable} = readString(b, p, n);`);
    } else {
      this.code.push(`${variable} = n === 0 ? EMPTY : b.subarray(p, p + n);`);
    }
    this.code.push('p += n;');
  }

  #fixed(kind: ScalarKind, variable: string): void {
    this.code.push(`${variable} = ${FIXED_READS[kind]}; p += ${FIXED_SIZES[kind]};`);
  }

  /** Reads a length or count into `n`; -1 means null. Legacy lengths take `legacySize` bytes. */
  #length(field: FieldLayout, legacySize: number): void {
    const path = JSON.stringify(field.path);
    if (field.flexible) {
      this.#varint(path);
      this.code.push('n -= 1;');
      return;
    }
    const read = legacySize === 2 ? FIXED_READS.int16 : FIXED_READS.int32;
    this.code.push(`if (end - p < ${legacySize}) failEnd(${path}, p);`);
    this.code.push(`n = ${read}; p += ${legacySize};`);
    this.code.push(`if (n < -1) fail('Negative length ' + n, ${path}, p - ${legacySize});`);
  }

  /** One byte inline, the rest in the helper; past the end `b[p]` is undefined, and the helper refuses. */
  #varint(path: string): void {
    this.code.push(`if ((n = b[p]) < 128) p++; else { n = readVarint(b, p, ${path}); p = cursor.position; }`);
  }

  #array(field: FieldLayout, variable: string): void {
    const path = JSON.stringify(field.path);
    const [count, index] = [this.#name(), this.#name()];
    this.#length(field, 4);
    this.code.push(
      `if (n < 0) ${field.nullable ? `${variable} = null` : `failNull(${path}, p)`};`,
      `else if (n === 0) ${variable} = []; else {`,
      `if (n > (end - p) / ${minimumElementSize(field)}) fail('Count ' + n + ' exceeds the remaining bytes', ${path}, p);`,
      `if ((budget -= n * ${elementHeapBytes(field)}) < 0) fail('Count ' + n + ' would take too much memory', ${path}, p);`,
      // The count is bounded by the bytes that are there, so the exact size costs no more than the elements will.
      `const ${count} = n; ${variable} = new Array(${count});`,
      `for (let ${index} = 0; ${index} < ${count}; ${index}++) {`,
    );
    if (field.struct === undefined) this.#scalarElement(field, `${variable}[${index}]`);
    else this.code.push(`${variable}[${index}] = ${this.struct(field.struct, field.path)};`);
    this.code.push('}', '}');
  }

  #scalarElement(field: FieldLayout, target: string): void {
    const kind = field.elementKind ?? 'int8';
    const path = JSON.stringify(field.path);
    const size = FIXED_SIZES[kind];
    if (size !== undefined) {
      this.code.push(`if (end - p < ${size}) failEnd(${path}, p);`);
      this.#fixed(kind, target);
      return;
    }
    this.#length(field, kind === 'string' ? 2 : 4);
    this.code.push(`if (n < 0) failNull(${path}, p);`);
    this.#sized(kind, field.path, target);
  }

  #nullableStruct(field: FieldLayout, variable: string): void {
    const path = JSON.stringify(field.path);
    if (field.struct === undefined) return;
    this.code.push('{');
    if (field.nullable) {
      this.code.push(
        `if (p >= end) failEnd(${path}, p);`,
        // A tagged struct that is null is marked by 0, any other by -1.
        field.tag >= 0
          ? `n = b[p++]; if (n === 0 || n > 127) ${variable} = null; else {`
          : `if (b[p++] > 127) ${variable} = null; else {`,
      );
    }
    if (field.tag >= 0) {
      this.code.push(
        `if ((budget -= ${elementHeapBytes(field)}) < 0) fail('Takes too much memory', ${path}, p);`,
      );
    }
    this.code.push(`${variable} = ${this.struct(field.struct, field.path)};`);
    if (field.nullable) this.code.push('}');
    this.code.push('}');
  }

  #tagSection(layout: StructLayout, variables: readonly string[], path: string): void {
    const name = JSON.stringify(path);
    const [count, last, stop, tag] = [this.#name(), this.#name(), this.#name(), this.#name()];
    this.code.push('if (b[p] === 0) p++; else {');
    this.#varint(name);
    this.code.push(
      `checkTagCount(n, ${name}, p);`,
      `let ${last} = -1;`,
      `for (let ${count} = n; ${count} > 0; ${count}--) {`,
    );
    this.#varint(name);
    this.code.push(
      `const ${tag} = n;`,
      `if (${tag} <= ${last}) fail('Tag ' + ${tag} + ' after tag ' + ${last}, ${name}, p);`,
      `${last} = ${tag};`,
    );
    this.#varint(name);
    this.code.push(`if (n > end - p) failEnd(${name}, p);`, `const ${stop} = p + n;`, `switch (${tag}) {`);
    layout.fields.forEach((field, index) => {
      if (field.present && field.tag >= 0) this.#tagged(field, variables[index] ?? '', stop);
    });
    this.code.push(`default: p = ${stop};`, '}', '}', '}');
  }

  #tagged(field: FieldLayout, variable: string, stop: string): void {
    const path = JSON.stringify(field.path);
    const size = FIXED_SIZES[field.kind];
    this.code.push(`case ${field.tag}: {`);
    if (size !== undefined) this.code.push(`if (end - p < ${size}) failEnd(${path}, p);`);
    this.#value(field, variable);
    this.code.push(
      `if (p !== ${stop}) fail('Tagged field does not end where its size says', ${path}, p);`,
      'break; }',
    );
  }
}

const FIXED_READS: Partial<Record<ScalarKind, string>> = {
  bool: 'b[p] !== 0',
  int8: '(b[p] << 24) >> 24',
  int16: '((b[p] << 24) >> 16) | b[p + 1]',
  uint16: '(b[p] << 8) | b[p + 1]',
  int32: '(b[p] << 24) | (b[p + 1] << 16) | (b[p + 2] << 8) | b[p + 3]',
  uint32: '((b[p] << 24) | (b[p + 1] << 16) | (b[p + 2] << 8) | b[p + 3]) >>> 0',
  int64: 'readInt64(b, p)',
  float64: 'readFloat64(b, p)',
  uuid: 'readUuid(b, p)',
};

function deepFreeze<V extends object>(value: V): V {
  for (const part of Object.values(value)) {
    if (typeof part === 'object' && part !== null && !Buffer.isBuffer(part)) deepFreeze(part);
  }
  return Object.freeze(value);
}
