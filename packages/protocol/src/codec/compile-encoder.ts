import type { MessageSchema } from '../schema/message-schema.ts';
import { ByteWriter } from './byte-writer.ts';
import type { MessageEncoder } from './compiled-codec.ts';
import { defaultValue, FIXED_SIZES, layoutOf, type FieldLayout, type StructLayout } from './layout.ts';
import * as wire from './wire.ts';

/**
 * Writes the encoder of one message at one version as straight-line JavaScript: `w` is the writer, whose region is kept
 * in the locals `b` (bytes), `p` (position) and `limit`. Absent fields are written as their defaults; a field that the
 * version cannot carry is refused when it is set to something else, unless it is ignorable.
 */
export function compileEncoder(schema: MessageSchema<unknown>, version: number): MessageEncoder {
  const generator = new EncoderGenerator(version);
  generator.struct(layoutOf(schema, version), 'm', schema.name);
  const source = `'use strict';
const { ${Object.keys(wire).join(', ')} } = wire;
const EMPTY_STRUCT = {};
${generator.functions.join('\n')}
return function encode(m, w) {
let b = w.bytes, p = w.position, limit = w.limit;
${generator.code.join('\n')}
w.position = p;
};`;
  const create = new Function('wire', 'ByteWriter', source) as CreateEncoder;
  return create(wire, ByteWriter);
}

type CreateEncoder = (helpers: typeof wire, writer: typeof ByteWriter) => MessageEncoder;

const LOAD = 'b = w.bytes; p = w.position; limit = w.limit;';

class EncoderGenerator {
  readonly code: string[] = [];
  /** Functions in front of the encoder: whether a struct is all defaults. */
  readonly functions: string[] = [];
  readonly #version: number;
  readonly #defaultTests = new Map<StructLayout, string>();
  #names = 0;

  constructor(version: number) {
    this.#version = version;
  }

  struct(layout: StructLayout, source: string, path: string): void {
    const tagged: [FieldLayout, string][] = [];
    const wireFields = layout.fields.filter((field) => field.present && field.tag < 0);
    let reserved = 0;
    for (const field of layout.fields) {
      const variable = this.#name();
      if (!field.present) {
        this.#absent(field, source);
        continue;
      }
      this.code.push(`let ${variable} = ${source}.${field.name};`);
      if (field.tag >= 0) {
        tagged.push([field, variable]);
        continue;
      }
      const index = wireFields.indexOf(field);
      if (index >= reserved && FIXED_SIZES[field.kind] !== undefined) {
        reserved = this.#reserveRun(wireFields, index);
      }
      this.#value(field, variable);
    }
    if (layout.tagSection) this.#tagSection(tagged, path);
  }

  #name(): string {
    return `v${this.#names++}`;
  }

  /** Makes room once for the fixed-size fields that follow each other from `index`; returns the index after them. */
  #reserveRun(fields: readonly FieldLayout[], index: number): number {
    let size = 0;
    let next = index;
    for (let field = fields[next]; field !== undefined; field = fields[++next]) {
      const fixed = FIXED_SIZES[field.kind];
      if (fixed === undefined) break;
      size += fixed;
    }
    this.#reserve(String(size));
    return next;
  }

  #reserve(size: string): void {
    this.code.push(`if (limit - p < ${size}) { w.position = p; w.grow(${size}); ${LOAD} }`);
  }

  #absent(field: FieldLayout, source: string): void {
    if (field.ignorable) return;
    const variable = this.#name();
    this.code.push(
      `const ${variable} = ${source}.${field.name};`,
      `if (${this.#isSet(field, variable)}) failVersion(${JSON.stringify(field.path)}, ${this.#version});`,
    );
  }

  /** An expression that says whether `variable` differs from the field's default. */
  #isSet(field: FieldLayout, variable: string): string {
    const value = defaultValue(field);
    const given = `${variable} !== undefined && `;
    if (value === null) return `${given}${variable} !== null`;
    if (field.kind === 'array') return `${given}(${variable} === null || ${variable}.length !== 0)`;
    if (field.kind === 'bytes') {
      return `${given}(${variable} === null || byteLength(${variable}) !== 0)`;
    }
    if (field.kind === 'struct' && field.struct !== undefined) {
      return `${given}(${variable} === null || !${this.#defaultTest(field.struct)}(${variable}))`;
    }
    return `${given}${variable} !== ${JSON.stringify(value)}`;
  }

  /** Name of the function that says whether a struct is all defaults. */
  #defaultTest(layout: StructLayout): string {
    const known = this.#defaultTests.get(layout);
    if (known !== undefined) return known;
    const name = `isDefault${this.#defaultTests.size}`;
    this.#defaultTests.set(layout, name);
    const tests = layout.fields.map((field) => `!(${this.#isSet(field, `s.${field.name}`)})`);
    this.functions.push(
      `function ${name}(s) { return ${tests.length === 0 ? 'true' : tests.join(' && ')}; }`,
    );
    return name;
  }

  /** Emits the writing of a present field whose value, or undefined, is in `variable`. */
  #value(field: FieldLayout, variable: string): void {
    const path = JSON.stringify(field.path);
    if (field.kind === 'struct') {
      this.#structValue(field, variable);
      return;
    }
    const value = defaultValue(field);
    if (field.kind === 'array' || field.kind === 'bytes' || field.kind === 'records') {
      this.code.push(`if (${variable} === undefined) ${variable} = ${value === null ? 'null' : '[]'};`);
    } else {
      this.code.push(`if (${variable} === undefined) ${variable} = ${JSON.stringify(value)};`);
    }
    if (FIXED_SIZES[field.kind] !== undefined) {
      this.#fixed(field.kind, variable, path);
      return;
    }
    this.code.push(`if (${variable} === null) {`);
    if (field.nullable) this.#length(field, '-1', field.kind === 'string' ? 2 : 4);
    else this.code.push(`failValue(${path}, null, 'a value');`);
    this.code.push('} else {');
    if (field.kind === 'array') this.#array(field, variable);
    else this.#sized(field, field.kind, variable);
    this.code.push('}');
  }

  /** Writes a length or count, an expression that is -1 for null. */
  #length(field: FieldLayout, length: string, legacySize: number): void {
    if (field.flexible) {
      this.#reserve('5');
      if (length === '-1') this.code.push('b[p++] = 0;');
      else this.code.push(`p = putVarint(b, p, ${length} + 1);`);
    } else {
      this.#reserve(String(legacySize));
      this.#fixed(legacySize === 2 ? 'int16' : 'int32', length, JSON.stringify(field.path));
    }
  }

  #sized(field: FieldLayout, kind: FieldLayout['kind'], variable: string): void {
    const path = JSON.stringify(field.path);
    if (kind === 'string') {
      const put = field.flexible ? 'putCompactString' : 'putString';
      this.code.push(`if (typeof ${variable} !== 'string') failValue(${path}, ${variable}, 'a string');`);
      this.#reserve(`stringRoom(${variable})`);
      this.code.push(`p = ${put}(b, p, ${variable}, ${path});`);
      return;
    }
    const length = this.#name();
    this.code.push(`const ${length} = byteLength(${variable});`);
    this.#length(field, length, 4);
    this.code.push(
      'w.position = p;',
      `if (Array.isArray(${variable})) { for (const one of ${variable}) w.append(one); }`,
      `else w.append(${variable});`,
      LOAD,
    );
  }

  #array(field: FieldLayout, variable: string): void {
    const [count, index, element] = [this.#name(), this.#name(), this.#name()];
    this.code.push(`const ${count} = ${variable}.length;`);
    this.#length(field, count, 4);
    const { struct, elementKind } = field;
    const size = elementKind === undefined ? undefined : FIXED_SIZES[elementKind];
    if (size !== undefined) this.#reserve(`${count} * ${size}`);
    this.code.push(
      `for (let ${index} = 0; ${index} < ${count}; ${index}++) {`,
      `const ${element} = ${variable}[${index}];`,
    );
    if (struct !== undefined) {
      this.struct(struct, element, field.path);
    } else if (elementKind !== undefined && size !== undefined) {
      this.#fixed(elementKind, element, JSON.stringify(field.path));
    } else if (elementKind !== undefined) {
      this.#sized(field, elementKind, element);
    }
    this.code.push('}');
  }

  #structValue(field: FieldLayout, variable: string): void {
    if (field.struct === undefined) return;
    const absent = field.default === null ? 'null' : 'EMPTY_STRUCT';
    this.code.push(`if (${variable} === undefined) ${variable} = ${absent};`);
    this.code.push(`if (${variable} === null) {`);
    if (field.nullable) {
      this.#reserve('1');
      // Null is -1, but 0 where the struct is a tagged field: so the official classes have it.
      this.code.push(`b[p++] = ${field.tag >= 0 ? 0 : 255};`);
    } else {
      this.code.push(`failValue(${JSON.stringify(field.path)}, null, 'a struct');`);
    }
    this.code.push('} else {');
    if (field.nullable) {
      this.#reserve('1');
      this.code.push('b[p++] = 1;');
    }
    this.struct(field.struct, variable, field.path);
    this.code.push('}');
  }

  /** Tagged fields are written in the order of their tags, those at their default not at all. */
  #tagSection(tagged: readonly [FieldLayout, string][], path: string): void {
    if (tagged.length === 0) {
      this.#reserve('1');
      this.code.push('b[p++] = 0;');
      return;
    }
    const count = this.#name();
    this.code.push(`let ${count} = 0;`, `// ${path}`);
    const inOrder = tagged.toSorted(([a], [b]) => a.tag - b.tag);
    const present = inOrder.map(([field, variable]) => {
      const flag = this.#name();
      this.code.push(`const ${flag} = ${this.#isSet(field, variable)};`, `if (${flag}) ${count}++;`);
      return flag;
    });
    this.#reserve('5');
    this.code.push(`p = putVarint(b, p, ${count});`);
    inOrder.forEach(([field, variable], index) => {
      this.code.push(`if (${present[index]}) {`);
      this.#tagged(field, variable);
      this.code.push('}');
    });
  }

  #tagged(field: FieldLayout, variable: string): void {
    this.#reserve('10');
    this.code.push(`p = putVarint(b, p, ${field.tag});`);
    const size = FIXED_SIZES[field.kind];
    if (size !== undefined) {
      this.#reserve(String(1 + size));
      this.code.push(`b[p++] = ${size};`);
      this.#value(field, variable);
      return;
    }
    // The size comes first and is not known before the content is written, so the content goes to a writer of its own.
    const outer = this.#name();
    this.code.push(`w.position = p; const ${outer} = w; w = new ByteWriter(); ${LOAD}`);
    this.#value(field, variable);
    this.code.push(
      'w.position = p;',
      `${outer}.unsignedVarint(w.length);`,
      `for (const one of w.chunks()) ${outer}.append(one);`,
      `w = ${outer}; ${LOAD}`,
    );
  }

  /** A value of fixed size; room has been made. Values out of range are refused, never truncated. */
  #fixed(kind: FieldLayout['kind'], value: string, path: string): void {
    const check = FIXED_CHECKS[kind];
    if (check !== undefined) {
      this.code.push(
        `if (${check.replaceAll('$', () => value)}) failValue(${path}, ${value}, ${JSON.stringify(wanted(kind))});`,
      );
    }
    const write = FIXED_WRITES[kind] ?? '';
    const text = write.replaceAll('$', () => value).replaceAll('PATH', () => path);
    this.code.push(`${text} p += ${FIXED_SIZES[kind]};`);
  }
}

function wanted(kind: FieldLayout['kind']): string {
  return kind === 'bool' ? 'true or false' : `an ${kind}`;
}

const FIXED_CHECKS: Partial<Record<FieldLayout['kind'], string>> = {
  bool: "typeof $ !== 'boolean'",
  int8: '($ << 24) >> 24 !== $',
  int16: '($ << 16) >> 16 !== $',
  uint16: '($ & 65535) !== $',
  int32: '($ | 0) !== $',
  uint32: '$ >>> 0 !== $',
  int64: "typeof $ !== 'number' || $ !== Math.floor($)",
  float64: "typeof $ !== 'number'",
  uuid: "typeof $ !== 'string'",
};

const FIXED_WRITES: Partial<Record<FieldLayout['kind'], string>> = {
  bool: 'b[p] = $ ? 1 : 0;',
  int8: 'b[p] = $;',
  int16: 'b[p] = $ >>> 8; b[p + 1] = $;',
  uint16: 'b[p] = $ >>> 8; b[p + 1] = $;',
  int32: 'b[p] = $ >>> 24; b[p + 1] = $ >>> 16; b[p + 2] = $ >>> 8; b[p + 3] = $;',
  uint32: 'b[p] = $ >>> 24; b[p + 1] = $ >>> 16; b[p + 2] = $ >>> 8; b[p + 3] = $;',
  int64: 'putInt64(b, p, $);',
  float64: 'putFloat64(b, p, $);',
  uuid: 'putUuid(b, p, $, PATH);',
};
