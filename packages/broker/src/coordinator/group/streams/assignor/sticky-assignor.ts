import { javaHashOrderOfStrings } from '../../modern/java-hash-order.ts';
import type { Tasks, TaskSet } from '../tasks.ts';
import { JavaPriorityQueue } from './java-priority-queue.ts';
import { ProcessLoad, type MemberLoad, type Task } from './process-load.ts';

/** What the assignor knows of a member. */
export interface StickyMember {
  readonly processId: string;
  /** Its present target. */
  readonly tasks: Tasks;
}

/** What the assignor knows of a group. */
export interface StickyGroup {
  readonly members: ReadonlyMap<string, StickyMember>;
  /** By id, in order. */
  readonly subtopologies: ReadonlyMap<string, { readonly taskCount: number; readonly isStateful: boolean }>;
  readonly numStandbyReplicas: number;
}

/**
 * Kafka's assignor `sticky` for streams groups (KIP-1071). Active tasks first: each goes to the member that had it, or to
 * one that had it as a standby, as long as that has less than its share; the others to the process with the least load, and
 * in it to the member with the fewest. Then standby tasks of subtopologies with state, to processes that do not have the task
 * yet: to the member that was active for it, to one that had the standby, else to the least loaded process. Where there are
 * not enough processes some standbys are left out. Kafka 4.3 makes no warm-up tasks and looks at no racks or client tags.
 */
export function assignSticky(group: StickyGroup): Map<string, Tasks> {
  return new StickyRun(group).run();
}

/** How much a member is to have; what is left is shared anew when somebody has their share. */
class Quota {
  #tasks: number;
  #members: number;
  perMember: number;

  constructor(tasks: number, members: number) {
    this.#tasks = tasks;
    this.#members = members;
    this.perMember = share(tasks, members);
  }

  /** Takes note that a member has so many tasks now. */
  note(taskCount: number): void {
    if (taskCount !== this.perMember) return;
    this.#members--;
    this.#tasks -= taskCount;
    this.perMember = share(this.#tasks, this.#members);
  }
}

function share(tasks: number, members: number): number {
  return members === 0 ? 0 : Math.ceil(tasks / members);
}

/** A task with who had it. */
interface TaskHistory extends Task {
  readonly isStateful: boolean;
  active: MemberLoad | null;
  readonly standby: MemberLoad[];
}

class StickyRun {
  readonly #group: StickyGroup;
  readonly #members = new Map<string, MemberLoad>();
  readonly #processes: readonly ProcessLoad[];
  readonly #tasks: readonly TaskHistory[];
  readonly #activeQuota: Quota;
  readonly #totalQuota: Quota;

  constructor(group: StickyGroup) {
    const { members, numStandbyReplicas } = group;
    this.#group = group;
    this.#tasks = allTasks(group);
    const standbys = this.#tasks.filter(({ isStateful }) => isStateful).length * numStandbyReplicas;
    this.#activeQuota = new Quota(this.#tasks.length, members.size);
    this.#totalQuota = new Quota(this.#tasks.length + standbys, members.size);
    this.#processes = this.#openProcesses();
    this.#noteHistory();
  }

  run(): Map<string, Tasks> {
    if (this.#members.size > 0) {
      this.#assignActive();
      if (this.#group.numStandbyReplicas > 0) this.#assignStandby();
    }
    return new Map(
      Array.from(this.#members, ([memberId, { active, standby }]) => [
        memberId,
        { active: toTaskSet(active), standby: toTaskSet(standby), warmup: new Map() },
      ]),
    );
  }

  #openProcesses(): ProcessLoad[] {
    const { members } = this.#group;
    const processes = new Map<string, ProcessLoad>();
    for (const memberId of javaHashOrderOfStrings(members.keys())) {
      const processId = members.get(memberId)?.processId ?? '';
      let owner = processes.get(processId);
      if (owner === undefined) processes.set(processId, (owner = new ProcessLoad()));
      this.#members.set(memberId, owner.addMember(memberId));
    }
    return javaHashOrderOfStrings(processes.keys(), members.size).flatMap((processId) => {
      const owner = processes.get(processId);
      return owner === undefined ? [] : [owner];
    });
  }

  #noteHistory(): void {
    const tasks = new Map<string, TaskHistory[]>();
    for (const task of this.#tasks) {
      const all = tasks.get(task.subtopologyId);
      if (all === undefined) tasks.set(task.subtopologyId, [task]);
      else all.push(task);
    }
    for (const [memberId, member] of this.#members) {
      const had = this.#group.members.get(memberId)?.tasks;
      for (const task of tasksOf(had?.active, tasks)) task.active = member;
      for (const task of tasksOf(had?.standby, tasks)) task.standby.push(member);
    }
  }

  #assignActive(): void {
    const byPartition = this.#tasks.toSorted(
      (left, right) => left.partition - right.partition || bySubtopology(left, right),
    );
    const notKept = byPartition.filter((task) => !this.#giveActive(task.active, task));
    const left = notKept.filter((task) => !this.#giveActive(leastLoaded(task.standby, null), task));
    const byLoad = new JavaPriorityQueue(({ load }) => load, this.#processes);
    for (const task of left.toSorted((a, b) => bySubtopology(a, b) || a.partition - b.partition)) {
      const owner = byLoad.poll();
      if (owner === undefined) throw new Error('There is no process to give a task to');
      this.#noteActive(owner.giveToLeastLoaded(task, 'active'));
      byLoad.add(owner);
    }
  }

  /** Gives a task to a member that has had it, if that may have more. */
  #giveActive(member: MemberLoad | null, task: Task): boolean {
    if (member === null || member.taskCount >= this.#activeQuota.perMember) return false;
    this.#noteActive(member.owner.give(member, task, 'active'));
    return true;
  }

  #noteActive(taskCount: number): void {
    this.#activeQuota.note(taskCount);
    this.#totalQuota.note(taskCount);
  }

  #assignStandby(): void {
    const { numStandbyReplicas } = this.#group;
    const tasks = this.#tasks
      .filter(({ isStateful }) => isStateful)
      .toSorted((left, right) => right.partition - left.partition || bySubtopology(right, left));
    const left: { readonly task: TaskHistory; readonly count: number }[] = [];
    for (const task of tasks) {
      let given = 0;
      while (given < numStandbyReplicas && this.#giveStandby(task)) given++;
      if (given < numStandbyReplicas) left.push({ task, count: numStandbyReplicas - given });
    }
    left.sort((a, b) => bySubtopology(b.task, a.task) || b.task.partition - a.task.partition);
    const byLoad = new JavaPriorityQueue(({ load }) => load, this.#processes);
    for (const { task, count } of left) {
      let given = 0;
      while (given < count && this.#giveToLeastLoadedProcess(byLoad, task)) given++;
    }
  }

  /** Gives a standby to a member that has had the task, if its process does not have it and it may have more. */
  #giveStandby(task: TaskHistory): boolean {
    const { active } = task;
    const mayHave = (member: MemberLoad): boolean => member.taskCount < this.#totalQuota.perMember;
    const member =
      active !== null && !active.owner.hasTask(task) && mayHave(active)
        ? active
        : leastLoaded(task.standby, task);
    if (member === null || !mayHave(member)) return false;
    this.#totalQuota.note(member.owner.give(member, task, 'standby'));
    return true;
  }

  #giveToLeastLoadedProcess(byLoad: JavaPriorityQueue<ProcessLoad>, task: Task): boolean {
    const tried: ProcessLoad[] = [];
    let isGiven = false;
    for (let owner = byLoad.poll(); owner !== undefined; owner = byLoad.poll()) {
      tried.push(owner);
      if (owner.hasTask(task)) continue;
      this.#totalQuota.note(owner.giveToLeastLoaded(task, 'standby'));
      isGiven = true;
      break;
    }
    for (const owner of tried.toReversed()) byLoad.add(owner);
    return isGiven;
  }
}

function allTasks({ subtopologies }: StickyGroup): TaskHistory[] {
  const tasks: TaskHistory[] = [];
  for (const [subtopologyId, { taskCount, isStateful }] of subtopologies) {
    for (let partition = 0; partition < taskCount; partition++) {
      tasks.push({ subtopologyId, partition, isStateful, active: null, standby: [] });
    }
  }
  return tasks;
}

/** Tasks that are no more have no history. */
function* tasksOf(
  had: TaskSet | undefined,
  tasks: ReadonlyMap<string, readonly TaskHistory[]>,
): Iterable<TaskHistory> {
  for (const [subtopologyId, partitions] of had ?? []) {
    for (const partition of partitions) {
      const task = tasks.get(subtopologyId)?.[partition];
      if (task !== undefined) yield task;
    }
  }
}

function bySubtopology(left: Task, right: Task): number {
  if (left.subtopologyId === right.subtopologyId) return 0;
  return left.subtopologyId < right.subtopologyId ? -1 : 1;
}

/**
 * Of the members that had a standby the one with the least load, in a process without the task if one is named. Kafka lets
 * the process of the first member decide whether there is one at all, and so do we.
 */
function leastLoaded(members: readonly MemberLoad[], task: Task | null): MemberLoad | null {
  const [first] = members;
  if (first === undefined) return null;
  let candidate = first;
  for (const member of members) {
    const { owner } = member;
    if (owner.load >= candidate.owner.load || member.taskCount >= candidate.taskCount) continue;
    if (task === null || !owner.hasTask(task)) candidate = member;
  }
  return task === null || !first.owner.hasTask(task) ? candidate : null;
}

function toTaskSet(tasks: readonly Task[]): TaskSet {
  const set = new Map<string, Set<number>>();
  for (const { subtopologyId, partition } of tasks) {
    const partitions = set.get(subtopologyId);
    if (partitions === undefined) set.set(subtopologyId, new Set([partition]));
    else partitions.add(partition);
  }
  return set;
}
