import { connect, KafkaError, topic, type AcknowledgementResult, type ShareMessage } from '@ottla/client';
import { ApiKeys } from '@ottla/protocol';
import { afterAll, describe, expect, test } from 'vitest';
import { eventually } from '../src/index.ts';
import { absent, bootstrap, interop, javaTools, title, unique } from './support.ts';

/** The client's share consumer on a broker with share groups, beside Kafka's own. */
const ottla = connect({ bootstrap, clientId: 'interop-share', defaultApiTimeoutMs: 20_000 });
const admin = ottla.admin();
const versions = [...(await admin.cluster.apiVersions()).values()][0]!;
const hasShareGroups = !(versions instanceof KafkaError) && versions.has(ApiKeys.ShareFetch);
afterAll(() => ottla.close());

async function write(name: string, values: readonly string[]): Promise<void> {
  const args = ['--bootstrap-server', bootstrap, '--topic', name];
  const { code, err } = await javaTools().run(
    'ConsoleProducer',
    args,
    values.map((value) => `${value}\n`).join(''),
  );
  expect(code, err.join('\n')).toBe(0);
}

const numbered = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}-${i}`);

/** A topic with records, and a share group that reads from its beginning. */
async function filled(values: readonly string[], partitions = 2): Promise<{ name: string; group: string }> {
  const [name, group] = [unique('share'), unique('share-group')];
  await admin.topics.ensure(topic(name, { partitions }));
  await admin.configs.alter({ type: 'group', name: group }, { 'share.auto.offset.reset': 'earliest' });
  if (values.length > 0) await write(name, values);
  return { name, group };
}

describe.skipIf(absent(interop.java) || !hasShareGroups)(title('share groups', interop.java), () => {
  test('two members share the records of a topic, each record once, and accept them', async () => {
    const values = numbered('v', 200);
    const { name, group } = await filled([]);
    const read: string[] = [];
    const members = [0, 1].map(() => ottla.shareConsumer(name, { group, maxRecords: 10 }));
    const loops = members.map(async (member) => {
      for await (const { value } of member) read.push(value);
    });
    await eventually(
      'Both have partitions',
      () => (members.every((member) => member.assignment.length > 0) ? true : undefined),
      20_000,
    );
    await write(name, values);
    await eventually('All read', () => (read.length >= values.length ? true : undefined), 20_000);
    const results = (await Promise.all(members.map((member) => member.close()))).flat();
    await Promise.all(loops);
    expect(read.toSorted()).toEqual(values.toSorted());
    expect(results.filter(({ error }) => error !== null)).toEqual([]);
    const again = ottla.shareConsumer(name, { group });
    const late = again[Symbol.asyncIterator]().next();
    await write(name, ['last']);
    expect((await late).value?.value).toBe('last');
    await again.close();
  });

  test('release delivers again, reject does not, renew keeps; break releases; results tell', async () => {
    const { name, group } = await filled(numbered('r', 6), 1);
    const seen: [string, number][] = [];
    const results: AcknowledgementResult[] = [];
    {
      await using consumer = ottla.shareConsumer(name, {
        group,
        acknowledgement: 'explicit',
        onAcknowledged: (some) => void results.push(...some),
      });
      const held: ShareMessage[] = [];
      for await (const message of consumer) {
        seen.push([message.value, message.deliveryCount]);
        if (message.value === 'r-0') message.accept();
        else if (message.value === 'r-1' && message.deliveryCount === 1) message.release();
        else if (message.value === 'r-2') message.reject();
        else if (message.value === 'r-3') {
          message.renew();
          held.push(message);
        } else message.accept();
        if (seen.length === 6) {
          const sent = await consumer.commit();
          expect(sent.length).toBeGreaterThan(0);
          expect(sent.filter(({ error }) => error !== null)).toEqual([]);
          for (const each of held) each.accept();
          expect(() => held[0]!.accept()).toThrow('cannot be acknowledged');
        }
        if (seen.length === 7) break;
      }
      expect((await consumer.commit()).filter(({ error }) => error !== null)).toEqual([]);
    }
    expect(seen.slice(0, 6).map(([value]) => value)).toEqual(numbered('r', 6));
    expect(seen[6]).toEqual(['r-1', 2]);
    expect(results.flatMap(({ offsets }) => offsets).toSorted()).toEqual([0, 1, 1, 2, 3, 3, 4, 5]);
    expect(results.every(({ error }) => error === null)).toBe(true);
  });

  test('leaving the loop releases the record it was in, and what was not handed out', async () => {
    const { name, group } = await filled(numbered('b', 4), 1);
    {
      await using consumer = ottla.shareConsumer(name, { group });
      for await (const { value } of consumer) if (value === 'b-1') break;
    }
    await using consumer = ottla.shareConsumer(name, { group });
    const seen: [string, number][] = [];
    for await (const { value, deliveryCount } of consumer) {
      seen.push([value, deliveryCount]);
      if (seen.length === 3) break;
    }
    expect(seen.toSorted()).toEqual([
      ['b-1', 2],
      ['b-2', 2],
      ['b-3', 2],
    ]);
  });

  test("a group with Kafka's own share consumer shares the records", async () => {
    const { name, group } = await filled([], 2);
    const java = javaTools().start('org.apache.kafka.tools.consumer.ConsoleShareConsumer', [
      '--bootstrap-server',
      bootstrap,
      '--topic',
      name,
      '--group',
      group,
    ]);
    const read: string[] = [];
    const consumer = ottla.shareConsumer(name, { group, maxRecords: 5 });
    const loop = (async () => {
      for await (const { value } of consumer) read.push(value);
    })();
    await eventually('We have partitions', () => (consumer.assignment.length > 0 ? true : undefined), 20_000);
    const values = numbered('j', 300);
    const fromJava = () => java.out.filter((line) => line.startsWith('j-'));
    await write(name, values);
    await eventually('All read', () => (read.length + fromJava().length >= 300 ? true : undefined), 20_000);
    await consumer.close();
    await loop;
    await java.stop();
    expect([...read, ...fromJava()].toSorted()).toEqual(values.toSorted());
  });
});
