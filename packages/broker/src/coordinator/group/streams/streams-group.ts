import { isReconciledTo, type StreamsMember } from './streams-member.ts';
import { NO_TASKS, type AssignedTasks, type TaskEpochs, type Tasks, type TaskSet } from './tasks.ts';
import type { StreamsTopology } from './topology/streams-topology.ts';

/** The states of a streams group, by Kafka's names. */
export type StreamsGroupState = 'Empty' | 'NotReady' | 'Assigning' | 'Reconciling' | 'Stable';

/** The processes that have a task, as a member's or until a member has given it up. */
type Holders = Map<string, Map<number, Set<string>>>;

/**
 * A streams group (KIP-1071): the threads of one Kafka Streams application. It takes its members to what they own by the
 * same three steps as a consumer group, but hands out tasks instead of partitions:
 *
 *     topology       brought by the first member, held against the topics of the cluster
 *     group epoch    who is there, and which topics    bumped by every change
 *     target epoch   who should have which tasks       follows the group epoch
 *     member epoch   what the member has               follows the target epoch
 *
 * An active task has one owner at a time, and a process has a task in one role at a time, since its threads share the
 * directory of the task's state. Changed by replay only, but for the two fields that are not in the log.
 */
export class StreamsGroup {
  readonly groupId: string;
  /** As in Kafka, a new group begins with 1 and its first member makes it 2. */
  groupEpoch = 1;
  metadataHash = 0;
  /** The epoch of the topology that the topics were last found to be right for; -1 when they were not. */
  validatedTopologyEpoch = 0;
  /** The configs that the last group epoch was decided of. */
  assignmentConfigs: ReadonlyMap<string, string> = new Map();
  topology: StreamsTopology | null = null;
  targetEpoch = 1;
  /** When the target was computed; 0 when unknown. */
  targetTimestampMs = 0;
  /** Soft: the member that asked for the whole application to be shut down. */
  shutdownRequestedBy: string | null = null;
  /** Soft: grows when a member that can be asked for its state gets other tasks. */
  endpointEpoch = 0;
  readonly #members = new Map<string, StreamsMember>();
  readonly #targets = new Map<string, Tasks>();
  readonly #active: Holders = new Map();
  readonly #standby: Holders = new Map();
  readonly #warmup: Holders = new Map();

  constructor(groupId: string) {
    this.groupId = groupId;
  }

  get members(): ReadonlyMap<string, StreamsMember> {
    return this.#members;
  }

  /** What each member should have. */
  get targets(): ReadonlyMap<string, Tasks> {
    return this.#targets;
  }

  get state(): StreamsGroupState {
    if (this.#members.size === 0) return 'Empty';
    if (this.topology === null || this.topology.epoch !== this.validatedTopologyEpoch) return 'NotReady';
    if (this.groupEpoch > this.targetEpoch) return 'Assigning';
    for (const member of this.#members.values()) {
      if (!isReconciledTo(member, this.targetEpoch)) return 'Reconciling';
    }
    return 'Stable';
  }

  targetOf(memberId: string): Tasks {
    return this.#targets.get(memberId) ?? NO_TASKS;
  }

  /** Whether anybody works on a task, or has not given it up yet. */
  isActive(subtopologyId: string, partition: number): boolean {
    return this.#active.get(subtopologyId)?.has(partition) === true;
  }

  /** Whether a process has a task in any role. */
  holds(processId: string, subtopologyId: string, partition: number): boolean {
    return [this.#active, this.#standby, this.#warmup].some(
      (holders) => holders.get(subtopologyId)?.get(partition)?.has(processId) === true,
    );
  }

  /** Adds a member or replaces the one of the same id. */
  setMember(member: StreamsMember): void {
    const old = this.#members.get(member.memberId);
    if (old !== undefined) this.#release(old);
    this.#members.set(member.memberId, member);
    this.#changeHolders(member, addHolder);
  }

  removeMember(memberId: string): void {
    const member = this.#members.get(memberId);
    if (member === undefined) return;
    this.#members.delete(memberId);
    this.#release(member);
    if (this.#members.size === 0) this.shutdownRequestedBy = null;
  }

  setTarget(memberId: string, tasks: Tasks | null): void {
    if (tasks === null) this.#targets.delete(memberId);
    else this.#targets.set(memberId, tasks);
  }

  #release(member: StreamsMember): void {
    this.#changeHolders(member, removeHolder);
  }

  #changeHolders({ processId, assigned, pendingRevocation }: StreamsMember, change: ChangeHolder): void {
    for (const tasks of [assigned, pendingRevocation]) this.#changeTasks(tasks, processId, change);
  }

  #changeTasks({ active, standby, warmup }: AssignedTasks, processId: string, change: ChangeHolder): void {
    eachTask(active, this.#active, (holders, partition) => change(holders, partition, processId));
    eachTask(standby, this.#standby, (holders, partition) => change(holders, partition, processId));
    eachTask(warmup, this.#warmup, (holders, partition) => change(holders, partition, processId));
  }
}

type ChangeHolder = (holders: Map<number, Set<string>>, partition: number, processId: string) => void;

function eachTask(
  tasks: TaskSet | TaskEpochs,
  all: Holders,
  visit: (holders: Map<number, Set<string>>, partition: number) => void,
): void {
  for (const [subtopologyId, partitions] of tasks) {
    let holders = all.get(subtopologyId);
    if (holders === undefined) all.set(subtopologyId, (holders = new Map()));
    for (const partition of partitions.keys()) visit(holders, partition);
    if (holders.size === 0) all.delete(subtopologyId);
  }
}

function addHolder(holders: Map<number, Set<string>>, partition: number, processId: string): void {
  const processes = holders.get(partition);
  if (processes === undefined) holders.set(partition, new Set([processId]));
  else processes.add(processId);
}

function removeHolder(holders: Map<number, Set<string>>, partition: number, processId: string): void {
  const processes = holders.get(partition);
  if (processes?.delete(processId) === true && processes.size === 0) holders.delete(partition);
}
