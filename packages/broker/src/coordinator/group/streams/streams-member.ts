import type {
  StreamsGroupCurrentMemberAssignmentValue,
  StreamsGroupMemberMetadataValue,
} from '@ottla/protocol';
import {
  fromTaskIds,
  NO_ASSIGNED_TASKS,
  sameAssignedTasks,
  type AssignedTasks,
  type TaskEpochs,
} from './tasks.ts';

/** What a member is doing, by Kafka's numbers. */
export const MemberState = {
  /** It has what it should have at its epoch. */
  stable: 1,
  /** It has been told to give tasks up and has not said yet that it did. */
  unrevokedTasks: 2,
  /** It waits for tasks that others have not given up yet. */
  unreleasedTasks: 3,
  /** Written by a newer version: nobody can tell. */
  unknown: 127,
} as const;
export type MemberState = (typeof MemberState)[keyof typeof MemberState];

/** Epochs with a meaning of their own in requests. -2 is for static members, which streams groups do not have yet. */
export const JOINING_EPOCH = 0;
export const LEAVING_EPOCH = -1;
export const STATIC_LEAVING_EPOCH = -2;

/** Where the application of a member can be asked for its state (`application.server`). */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** A member of a streams group: a stream thread. Immutable: a change makes a new one. */
export interface StreamsMember {
  readonly memberId: string;
  readonly memberEpoch: number;
  readonly previousMemberEpoch: number;
  readonly state: MemberState;
  readonly instanceId: string | null;
  readonly rackId: string | null;
  readonly rebalanceTimeoutMs: number;
  readonly clientId: string;
  readonly clientHost: string;
  readonly topologyEpoch: number;
  /** Threads of one process share its state directory: a task is in one of them at most, whatever its role. */
  readonly processId: string;
  readonly userEndpoint: Endpoint | null;
  readonly clientTags: ReadonlyMap<string, string>;
  readonly assigned: AssignedTasks;
  readonly pendingRevocation: AssignedTasks;
}

/** A member that has said nothing of itself yet. */
export function newMember(memberId: string): StreamsMember {
  return {
    memberId,
    memberEpoch: 0,
    previousMemberEpoch: 0,
    state: MemberState.stable,
    instanceId: null,
    rackId: null,
    rebalanceTimeoutMs: -1,
    clientId: '',
    clientHost: '',
    topologyEpoch: -1,
    processId: '',
    userEndpoint: null,
    clientTags: new Map(),
    assigned: NO_ASSIGNED_TASKS,
    pendingRevocation: NO_ASSIGNED_TASKS,
  };
}

/** The member with what a metadata record says of it. */
export function withMetadata(member: StreamsMember, value: StreamsGroupMemberMetadataValue): StreamsMember {
  return {
    ...member,
    instanceId: value.instanceId,
    rackId: value.rackId,
    clientId: value.clientId,
    clientHost: value.clientHost,
    rebalanceTimeoutMs: value.rebalanceTimeoutMs,
    topologyEpoch: value.topologyEpoch,
    processId: value.processId,
    userEndpoint: value.userEndpoint,
    clientTags: new Map(value.clientTags.map((tag) => [tag.key, tag.value])),
  };
}

/** The member with what an assignment record says of it; null: its assignment has been deleted. */
export function withAssignment(
  member: StreamsMember,
  value: StreamsGroupCurrentMemberAssignmentValue | null,
): StreamsMember {
  if (value === null) {
    return {
      ...member,
      memberEpoch: LEAVING_EPOCH,
      previousMemberEpoch: LEAVING_EPOCH,
      assigned: NO_ASSIGNED_TASKS,
      pendingRevocation: NO_ASSIGNED_TASKS,
    };
  }
  const { memberEpoch } = value;
  return {
    ...member,
    memberEpoch,
    previousMemberEpoch: value.previousMemberEpoch,
    state: stateOf(value.state),
    assigned: {
      active: readEpochs(value.activeTasks, memberEpoch),
      standby: fromTaskIds(value.standbyTasks),
      warmup: fromTaskIds(value.warmupTasks),
    },
    pendingRevocation: {
      active: readEpochs(value.activeTasksPendingRevocation, memberEpoch),
      standby: fromTaskIds(value.standbyTasksPendingRevocation),
      warmup: fromTaskIds(value.warmupTasksPendingRevocation),
    },
  };
}

function stateOf(value: number): MemberState {
  return value === 1 || value === 2 || value === 3 ? value : MemberState.unknown;
}

/** Records from before KIP-1251 have no epochs for tasks: then the member's counts. */
function readEpochs(
  entries: StreamsGroupCurrentMemberAssignmentValue['activeTasks'],
  memberEpoch: number,
): TaskEpochs {
  return new Map(
    entries.map(({ subtopologyId, partitions, assignmentEpochs }) => {
      const epochs = assignmentEpochs?.length === partitions.length ? assignmentEpochs : null;
      return [
        subtopologyId,
        new Map(partitions.map((partition, i) => [partition, epochs?.[i] ?? memberEpoch])),
      ];
    }),
  );
}

/** Whether both say the same of themselves. */
export function sameMetadata(left: StreamsMember, right: StreamsMember): boolean {
  return (
    left === right ||
    (left.instanceId === right.instanceId &&
      left.rackId === right.rackId &&
      left.rebalanceTimeoutMs === right.rebalanceTimeoutMs &&
      left.clientId === right.clientId &&
      left.clientHost === right.clientHost &&
      left.topologyEpoch === right.topologyEpoch &&
      left.processId === right.processId &&
      left.userEndpoint?.host === right.userEndpoint?.host &&
      left.userEndpoint?.port === right.userEndpoint?.port &&
      sameTags(left.clientTags, right.clientTags))
  );
}

function sameTags(left: ReadonlyMap<string, string>, right: ReadonlyMap<string, string>): boolean {
  if (left.size !== right.size) return false;
  for (const [key, value] of left) if (right.get(key) !== value) return false;
  return true;
}

/** Whether both stand at the same place with the same tasks. */
export function sameCurrentAssignment(left: StreamsMember, right: StreamsMember): boolean {
  return (
    left === right ||
    (left.memberEpoch === right.memberEpoch &&
      left.previousMemberEpoch === right.previousMemberEpoch &&
      left.state === right.state &&
      sameAssignedTasks(left.assigned, right.assigned) &&
      sameAssignedTasks(left.pendingRevocation, right.pendingRevocation))
  );
}

/** Whether the member has reached a target epoch and everything of its target. */
export function isReconciledTo(member: StreamsMember, targetEpoch: number): boolean {
  return member.state === MemberState.stable && member.memberEpoch === targetEpoch;
}
