import { connect, serde, topic } from '@ottla/client';
import { afterEach, describe, expect, test } from 'vitest';
import { eventually, type JavaProgram, type Peer } from '../src/index.ts';
import { absent, interop, javaTools, startPeer, title, unique } from './support.ts';
import { acknowledged, argumentsOf, createTopicOf, eventsOf, startTool } from './verifiable.ts';

const PARTITIONS = 3;
const MODES = ['auto', 'sync', 'async'] as const;
const RATE = 1_000;

let peer: Peer | undefined;
let programs: JavaProgram[] = [];

afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') console.error(programs.map(({ err }) => err.slice(-8)));
  await Promise.all(programs.map((program) => program.end('SIGKILL')));
  await peer?.dispose();
  programs = [];
  peer = undefined;
});

/** What the members of a group said, one after the other: offsets as `partition:offset`. */
interface Step {
  readonly kind: 'consumed' | 'accepted' | 'refused';
  readonly offsets: readonly string[];
}

function stepsOf({ out }: JavaProgram): Step[] {
  return eventsOf(out).flatMap((event): Step[] => {
    if (event.name !== 'records_consumed' && event.name !== 'offsets_acknowledged') return [];
    const partitions = event['partitions'] as { partition: number; offsets: number[] }[];
    const offsets = partitions.flatMap((each) => each.offsets.map((offset) => `${each.partition}:${offset}`));
    const answered = event['success'] === true ? 'accepted' : 'refused';
    return [{ kind: event.name === 'records_consumed' ? 'consumed' : answered, offsets }];
  });
}

const offsetsOf = (program: JavaProgram, kind: Step['kind']): string[] =>
  stepsOf(program)
    .filter((step) => step.kind === kind)
    .flatMap(({ offsets }) => offsets);

/** Records that came again after the broker had confirmed to the same member that they were accepted. */
function comeAgain(program: JavaProgram): string[] {
  const accepted = new Set<string>();
  const again: string[] = [];
  for (const { kind, offsets } of stepsOf(program)) {
    if (kind === 'accepted') for (const offset of offsets) accepted.add(offset);
    if (kind === 'consumed') again.push(...offsets.filter((offset) => accepted.has(offset)));
  }
  return again;
}

function startMember(name: string, mode: string): JavaProgram {
  const program = startTool('VerifiableShareConsumer', {
    'bootstrap-server': peer!.bootstrap,
    topic: name,
    'group-id': `workers-${mode}`,
    'acknowledgement-mode': mode,
    'offset-reset-strategy': 'earliest',
  });
  programs.push(program);
  return program;
}

/** Whether the broker counts every record of every partition as done with; undefined when not, for `eventually`. */
async function hasNoLag(group: string): Promise<true | undefined> {
  const asked = argumentsOf({ 'bootstrap-server': peer!.bootstrap, describe: true, group });
  const { out } = await javaTools().run('consumer.group.ShareGroupCommand', asked);
  const rows = out.filter((line) => line.startsWith(group)).map((line) => line.split(/\s+/));
  return rows.length === PARTITIONS && rows.every((row) => row[4] === '0') ? true : undefined;
}

describe.skipIf(absent(interop.java))(title('VerifiableShareConsumer', interop.java), () => {
  test(
    'auto, sync and async: what the broker has confirmed does not come again after kill -9, everything else comes',
    { timeout: 400_000 },
    async () => {
      peer = await startPeer({ properties: { 'group.share.delivery.count.limit': '10' } });
      const name = unique('shared');
      await createTopicOf(peer.bootstrap, name, PARTITIONS);
      const members = MODES.map((mode) => startMember(name, mode));
      const settings = [
        `bootstrap.servers=${peer.bootstrap}`,
        `rate=${RATE}`,
        'reconnect.backoff.max.ms=200',
      ];
      const writer = javaTools().start('AckedWriter', [name, String(PARTITIONS), ...settings]);
      for (let kills = 0; kills < 3; kills += 1) {
        const before = members.map((member) => offsetsOf(member, 'accepted').length);
        const haveMore = (): boolean =>
          members.every((member, i) => offsetsOf(member, 'accepted').length > before[i]! + 200);
        await eventually('Acknowledgements', () => (haveMore() ? true : undefined), 120_000);
        await peer.stop('SIGKILL');
        await peer.restart();
      }
      const written = acknowledged((await writer.stop()).out);
      // Whether the broker took acknowledgements that it could not answer any more, the lag tells.
      const isAnswered = (member: JavaProgram): ((offset: string) => boolean) => {
        const answered = new Set([...offsetsOf(member, 'accepted'), ...offsetsOf(member, 'refused')]);
        return (offset) => answered.has(offset);
      };
      const missing = (): string[] =>
        members.flatMap((member, i) => {
          const isKnown = isAnswered(member);
          return written.filter((offset) => !isKnown(offset)).map((offset) => `${MODES[i]} ${offset}`);
        });
      await eventually('The rest', () => (missing().length === 0 ? true : undefined), 120_000).catch(
        () => {},
      );
      expect(missing().slice(0, 20)).toEqual([]);
      for (const mode of MODES) await eventually(`No lag of ${mode}`, () => hasNoLag(`workers-${mode}`));
      expect(members.map(comeAgain)).toEqual([[], [], []]);
      expect(await Promise.all(members.map((member) => member.end('SIGTERM')))).toEqual([143, 143, 143]);
    },
  );

  test(
    'what a killed member had in hand comes to the others, and nothing it was confirmed does',
    { timeout: 400_000 },
    async () => {
      peer = await startPeer({
        properties: {
          'group.share.min.record.lock.duration.ms': '1000',
          'group.share.record.lock.duration.ms': '3000',
          'group.share.min.session.timeout.ms': '3000',
          'group.share.session.timeout.ms': '6000',
          'group.share.min.heartbeat.interval.ms': '500',
          'group.share.heartbeat.interval.ms': '1000',
        },
      });
      const name = unique('shared');
      await createTopicOf(peer.bootstrap, name, PARTITIONS);
      const [one, two] = [startMember(name, 'sync'), startMember(name, 'sync')];
      const settings = [`bootstrap.servers=${peer.bootstrap}`, `rate=${RATE}`];
      const writer = javaTools().start('AckedWriter', [name, String(PARTITIONS), ...settings]);
      const hasWork = (member: JavaProgram) => () =>
        offsetsOf(member, 'accepted').length > 300 ? true : undefined;
      for (const member of [one, two]) await eventually('Work', hasWork(member), 120_000);
      await one.end('SIGKILL');
      const written = acknowledged((await writer.stop()).out);
      // Its last acknowledgements may have been confirmed when it could no longer tell.
      const last = stepsOf(one).at(-1);
      const unknown = last?.kind === 'consumed' ? last.offsets : [];
      const missing = (): string[] => {
        const done = new Set([...unknown, ...[one, two].flatMap((member) => offsetsOf(member, 'accepted'))]);
        return written.filter((offset) => !done.has(offset));
      };
      await eventually('The rest', () => (missing().length === 0 ? true : undefined), 120_000).catch(
        () => {},
      );
      expect(missing().slice(0, 20)).toEqual([]);
      const confirmed = new Set(offsetsOf(one, 'accepted'));
      expect(offsetsOf(two, 'accepted').filter((offset) => confirmed.has(offset))).toEqual([]);
    },
  );
});

const numbers = topic('numbers', { key: serde.nullable(serde.string), value: serde.string });

describe.skipIf(absent(interop.java))(title('isolation of share groups', interop.java), () => {
  test(
    'read_committed members get no aborted records and nothing behind an open transaction; read_uncommitted ones get all',
    { timeout: 120_000 },
    async () => {
      peer = await startPeer();
      await createTopicOf(peer.bootstrap, 'numbers', 1);
      const server = ['--bootstrap-server', peer.bootstrap];
      const member = async (level: string) => {
        const config = `share.isolation.level=${level},share.auto.offset.reset=earliest`;
        const entity = ['--alter', '--entity-type', 'groups', '--entity-name', level];
        await javaTools().run('kafka.admin.ConfigCommand', [...server, ...entity, '--add-config', config]);
        const settings = [`bootstrap.servers=${peer!.bootstrap}`, `group.id=${level}`];
        return javaTools().start('ShareMember', [
          'numbers',
          ...settings,
          'share.acknowledgement.mode=implicit',
        ]);
      };
      const [committed, uncommitted] = [await member('read_committed'), await member('read_uncommitted')];
      const values = ({ out }: { out: readonly string[] }): string[] =>
        out.filter((line) => line.startsWith('record ')).map((line) => line.split(' ')[3]!);

      await using client = connect(peer.bootstrap);
      await using producer = client.producer({ transactionalId: 'numbers' });
      await using plain = client.producer();
      const send = async (end: 'commit' | 'abort', ...all: string[]): Promise<void> => {
        const transaction = await producer.begin();
        await Promise.all(all.map((value) => transaction.send(numbers, { key: null, value })));
        await transaction[end]();
      };
      await send('commit', 'c1', 'c2');
      await send('abort', 'a1', 'a2');
      await plain.send(numbers, { key: null, value: 'p1' });
      await send('abort', 'a3');
      await send('commit', 'c3');
      const open = await producer.begin();
      await open.send(numbers, { key: null, value: 'open' });
      await plain.send(numbers, { key: null, value: 'behind' });

      await uncommitted.line(/^record \d+ 1 behind$/);
      await committed.line(/^record \d+ 1 c3$/);
      expect(values(committed)).toEqual(['c1', 'c2', 'p1', 'c3']);
      await open.commit();
      await committed.line(/^record \d+ 1 behind$/);
      await send('abort', 'a4');
      await plain.send(numbers, { key: null, value: 'end' });
      for (const each of [committed, uncommitted]) await each.line(/^record \d+ 1 end$/);
      for (const each of [committed, uncommitted]) await each.stop();
      expect(values(committed)).toEqual(['c1', 'c2', 'p1', 'c3', 'open', 'behind', 'end']);
      const all = ['c1', 'c2', 'a1', 'a2', 'p1', 'a3', 'c3', 'open', 'behind', 'a4', 'end'];
      expect(values(uncommitted)).toEqual(all);
    },
  );
});
