import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { eventually, type JavaProgram, type Peer } from '../src/index.ts';
import { commitsOf, coordinatorRecords, ownedTwice } from './coordinator-log.ts';
import { absent, interop, javaTools, startPeer, title } from './support.ts';
import { acknowledged, createTopicOf, eventsOf, startTool, type ToolOptions } from './verifiable.ts';

const TOPIC = 'verified';
const PARTITIONS = 4;
const RATE = 1_000;

/** A killed member is missed after six seconds, by either protocol. */
const SESSION_TIMEOUT_MS = '6000';
const brokerProperties = {
  // One log in which all that the coordinator has decided stands in order.
  'offsets.topic.num.partitions': '1',
  'group.consumer.min.session.timeout.ms': SESSION_TIMEOUT_MS,
  'group.consumer.session.timeout.ms': SESSION_TIMEOUT_MS,
  'group.consumer.min.heartbeat.interval.ms': '500',
  'group.consumer.heartbeat.interval.ms': '500',
};

const classic = (assignor: string): ToolOptions => ({
  'group-protocol': 'classic',
  'session-timeout': SESSION_TIMEOUT_MS,
  'assignment-strategy': `org.apache.kafka.clients.consumer.${assignor}`,
});
const consumer = (assignor: string): ToolOptions => ({
  'group-protocol': 'consumer',
  'group-remote-assignor': assignor,
});

let peer: Peer | undefined;
let members: JavaProgram[] = [];

afterEach(async ({ task }) => {
  if (task.result?.state === 'fail')
    console.error(members.map(({ out, err }) => [...out.slice(-3), ...err.slice(-5)]));
  await Promise.all(members.map((member) => member.end('SIGKILL')));
  await peer?.dispose();
  members = [];
  peer = undefined;
});

function startMember(group: string, options: ToolOptions): JavaProgram {
  const file = join(peer!.folder, 'member.properties');
  writeFileSync(file, 'reconnect.backoff.max.ms=200\n');
  const member = startTool('VerifiableConsumer', {
    'bootstrap-server': peer!.bootstrap,
    topic: TOPIC,
    'group-id': group,
    'command-config': file,
    ...options,
  });
  members.push(member);
  return member;
}

interface ConsumedRange {
  readonly partition: number;
  readonly minOffset: number;
  readonly maxOffset: number;
}

/** All that the members of a group have read, as `partition:offset`. */
function consumedBy(group: readonly JavaProgram[]): Set<string> {
  const consumed = new Set<string>();
  for (const { name, partitions } of group.flatMap(({ out }) => eventsOf(out))) {
    if (name !== 'records_consumed') continue;
    for (const { partition, minOffset, maxOffset } of partitions as readonly ConsumedRange[])
      for (let offset = minOffset; offset <= maxOffset; offset += 1) consumed.add(`${partition}:${offset}`);
  }
  return consumed;
}

/** Waits until each of the members has read something from now on. */
async function allRead(group: readonly JavaProgram[]): Promise<void> {
  const counts = (): number[] => group.map((member) => consumedBy([member]).size);
  const before = counts();
  const haveRead = (): boolean => counts().every((count, i) => count > before[i]!);
  await eventually('Reading by all members', () => (haveRead() ? true : undefined), 120_000);
}

describe.skipIf(absent(interop.java))(title('VerifiableConsumer', interop.java), () => {
  test.each([
    ['classic', { range: classic('RangeAssignor'), cooperative: classic('CooperativeStickyAssignor') }],
    ['consumer', { range: consumer('range'), uniform: consumer('uniform') }],
  ])(
    '%s groups: no partition has two members, no offset goes back and nothing is missed, while members come and are killed and the broker is',
    { timeout: 400_000 },
    async (_protocol, groups) => {
      peer = await startPeer({ properties: brokerProperties });
      await createTopicOf(peer.bootstrap, TOPIC, PARTITIONS);
      const settings = [
        `bootstrap.servers=${peer.bootstrap}`,
        `rate=${RATE}`,
        'reconnect.backoff.max.ms=200',
      ];
      const writer = javaTools().start('AckedWriter', [TOPIC, String(PARTITIONS), ...settings]);
      const all = Object.entries(groups).map(([group, options]) => {
        const join = (): JavaProgram => startMember(group, options);
        return { group, join, members: [join(), join()] };
      });
      await Promise.all(all.map((each) => allRead(each.members)));
      await Promise.all(all.map(({ members: [one] }) => one!.end('SIGKILL')));
      for (const each of all) each.members.push(each.join());
      await peer.stop('SIGKILL');
      await peer.restart();
      await Promise.all(all.map((each) => allRead(each.members.slice(1))));
      await peer.stop('SIGKILL');
      await peer.restart();
      await Promise.all(all.map((each) => allRead(each.members.slice(1))));
      const written = acknowledged((await writer.stop()).out);

      const missing = (): string[] =>
        all.flatMap(({ group, members: own }) => {
          const consumed = consumedBy(own);
          return written.filter((each) => !consumed.has(each)).map((each) => `${group} ${each}`);
        });
      await eventually('The rest', () => (missing().length === 0 ? true : undefined), 120_000).catch(
        () => {},
      );
      expect(missing().slice(0, 20)).toEqual([]);
      await Promise.all(members.map((member) => member.end('SIGTERM')));
      await peer.stop();

      const records = await coordinatorRecords(peer.logDir);
      expect(ownedTwice(records)).toEqual([]);
      const ends: Record<string, number> = {};
      for (const [partition, offset] of written.map((each) => each.split(':')))
        ends[partition!] = Math.max(ends[partition!] ?? 0, Number(offset) + 1);
      for (const { group } of all)
        expect({ group, ...commitsOf(records, group) }).toEqual({ group, last: ends, wentBack: [] });
    },
  );
});
