import { ApiKeys } from '@ottla/protocol';
import { afterEach, describe, expect, test } from 'vitest';
import { eventually, type Peer, type RunningTool } from '../src/index.ts';
import { announces } from './requests.ts';
import { StreamsApplication, streamsBrokerProperties } from './streams.ts';
import { absent, interop, javaTools, startPeer, title } from './support.ts';

/** Tasks by subtopology: `{ '0': [0, 1], '1': [2] }`. */
type Tasks = Readonly<Record<string, readonly number[]>>;

let peer: Peer | undefined;
let application: StreamsApplication | undefined;
const running: RunningTool[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((each) => each.stop()));
  await application?.dispose();
  await peer?.dispose();
  application = peer = undefined;
});

/** `kafka-streams-groups.sh`: what it printed, empty lines left out. */
async function groupTool(...args: string[]): Promise<string[]> {
  const server = ['--bootstrap-server', peer!.bootstrap];
  const { out, err } = await javaTools().run('streams.StreamsGroupCommand', [...server, ...args]);
  return [...out, ...err].filter((line) => line.trim() !== '');
}

const topicNames = async (): Promise<readonly string[]> =>
  (await javaTools().run('TopicCommand', ['--bootstrap-server', peer!.bootstrap, '--list'])).out;

/** The tasks of a kind in a member's line of `--describe --members --verbose`. */
function tasksOf(line: string, kind: string): Tasks {
  // ACTIVE: 0:[0,1]; 1:[0]; STANDBY: 0:[2]; TARGET-ACTIVE: ...
  const text = new RegExp(`[^-]${kind}: ((?:\\d+:\\[[\\d,]*\\]; )*)`).exec(`${line} `)?.[1] ?? '';
  const found = [...text.matchAll(/(\d+):\[([\d,]*)\]/g)];
  return Object.fromEntries(
    found.map(([, subtopology, list]) => [subtopology!, list!.split(',').map(Number)]),
  );
}

/** Partitions of a subtopology that are tasks of any of the members, in order. */
const partitions = (members: readonly Tasks[], subtopology: string): number[] =>
  members.flatMap((tasks) => [...(tasks[subtopology] ?? [])]).toSorted((a, b) => a - b);

/** Waits until both members have the tasks they are to have, and returns their lines. */
function settledMembers(group: string): Promise<readonly string[]> {
  return eventually(
    'Two members with all tasks',
    async () => {
      const lines = (await groupTool('--describe', '--group', group, '--members', '--verbose')).slice(1);
      const isSettled = (line: string): boolean =>
        ['ACTIVE', 'STANDBY'].every(
          (kind) => JSON.stringify(tasksOf(line, kind)) === JSON.stringify(tasksOf(line, `TARGET-${kind}`)),
        );
      const active = lines.map((line) => tasksOf(line, 'ACTIVE'));
      const standby = lines.map((line) => tasksOf(line, 'STANDBY'));
      const isAll = partitions(active, '0').length + partitions(active, '1').length === 6;
      return lines.length === 2 && lines.every(isSettled) && isAll && partitions(standby, '0').length === 4
        ? lines
        : undefined;
    },
    60_000,
  );
}

const isServed = await announces(ApiKeys.StreamsGroupHeartbeat);
const name = isServed
  ? title('kafka-streams-groups.sh', interop.java)
  : 'kafka-streams-groups.sh (skipped: the broker does not announce StreamsGroupHeartbeat)';

describe.skipIf(absent(interop.java) || !isServed)(name, () => {
  test(
    'lists and describes a group with standby tasks, resets its offsets, and deletes it with its internal topics',
    { timeout: 180_000 },
    async () => {
      peer = await startPeer({ properties: streamsBrokerProperties });
      application = new StreamsApplication(peer, 'streams');
      const { id, input, table } = application;
      await application.prepare();
      const entity = ['--entity-type', 'groups', '--entity-name', id];
      const server = ['--bootstrap-server', peer.bootstrap];
      const configs = ['--add-config', 'streams.num.standby.replicas=1'];
      await javaTools().run('kafka.admin.ConfigCommand', [...server, '--alter', ...entity, ...configs]);
      running.push(application.startInTools('one'), application.startInTools('two'));
      await Promise.all(running.map((each) => each.line(/^state RUNNING/, 60_000)));
      const lines = await settledMembers(id);
      const [active, standby] = ['ACTIVE', 'STANDBY'].map((kind) => lines.map((line) => tasksOf(line, kind)));
      expect(partitions(active!, '0')).toEqual([0, 1, 2, 3]);
      expect(partitions(active!, '1')).toEqual([0, 1]);
      // A standby is of another member than its task; subtopology 1 has no state to keep.
      expect(partitions(standby!, '1')).toEqual([]);
      for (const [at, tasks] of active!.entries())
        expect(partitions([tasks, standby![at]!], '0')).toEqual([0, 1, 2, 3]);
      expect(lines[0]).toMatch(new RegExp(`^${id}\\s+\\d+\\s+0\\s+\\S{22}\\s+streams\\s+\\d+\\s+\\S{36}`));

      expect(await groupTool('--list')).toEqual([id]);
      expect((await groupTool('--list', '--state', 'Stable'))[1]).toMatch(new RegExp(`^${id}\\s+Stable$`));
      expect((await groupTool('--describe', '--group', id, '--state'))[1]).toMatch(
        new RegExp(`^${id}\\s+127\\.0\\.0\\.1:${peer.port} \\(1\\)\\s+Stable\\s+2$`),
      );
      await application.write(100, 1000).done;
      await eventually('All input committed', async () => {
        const offsets = await groupTool('--describe', '--group', id, '--offsets');
        const read = offsets.filter((line) => line.includes(` ${input} `)).map((line) => line.split(/\s+/));
        // GROUP, TOPIC, PARTITION, OFFSET-LAG
        return read.length === 2 && read.every((columns) => columns[3] === '0') ? true : undefined;
      });

      await Promise.all(running.splice(0).map((each) => each.stop()));
      expect((await groupTool('--list', '--state', 'Empty'))[1]).toMatch(new RegExp(`^${id}\\s+Empty$`));
      const reset = ['--reset-offsets', '--group', id, '--all-input-topics', '--to-earliest', '--execute'];
      expect((await groupTool(...reset)).filter((line) => line.includes(` ${input} `)).toSorted()).toEqual([
        expect.stringMatching(/ 0 +0 *$/),
        expect.stringMatching(/ 1 +0 *$/),
      ]);
      const internal = ['by-key-repartition', 'counts-changelog', 'names-changelog', 'windows-changelog'];
      const topics = await topicNames();
      expect(topics.filter((topic) => topic.startsWith(`${id}-`)).toSorted()).toEqual(
        [...internal.map((suffix) => `${id}-${suffix}`), input, table, application.output].toSorted(),
      );
      expect(
        (await groupTool('--delete', '--group', id, '--delete-all-internal-topics')).join('\n'),
      ).toContain('successful');
      expect(await groupTool('--list')).not.toContain(id);
      await eventually('Internal topics gone', async () => {
        const left = await topicNames();
        return internal.some((suffix) => left.includes(`${id}-${suffix}`)) ? undefined : true;
      });
    },
  );
});
