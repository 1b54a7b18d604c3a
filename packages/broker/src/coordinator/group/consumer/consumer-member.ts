import type {
  ConsumerGroupCurrentMemberAssignmentValue,
  ConsumerGroupMemberMetadataValue,
} from '@ottla/protocol';
import { NO_ASSIGNED_PARTITIONS, sameAssigned, type AssignedPartitions } from '../modern/topic-partitions.ts';

/** What a member is doing, by Kafka's numbers. */
export const MemberState = {
  /** It has what it should have at its epoch. */
  stable: 0,
  /** It has been told to give partitions up and has not said yet that it did. */
  unrevokedPartitions: 1,
  /** It waits for partitions that others have not given up yet. */
  unreleasedPartitions: 2,
  /** Written by a newer version: nobody can tell. */
  unknown: 127,
} as const;
export type MemberState = (typeof MemberState)[keyof typeof MemberState];

/** Epochs with a meaning of their own, in requests and in records. */
export const JOINING_EPOCH = 0;
export const LEAVING_EPOCH = -1;
/** A static member that has left for a while: its assignment waits for it. */
export const STATIC_LEAVING_EPOCH = -2;

/** How a member of the classic protocol joined (KIP-848's compatible path). */
export type ClassicMemberMetadata = NonNullable<ConsumerGroupMemberMetadataValue['classicMemberMetadata']>;

/** A member of a consumer group. Immutable: a change makes a new one. */
export interface ConsumerMember {
  readonly memberId: string;
  readonly memberEpoch: number;
  readonly previousMemberEpoch: number;
  readonly instanceId: string | null;
  readonly rackId: string | null;
  readonly rebalanceTimeoutMs: number;
  readonly clientId: string;
  readonly clientHost: string;
  /** In order, each once. */
  readonly subscribedTopicNames: readonly string[];
  /** Empty when it has none. */
  readonly subscribedTopicRegex: string;
  readonly serverAssignor: string | null;
  /** Null for members that use the consumer protocol. */
  readonly classic: ClassicMemberMetadata | null;
  readonly state: MemberState;
  readonly assigned: AssignedPartitions;
  readonly pendingRevocation: AssignedPartitions;
}

/** A member that has said nothing of itself yet. */
export function newMember(memberId: string): ConsumerMember {
  return {
    memberId,
    memberEpoch: 0,
    previousMemberEpoch: -1,
    instanceId: null,
    rackId: null,
    rebalanceTimeoutMs: -1,
    clientId: '',
    clientHost: '',
    subscribedTopicNames: [],
    subscribedTopicRegex: '',
    serverAssignor: null,
    classic: null,
    state: MemberState.stable,
    assigned: NO_ASSIGNED_PARTITIONS,
    pendingRevocation: NO_ASSIGNED_PARTITIONS,
  };
}

/** The member with what a metadata record says of it. */
export function withMetadata(
  member: ConsumerMember,
  value: ConsumerGroupMemberMetadataValue,
): ConsumerMember {
  return {
    ...member,
    instanceId: value.instanceId,
    rackId: value.rackId,
    clientId: value.clientId,
    clientHost: value.clientHost,
    subscribedTopicNames: sortedNames(value.subscribedTopicNames),
    subscribedTopicRegex: value.subscribedTopicRegex ?? '',
    rebalanceTimeoutMs: value.rebalanceTimeoutMs,
    serverAssignor: value.serverAssignor,
    classic: value.classicMemberMetadata,
  };
}

/** The member with what an assignment record says of it; null: its assignment has been deleted. */
export function withAssignment(
  member: ConsumerMember,
  value: ConsumerGroupCurrentMemberAssignmentValue | null,
): ConsumerMember {
  if (value === null) {
    return {
      ...member,
      memberEpoch: LEAVING_EPOCH,
      previousMemberEpoch: LEAVING_EPOCH,
      assigned: NO_ASSIGNED_PARTITIONS,
      pendingRevocation: NO_ASSIGNED_PARTITIONS,
    };
  }
  return {
    ...member,
    memberEpoch: value.memberEpoch,
    previousMemberEpoch: value.previousMemberEpoch,
    state: stateOf(value.state),
    assigned: readAssigned(value.assignedPartitions, value.memberEpoch),
    pendingRevocation: readAssigned(value.partitionsPendingRevocation, value.memberEpoch),
  };
}

function stateOf(value: number): MemberState {
  return value === 0 || value === 1 || value === 2 ? value : MemberState.unknown;
}

/** Records from before KIP-1251 have no epochs for partitions: then the member's counts. */
function readAssigned(
  entries: ConsumerGroupCurrentMemberAssignmentValue['assignedPartitions'],
  memberEpoch: number,
): AssignedPartitions {
  const fallback = Math.max(0, memberEpoch);
  return new Map(
    entries.map(({ topicId, partitions, assignmentEpochs }) => {
      const epochs = assignmentEpochs?.length === partitions.length ? assignmentEpochs : null;
      return [topicId, new Map(partitions.map((partition, i) => [partition, epochs?.[i] ?? fallback]))];
    }),
  );
}

/** Names in order, each once. */
export function sortedNames(names: readonly string[]): readonly string[] {
  return [...new Set(names)].toSorted();
}

/** Whether both are in the same state in everything that records keep. */
export function sameMember(left: ConsumerMember, right: ConsumerMember): boolean {
  return left === right || (sameMetadata(left, right) && sameCurrentAssignment(left, right));
}

/** Whether both say the same of themselves. */
export function sameMetadata(left: ConsumerMember, right: ConsumerMember): boolean {
  return (
    left.memberId === right.memberId &&
    left.instanceId === right.instanceId &&
    left.rackId === right.rackId &&
    left.rebalanceTimeoutMs === right.rebalanceTimeoutMs &&
    left.clientId === right.clientId &&
    left.clientHost === right.clientHost &&
    sameNames(left.subscribedTopicNames, right.subscribedTopicNames) &&
    left.subscribedTopicRegex === right.subscribedTopicRegex &&
    left.serverAssignor === right.serverAssignor &&
    sameClassic(left.classic, right.classic)
  );
}

function sameCurrentAssignment(left: ConsumerMember, right: ConsumerMember): boolean {
  return (
    left.memberEpoch === right.memberEpoch &&
    left.previousMemberEpoch === right.previousMemberEpoch &&
    left.state === right.state &&
    sameAssigned(left.assigned, right.assigned) &&
    sameAssigned(left.pendingRevocation, right.pendingRevocation)
  );
}

/** Whether two sorted lists are the same. */
export function sameNames(left: readonly string[], right: readonly string[]): boolean {
  return left === right || (left.length === right.length && left.every((name, i) => name === right[i]));
}

function sameClassic(left: ClassicMemberMetadata | null, right: ClassicMemberMetadata | null): boolean {
  if (left === null || right === null) return left === right;
  return (
    left.sessionTimeoutMs === right.sessionTimeoutMs &&
    left.supportedProtocols.length === right.supportedProtocols.length &&
    left.supportedProtocols.every(({ name, metadata }, i) => {
      const other = right.supportedProtocols[i];
      return other !== undefined && other.name === name && other.metadata.equals(metadata);
    })
  );
}

/** Whether the member has reached a target epoch and everything of its target. */
export function isReconciledTo(member: ConsumerMember, targetEpoch: number): boolean {
  return member.state === MemberState.stable && member.memberEpoch === targetEpoch;
}
