import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import {
  brokerKeys,
  clientMetricsKeys,
  findKey,
  groupKeys,
  keyEntries,
  topicKeys,
} from '../../src/config/catalogue.ts';
import type { ConfigKeys } from '../../src/config/config-key.ts';
import { parseValue } from '../../src/config/parse-value.ts';
import { configReference, namesWithoutEffect } from './config-reference.ts';

const source = fileURLToPath(new URL('../../src', import.meta.url));
const docs = new URL('../../../../docs/config.md', import.meta.url);

const tables: [string, ConfigKeys][] = [
  ['broker', brokerKeys],
  ['topic', topicKeys],
  ['group', groupKeys],
  ['client metrics', clientMetricsKeys],
];

/** Files that look at keys for other reasons than to act on them. */
const checksOnly = /config\/(catalogue|broker-rules|alter-broker-configs|dynamic-configs|group-config)/;

/** Dotted names in quotes in the sources, as the code names the keys it reads. */
function namesInSources(): ReadonlySet<string> {
  const names = new Set<string>();
  for (const entry of readdirSync(source, { recursive: true, encoding: 'utf8' })) {
    const path = join(source, entry).replaceAll('\\', '/');
    if (!path.endsWith('.ts') || checksOnly.test(path)) continue;
    for (const [, name = ''] of readFileSync(path, 'utf8').matchAll(/'([a-z0-9]+(?:\.[a-z0-9]+)*)'/g))
      names.add(name);
  }
  return names;
}

describe.each(tables)('the %s keys', (_, keys) => {
  test('say what they do in one line of their own', () => {
    const bad = keyEntries(keys).filter(
      ([, { doc }]) => doc.length < 15 || doc.length > 180 || /\.$|\n/.test(doc),
    );
    expect(bad.map(([name]) => name)).toEqual([]);
  });

  test('have defaults that pass their own validation', () => {
    for (const [name, key] of keyEntries(keys)) {
      if (key.default !== null) expect(() => parseValue(name, key, key.default)).not.toThrow();
    }
  });

  test('have synonyms that are broker keys', () => {
    const unknown = keyEntries(keys).flatMap(([, key]) =>
      (key.synonyms ?? []).filter((name) => !findKey(brokerKeys, name)),
    );
    expect(unknown).toEqual([]);
  });
});

test('every key that counts as honoured is read somewhere', () => {
  const read = namesInSources();
  // The default of a topic's or a group's own key, or the limits for a group's.
  const belongsToHonouredKey = (name: string): boolean =>
    [...keyEntries(topicKeys), ...keyEntries(groupKeys)].some(
      ([own, key]) =>
        key.honoured &&
        (key.synonyms?.includes(name) ||
          ['min', 'max'].some((limit) => name === `group.${own.replace('.', `.${limit}.`)}`) ||
          // The one limit that is not named after its key.
          (own === 'streams.num.standby.replicas' && name === 'group.streams.max.standby.replicas')),
    );
  const notRead = tables.flatMap(([, keys]) =>
    keyEntries(keys)
      .filter(([name, key]) => key.honoured && !read.has(name) && !belongsToHonouredKey(name))
      .map(([name]) => name),
  );
  expect(notRead).toEqual([]);
});

test('keys without effect are not read, so that GAPS.md and the docs stay true', () => {
  const read = namesInSources();
  const readAll = namesWithoutEffect(brokerKeys).filter((name) => read.has(name));
  // Checked against other keys, written into the configs of an internal topic, or the layout of topics to come.
  expect(readAll.filter((name) => !name.startsWith('transaction.state.log.'))).toEqual([
    'early.start.listeners',
    'unclean.leader.election.enable',
  ]);
});

test('docs/config.md is what the declarations say', () => {
  const text = configReference();
  if (process.env['OTTLA_REWRITE'] !== undefined) writeFileSync(docs, text);
  expect(readFileSync(docs, 'utf8')).toBe(text);
});
