import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import {
  assignSticky,
  type StickyGroup,
} from '../../../../src/coordinator/group/streams/assignor/sticky-assignor.ts';
import {
  NO_TASKS,
  toTaskIds,
  type Tasks,
  type TaskSet,
} from '../../../../src/coordinator/group/streams/tasks.ts';

type TaskNumbers = Readonly<Record<string, readonly number[]>>;
type ActiveAndStandby = readonly [active: TaskNumbers, standby: TaskNumbers];

/** One assignment that Kafka 4.3.1's StickyTaskAssignor made: of the members' processes and tasks before, to those after. */
interface Vector {
  readonly standbys: number;
  readonly subtopologies: Readonly<Record<string, readonly [taskCount: number, isStateful: boolean]>>;
  readonly members: Readonly<
    Record<string, readonly [processId: string, before: ActiveAndStandby, after: ActiveAndStandby]>
  >;
}

const vectors = JSON.parse(
  readFileSync(new URL('./sticky-vectors.json', import.meta.url), 'utf8'),
) as readonly Vector[];

describe('the sticky assignor', () => {
  it.each(vectors.map((vector, index) => ({ index, vector })))(
    'assigns group $index as Kafka does',
    ({ vector: { members, subtopologies, standbys } }) => {
      const assigned = assignSticky({
        members: new Map(
          Object.entries(members).map(([id, [processId, [active, standby]]]) => [
            id,
            { processId, tasks: { active: taskSet(active), standby: taskSet(standby), warmup: new Map() } },
          ]),
        ),
        subtopologies: new Map(
          Object.entries(subtopologies).map(([id, [taskCount, isStateful]]) => [
            id,
            { taskCount, isStateful },
          ]),
        ),
        numStandbyReplicas: standbys,
      });
      for (const [id, [, , [active, standby]]] of Object.entries(members)) {
        expect(toTaskIds(assigned.get(id)!.active)).toEqual(toTaskIds(taskSet(active)));
        expect(toTaskIds(assigned.get(id)!.standby)).toEqual(toTaskIds(taskSet(standby)));
        expect(assigned.get(id)!.warmup.size).toBe(0);
      }
    },
  );

  test('gives every task to one member, standbys to other processes, and moves nothing while nothing changes', () => {
    fc.assert(
      fc.property(groups, ({ processIds, taskCounts, numStandbyReplicas }) => {
        const group = groupOf(processIds, taskCounts, numStandbyReplicas);
        const first = assignSticky(group);
        requireSound(group, first);
        const again = assignSticky(withTasks(group, first));
        requireSound(group, again);
        // Standbys may still settle; whoever works goes on working.
        expect(activeTasks(again)).toEqual(activeTasks(first));
      }),
    );
  });

  test('members differ by one active task at most when each is a process of its own', () => {
    fc.assert(
      fc.property(groups, ({ processIds, taskCounts }) => {
        const own = processIds.map((_, index) => `p${index}`);
        const counts = [...assignSticky(groupOf(own, taskCounts, 0)).values()].map(({ active }) =>
          size(active),
        );
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
      }),
    );
  });

  test('a member that leaves costs nobody a task', () => {
    fc.assert(
      fc.property(groups, ({ processIds, taskCounts, numStandbyReplicas }) => {
        fc.pre(processIds.length > 1);
        const group = groupOf(processIds, taskCounts, numStandbyReplicas);
        const first = assignSticky(group);
        const left = withTasks(group, first);
        const members = new Map(left.members);
        members.delete('m0');
        const after = assignSticky({ ...left, members });
        for (const memberId of members.keys()) {
          const before = keys(first.get(memberId)!.active);
          expect(keys(after.get(memberId)!.active)).toEqual(expect.arrayContaining(before));
        }
      }),
    );
  });

  test('a group without members has no assignment', () => {
    expect(assignSticky(groupOf([], [3], 1)).size).toBe(0);
  });
});

const groups = fc.record({
  processIds: fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 8 }),
  taskCounts: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 }),
  numStandbyReplicas: fc.integer({ min: 0, max: 2 }),
});

/** Members `m0`, `m1`, ... of these processes; every other subtopology has state. */
function groupOf(
  processIds: readonly string[],
  taskCounts: readonly number[],
  numStandbyReplicas: number,
): StickyGroup {
  return {
    members: new Map(processIds.map((processId, index) => [`m${index}`, { processId, tasks: NO_TASKS }])),
    subtopologies: new Map(
      taskCounts.map((taskCount, index) => [`${index}`, { taskCount, isStateful: index % 2 === 0 }]),
    ),
    numStandbyReplicas,
  };
}

function withTasks(group: StickyGroup, assigned: ReadonlyMap<string, Tasks>): StickyGroup {
  return {
    ...group,
    members: new Map(
      Array.from(group.members, ([id, member]) => [id, { ...member, tasks: assigned.get(id) ?? NO_TASKS }]),
    ),
  };
}

/** Each active task once; of a standby as many as there are other processes for it, each in a process without the task. */
function requireSound(group: StickyGroup, assigned: ReadonlyMap<string, Tasks>): void {
  const active = [...assigned.values()].flatMap((tasks) => keys(tasks.active));
  const all = Array.from(group.subtopologies, ([id, { taskCount }]) =>
    Array.from({ length: taskCount }, (_, partition) => `${id}_${partition}`),
  ).flat();
  expect(active.toSorted()).toEqual(all.toSorted());
  const processes = new Map<string, string[]>();
  for (const [id, tasks] of assigned) {
    const { processId } = group.members.get(id)!;
    processes.set(processId, [
      ...(processes.get(processId) ?? []),
      ...keys(tasks.active),
      ...keys(tasks.standby),
    ]);
  }
  for (const tasks of processes.values()) expect(new Set(tasks).size).toBe(tasks.length);
  const standbys = [...assigned.values()].flatMap((tasks) => keys(tasks.standby));
  const wanted = Math.min(group.numStandbyReplicas, processes.size - 1);
  for (const task of all) {
    const isStateful = group.subtopologies.get(task.split('_')[0]!)!.isStateful;
    expect(standbys.filter((each) => each === task).length).toBe(isStateful ? wanted : 0);
  }
}

function activeTasks(assigned: ReadonlyMap<string, Tasks>): unknown {
  return Array.from(assigned, ([id, { active }]) => [id, toTaskIds(active)]);
}

function taskSet(tasks: TaskNumbers): TaskSet {
  return new Map(Object.entries(tasks).map(([id, partitions]) => [id, new Set(partitions)]));
}

function keys(tasks: TaskSet): string[] {
  return toTaskIds(tasks).flatMap(({ subtopologyId, partitions }) =>
    partitions.map((partition) => `${subtopologyId}_${partition}`),
  );
}

function size(tasks: TaskSet): number {
  return keys(tasks).length;
}
