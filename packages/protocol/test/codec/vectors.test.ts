import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  allMessages,
  decodeMessage,
  encodeMessage,
  messageFromJson,
  messageToJson,
  type Json,
} from '../../src/index.ts';

const folder = new URL('../vectors/', import.meta.url);
const schemas = new Map(allMessages.map((schema) => [schema.name, schema]));

interface Vectors {
  readonly message: string;
  readonly vectors: readonly { readonly version: number; readonly hex: string; readonly json: Json }[];
}

const files = readdirSync(folder)
  .filter((name) => !['batches.json', 'murmur2.json'].includes(name))
  .map((name) => JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Vectors);

describe('golden vectors of the official classes', () => {
  test('exist for every message', () => {
    expect(files.map((file) => file.message).toSorted()).toEqual([...schemas.keys()].toSorted());
  });

  test.each(files)('$message: bytes decode to the values shown and encode to the same bytes', (file) => {
    const schema = schemas.get(file.message);
    if (schema === undefined) throw new Error('No such message');
    const versions = new Set(file.vectors.map((vector) => vector.version));
    expect(versions.size).toBe(schema.maxVersion - schema.minVersion + 1);
    for (const { version, hex, json } of file.vectors) {
      const decoded = decodeMessage(schema, version, Buffer.from(hex, 'hex'));
      expect(withoutRecords(messageToJson(schema, version, decoded))).toEqual(withoutRecords(json));
      expect(encodeMessage(schema, version, decoded).toString('hex')).toBe(hex);
      if (JSON.stringify(json).includes('ecords":"')) continue;
      const value = messageFromJson(schema, version, json);
      expect(encodeMessage(schema, version, value).toString('hex')).toBe(hex);
    }
  });
});

/** The official JSON shows record fields as empty, whatever they hold. */
function withoutRecords(json: Json): Json {
  return JSON.parse(JSON.stringify(json).replaceAll(/("\w*[rR]ecords":)"[^"]*"/g, '$1""')) as Json;
}
