/** Partitions by topic id, ascending. */
export type Assignment = ReadonlyMap<string, readonly number[]>;

export interface ShareMember {
  readonly memberId: string;
  readonly rackId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly subscribedTopicNames: readonly string[];
  readonly memberEpoch: number;
  readonly previousMemberEpoch: number;
  readonly assigned: Assignment;
}

/** A topic with the partitions of it that something is said of. */
export interface StateTopic {
  readonly name: string;
  readonly partitions: readonly number[];
}

/**
 * Which share partitions of a group have state at the share coordinator, by topic id:
 *
 *     initializing   asked for, not confirmed       initialized   may be assigned       deleting   asked to go
 */
export interface StateTopics {
  readonly initializing: ReadonlyMap<string, StateTopic>;
  readonly initialized: ReadonlyMap<string, StateTopic>;
  /** Topic names by id. */
  readonly deleting: ReadonlyMap<string, string>;
}

export const NO_STATE_TOPICS: StateTopics = {
  initializing: new Map(),
  initialized: new Map(),
  deleting: new Map(),
};

export const NO_ASSIGNMENT: Assignment = new Map();

/** A share group as its records say (KIP-932). Changed by `replay` only; the rules read it. */
export interface ShareGroup {
  readonly groupId: string;
  readonly groupEpoch: number;
  readonly metadataHash: number;
  readonly assignmentEpoch: number;
  /** When the target assignment was made, in wall-clock milliseconds. */
  readonly assignmentTimestampMs: number;
  readonly members: ReadonlyMap<string, ShareMember>;
  readonly targets: ReadonlyMap<string, Assignment>;
  readonly stateTopics: StateTopics;
  /** When the initializing topics were last asked for: known to memory only. */
  readonly initializingSinceMs: number;
}

/** A group before its first member. */
export function emptyShareGroup(groupId: string): ShareGroup {
  return {
    groupId,
    // As in Kafka: the first member's epoch is 2.
    groupEpoch: 1,
    metadataHash: 0,
    assignmentEpoch: 1,
    assignmentTimestampMs: 0,
    members: new Map(),
    targets: new Map(),
    stateTopics: NO_STATE_TOPICS,
    initializingSinceMs: 0,
  };
}

/** Whether two assignments are of the same partitions. */
export function sameAssignment(left: Assignment, right: Assignment): boolean {
  if (left.size !== right.size) return false;
  for (const [topicId, partitions] of left) {
    const others = right.get(topicId);
    if (others?.length !== partitions.length) return false;
    for (let i = 0; i < partitions.length; i++) if (partitions[i] !== others[i]) return false;
  }
  return true;
}
