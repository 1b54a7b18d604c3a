import {
  NO_ASSIGNED_PARTITIONS,
  NO_PARTITIONS,
  sameAssigned,
  samePartitions,
  type AssignedPartitions,
  type TopicPartitions,
} from '../modern/topic-partitions.ts';

/** Task numbers by subtopology id. A task reads one partition of each source topic of its subtopology. */
export type TaskSet = TopicPartitions;

/** Tasks by subtopology id, each with the epoch at which its member got it. */
export type TaskEpochs = AssignedPartitions;

/** What a member should have: tasks that work, that follow along as a reserve, and that catch up before they work. */
export interface Tasks {
  readonly active: TaskSet;
  readonly standby: TaskSet;
  readonly warmup: TaskSet;
}

/** What a member has. */
export interface AssignedTasks {
  readonly active: TaskEpochs;
  readonly standby: TaskSet;
  readonly warmup: TaskSet;
}

/** As messages and records have it. */
export interface TaskIds {
  readonly subtopologyId: string;
  readonly partitions: readonly number[];
}

export const NO_TASKS: Tasks = { active: NO_PARTITIONS, standby: NO_PARTITIONS, warmup: NO_PARTITIONS };
export const NO_ASSIGNED_TASKS: AssignedTasks = { ...NO_TASKS, active: NO_ASSIGNED_PARTITIONS };

/** The tasks of a message's entries. */
export function fromTaskIds(entries: readonly TaskIds[]): TaskSet {
  return new Map(entries.map(({ subtopologyId, partitions }) => [subtopologyId, new Set(partitions)]));
}

/** The entries of a message for these tasks, all in order. */
export function toTaskIds(tasks: TaskSet | TaskEpochs): { subtopologyId: string; partitions: number[] }[] {
  const entries: { subtopologyId: string; partitions: number[] }[] = [];
  for (const [subtopologyId, partitions] of tasks) {
    entries.push({ subtopologyId, partitions: [...partitions.keys()].sort((left, right) => left - right) });
  }
  return entries.sort(bySubtopology);
}

/** The entries of a record for these tasks, with their epochs. */
export function toTaskIdsWithEpochs(
  tasks: TaskEpochs,
): { subtopologyId: string; partitions: number[]; assignmentEpochs: number[] }[] {
  return toTaskIds(tasks).map(({ subtopologyId, partitions }) => ({
    subtopologyId,
    partitions,
    assignmentEpochs: partitions.map((partition) => tasks.get(subtopologyId)?.get(partition) ?? 0),
  }));
}

function bySubtopology(left: TaskIds, right: TaskIds): number {
  return left.subtopologyId < right.subtopologyId ? -1 : 1;
}

/** Whether nothing is in there. */
export function hasNoTasks({ active, standby, warmup }: Tasks | AssignedTasks): boolean {
  return active.size === 0 && standby.size === 0 && warmup.size === 0;
}

/** Whether both name the same tasks. */
export function sameTasks(left: Tasks, right: Tasks): boolean {
  return samePartitions(left.active, right.active) && sameReserves(left, right);
}

/** Whether both name the same tasks at the same epochs. */
export function sameAssignedTasks(left: AssignedTasks, right: AssignedTasks): boolean {
  return left === right || (sameAssigned(left.active, right.active) && sameReserves(left, right));
}

function sameReserves(left: Pick<Tasks, 'standby' | 'warmup'>, right: Pick<Tasks, 'standby' | 'warmup'>) {
  return samePartitions(left.standby, right.standby) && samePartitions(left.warmup, right.warmup);
}

/** Whether any of the tasks owned is among the others, in the same role. */
export function overlaps(owned: Tasks, others: AssignedTasks): boolean {
  return (
    setsOverlap(owned.active, others.active) ||
    setsOverlap(owned.standby, others.standby) ||
    setsOverlap(owned.warmup, others.warmup)
  );
}

function setsOverlap(left: TaskSet, right: TaskSet | TaskEpochs): boolean {
  for (const [subtopologyId, partitions] of left) {
    const others = right.get(subtopologyId);
    if (others === undefined) continue;
    for (const partition of partitions) if (others.has(partition)) return true;
  }
  return false;
}

/** Whether every task of the entries is in the set. */
export function containsTasks(tasks: TaskSet | TaskEpochs, entries: readonly TaskIds[]): boolean {
  return entries.every(({ subtopologyId, partitions }) => {
    const owned = tasks.get(subtopologyId);
    return owned !== undefined && partitions.every((partition) => owned.has(partition));
  });
}
