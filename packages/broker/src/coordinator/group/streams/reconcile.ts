import { ErrorCodes } from '@ottla/protocol';
import { CoordinatorError } from '../../runtime/coordinator-error.ts';
import { isReconciledTo, MemberState, type StreamsMember } from './streams-member.ts';
import {
  hasNoTasks,
  NO_ASSIGNED_TASKS,
  overlaps,
  type AssignedTasks,
  type TaskEpochs,
  type Tasks,
  type TaskSet,
} from './tasks.ts';

/** What a member is reconciled with. */
export interface Reconciliation {
  readonly targetEpoch: number;
  readonly target: Tasks;
  /** Whether anybody works on a task. */
  readonly isActive: (subtopologyId: string, partition: number) => boolean;
  /** Whether the member's own process has a task in any role. */
  readonly isInProcess: (subtopologyId: string, partition: number) => boolean;
  /** What the member says it has; null when it does not say. */
  readonly owned: Tasks | null;
}

/**
 * Brings a member one step closer to its target (KIP-1071): first it gives up what is no longer its own, and only when it has
 * said so it gets what is new, as far as others have let go of it:
 *
 *     Stable --new target--> UnrevokedTasks --given up--> Stable, or UnreleasedTasks while others still have some
 *
 * An active task has to be free everywhere, and any task in the member's own process.
 * @throws CoordinatorError FENCED_MEMBER_EPOCH for a member in a state that nobody knows, unless it gives up everything
 */
export function reconcile(member: StreamsMember, how: Reconciliation): StreamsMember {
  if (isReconciledTo(member, how.targetEpoch)) return member;
  switch (member.state) {
    case MemberState.stable:
    case MemberState.unreleasedTasks:
      return nextAssignment(member, member.memberEpoch, how);
    case MemberState.unrevokedTasks:
      if (how.owned === null || overlaps(how.owned, member.pendingRevocation)) return member;
      return nextAssignment(member, member.memberEpoch + 1, how);
    case MemberState.unknown:
      if (how.owned === null || !hasNoTasks(how.owned)) {
        throw new CoordinatorError(
          ErrorCodes.FENCED_MEMBER_EPOCH,
          'The streams group member is in a unknown state. The member must abandon all its tasks and rejoin.',
        );
      }
      return nextAssignment(member, how.targetEpoch, how);
  }
}

/** `memberEpoch` is the epoch that the member stays at while it has tasks to give up. */
function nextAssignment(member: StreamsMember, memberEpoch: number, how: Reconciliation): StreamsMember {
  const { assigned } = member;
  const { target, targetEpoch, isInProcess } = how;
  const isTaken: IsTaken = (id, partition) => how.isActive(id, partition) || isInProcess(id, partition);
  const active = difference(assigned.active, target.active, isTaken);
  const standby = difference(assigned.standby, target.standby, isInProcess);
  const warmup = difference(assigned.warmup, target.warmup, isInProcess);
  const epochs = (tasks: TaskSet): TaskEpochs => withEpochs(tasks, assigned.active, targetEpoch);
  const revoked: AssignedTasks = {
    active: epochs(active.revoked),
    standby: standby.revoked,
    warmup: warmup.revoked,
  };
  if (!hasNoTasks(revoked) && (how.owned === null || overlaps(how.owned, revoked))) {
    return {
      ...member,
      state: MemberState.unrevokedTasks,
      memberEpoch,
      previousMemberEpoch: member.memberEpoch,
      assigned: { active: epochs(active.kept), standby: standby.kept, warmup: warmup.kept },
      pendingRevocation: revoked,
    };
  }
  const waits = active.waits || standby.waits || warmup.waits;
  return {
    ...member,
    state: waits ? MemberState.unreleasedTasks : MemberState.stable,
    memberEpoch: targetEpoch,
    previousMemberEpoch: member.memberEpoch,
    assigned: { active: epochs(active.next), standby: standby.next, warmup: warmup.next },
    pendingRevocation: NO_ASSIGNED_TASKS,
  };
}

type IsTaken = (subtopologyId: string, partition: number) => boolean;

/** What becomes of the tasks of one role. */
interface Difference {
  readonly kept: TaskSet;
  readonly revoked: TaskSet;
  /** What is kept, and what is free to be had. */
  readonly next: TaskSet;
  /** Something is not free yet. */
  readonly waits: boolean;
}

function difference(current: TaskSet | TaskEpochs, target: TaskSet, isTaken: IsTaken): Difference {
  const kept = new Map<string, Set<number>>();
  const revoked = new Map<string, Set<number>>();
  const next = new Map<string, Set<number>>();
  let waits = false;
  for (const [subtopologyId, partitions] of current) {
    const wanted = target.get(subtopologyId);
    for (const partition of partitions.keys()) {
      if (wanted?.has(partition) !== true) {
        put(revoked, subtopologyId, partition);
        continue;
      }
      put(kept, subtopologyId, partition);
      put(next, subtopologyId, partition);
    }
  }
  for (const [subtopologyId, partitions] of target) {
    const own = current.get(subtopologyId);
    for (const partition of partitions) {
      if (own?.has(partition) === true) continue;
      if (isTaken(subtopologyId, partition)) waits = true;
      else put(next, subtopologyId, partition);
    }
  }
  return { kept, revoked, next, waits };
}

function put(tasks: Map<string, Set<number>>, subtopologyId: string, partition: number): void {
  const partitions = tasks.get(subtopologyId);
  if (partitions === undefined) tasks.set(subtopologyId, new Set([partition]));
  else partitions.add(partition);
}

/** The tasks with the epochs that they have; what is new has the epoch of the target. */
function withEpochs(tasks: TaskSet, known: TaskEpochs, targetEpoch: number): TaskEpochs {
  return new Map(
    Array.from(tasks, ([subtopologyId, partitions]) => {
      const epochs = known.get(subtopologyId);
      return [
        subtopologyId,
        new Map(Array.from(partitions, (partition) => [partition, epochs?.get(partition) ?? targetEpoch])),
      ];
    }),
  );
}
