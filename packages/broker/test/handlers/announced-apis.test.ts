import { readFileSync } from 'node:fs';
import { SeededRandom, SimClock, SimDisk } from '@ottla/platform';
import { ApiKeys, type ApiVersionsResponse } from '@ottla/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Broker, startBroker } from '../../src/broker.ts';
import { TranscriptClient } from '../transcripts/transcript-client.ts';

interface Api {
  readonly key: number;
  readonly name: string;
  readonly min: number;
  readonly max: number;
}

/** What the broker of an Apache Kafka 4.3.1 with its default configuration announces, in the order of the keys. */
const kafkaApis = JSON.parse(
  readFileSync(new URL('../transcripts/golden/apis-kafka-4.3.1.json', import.meta.url), 'utf8'),
) as readonly Api[];

const gaps = readFileSync(new URL('../../../../GAPS.md', import.meta.url), 'utf8');

let broker: Broker;
let announced: readonly Api[];

beforeAll(async () => {
  const clock = new SimClock();
  broker = await startBroker({
    properties: { listeners: 'PLAINTEXT://127.0.0.1:0', 'log.dirs': '/logs' },
    clock,
    disk: new SimDisk({ clock, random: new SeededRandom(1) }),
    random: new SeededRandom(2),
  });
  const client = await TranscriptClient.open(broker.listeners[0]!.port);
  const response = await client.exchange({
    apiKey: ApiKeys.ApiVersions,
    version: 3,
    body: { clientSoftwareName: 'test', clientSoftwareVersion: '1' },
  });
  client.close();
  const names = new Map<number, string>(Object.entries(ApiKeys).map(([name, key]) => [key, name]));
  announced = (response as ApiVersionsResponse).apiKeys.map(({ apiKey, minVersion, maxVersion }) => ({
    key: apiKey,
    name: names.get(apiKey)!,
    min: minVersion,
    max: maxVersion,
  }));
});
afterAll(() => broker.close());

test('an API is announced at exactly the versions of Kafka 4.3.1, or not at all', () => {
  const keys = new Set(announced.map(({ key }) => key));
  expect(announced).toEqual(kafkaApis.filter(({ key }) => keys.has(key)));
});

test('GAPS.md lists every API of Kafka 4.3.1 that is not announced, and no other', () => {
  const keys = new Set(announced.map(({ key }) => key));
  const missing = kafkaApis.filter(({ key }) => !keys.has(key)).map(({ name, key }) => `${name} (${key})`);
  const section = /## APIs not served\n([\s\S]*?)\n## /.exec(gaps)?.[1] ?? '';
  const listed = [...section.matchAll(/\b[A-Z]\w+ \(\d+\)/g)].map(([api]) => api);
  expect(listed.toSorted()).toEqual(missing.toSorted());
});

test('GAPS.md counts the configuration keys without effect as docs/config.md does', () => {
  const docs = readFileSync(new URL('../../../../docs/config.md', import.meta.url), 'utf8');
  const counts = [
    ...docs.matchAll(/^## (.*) keys without effect so far\n([\s\S]*?)(?=^## |$(?![\s\S]))/gm),
  ].map(([, kind, table]) => `${table!.match(/^\| `/gm)!.length} ${kind!.toLowerCase()}`);
  expect(counts.length).toBeGreaterThan(0);
  for (const count of counts) expect(gaps).toContain(count);
});
