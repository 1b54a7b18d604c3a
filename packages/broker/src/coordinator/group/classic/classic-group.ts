import type { Ticket } from '../../runtime/state-machine.ts';

/**
 * The states of a classic group, by Kafka's names:
 *
 *     Empty <-> PreparingRebalance -> CompletingRebalance -> Stable
 *                 ^  members join      leader assigns          |
 *                 +--------------------------------------------+
 *
 * (PreparingRebalance can be entered from every state; a group that does not exist is called Dead.)
 */
export type ClassicGroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable';

/** An assignor that a member supports, with its subscription for it. */
export interface MemberProtocol {
  readonly name: string;
  readonly metadata: Buffer;
}

/** A member of a classic group. Immutable: a change makes a new one. */
export interface ClassicMember {
  readonly memberId: string;
  /** Set for static members (KIP-345). */
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly rebalanceTimeoutMs: number;
  readonly sessionTimeoutMs: number;
  /** In the member's order of preference. */
  readonly protocols: readonly MemberProtocol[];
  readonly assignment: Buffer;
  /** Who waits for the reply to JoinGroup. */
  readonly awaitingJoin: Ticket | null;
  /** Who waits for the reply to SyncGroup. */
  readonly awaitingSync: Ticket | null;
  /** True until its first rebalance is over: it may expire while it waits, since it cannot send heartbeats yet. */
  readonly isNew: boolean;
}

/** A classic group as it lives in memory. Immutable: see `GroupTransition`. */
export interface ClassicGroup {
  readonly groupId: string;
  readonly state: ClassicGroupState;
  readonly previousState: ClassicGroupState;
  /** When it entered `state`; -1 when unknown. */
  readonly stateTimestampMs: number;
  readonly generationId: number;
  /** Null for a simple group: one that only stores offsets. */
  readonly protocolType: string | null;
  readonly protocolName: string | null;
  readonly leaderId: string | null;
  readonly members: ReadonlyMap<string, ClassicMember>;
  /** Member id by group instance id. */
  readonly staticMembers: ReadonlyMap<string, string>;
  /** Member ids handed out to callers that have not come back with them yet (KIP-394). */
  readonly pendingJoinMembers: ReadonlySet<string>;
  /** Members that have not sent SyncGroup in this generation. */
  readonly pendingSyncMembers: ReadonlySet<string>;
  /** How many members support each protocol. */
  readonly supportedProtocols: ReadonlyMap<string, number>;
  /** How many members wait for the reply to JoinGroup. */
  readonly awaitingJoinCount: number;
  /** Somebody joined while the initial rebalance was being delayed. */
  readonly newMemberAdded: boolean;
  /** Topics that the members subscribe to; null when the coordinator cannot tell. */
  readonly subscribedTopics: ReadonlySet<string> | null;
}

/** Kafka's protocol type of consumer groups; the only one whose subscriptions the coordinator reads. */
export const CONSUMER_PROTOCOL_TYPE = 'consumer';

export const NO_ASSIGNMENT: Buffer = Buffer.alloc(0);

const NO_NAMES: ReadonlySet<string> = new Set();

/** A group without members: new, or known only by its offsets. */
export function emptyGroup(groupId: string, stateTimestampMs: number): ClassicGroup {
  return {
    groupId,
    state: 'Empty',
    previousState: 'Empty',
    stateTimestampMs,
    generationId: 0,
    protocolType: null,
    protocolName: null,
    leaderId: null,
    members: new Map(),
    staticMembers: new Map(),
    pendingJoinMembers: NO_NAMES,
    pendingSyncMembers: NO_NAMES,
    supportedProtocols: new Map(),
    awaitingJoinCount: 0,
    newMemberAdded: false,
    subscribedTopics: null,
  };
}

/** True when a rebalance has nobody left to wait for. */
export function hasAllMembersJoined(group: ClassicGroup): boolean {
  return group.members.size === group.awaitingJoinCount && group.pendingJoinMembers.size === 0;
}

/** The longest time that any member asks for to rejoin. */
export function rebalanceTimeoutMs(group: ClassicGroup): number {
  let longest = 0;
  for (const member of group.members.values()) longest = Math.max(longest, member.rebalanceTimeoutMs);
  return longest;
}

/** Whether this member computes the assignment. */
export function isLeader(group: ClassicGroup, memberId: string): boolean {
  return group.leaderId === memberId;
}

/** The subscription of a member for a protocol; undefined when it does not support it. */
export function metadataFor(member: ClassicMember, protocolName: string): Buffer | undefined {
  return member.protocols.find(({ name }) => name === protocolName)?.metadata;
}

/** Whether a member rejoins with the very protocols it had, order included. */
export function hasSameProtocols(member: ClassicMember, protocols: readonly MemberProtocol[]): boolean {
  return (
    member.protocols.length === protocols.length &&
    member.protocols.every((own, i) => {
      const other = protocols[i];
      return other !== undefined && own.name === other.name && own.metadata.equals(other.metadata);
    })
  );
}

/** Whether a member of this protocol type and these protocols could take part: it shares one with everybody. */
export function supportsProtocols(
  group: ClassicGroup,
  protocolType: string,
  protocols: readonly MemberProtocol[],
): boolean {
  if (group.state === 'Empty') return protocolType !== '' && protocols.length > 0;
  return (
    group.protocolType === protocolType &&
    protocols.some(({ name }) => (group.supportedProtocols.get(name) ?? 0) === group.members.size)
  );
}

/** The protocol of the next generation: of those that all members support, the one most of them like best. */
export function selectProtocol(group: ClassicGroup): string {
  const votes = new Map<string, number>();
  for (const member of group.members.values()) {
    const choice = member.protocols.find(
      ({ name }) => group.supportedProtocols.get(name) === group.members.size,
    );
    if (choice !== undefined) votes.set(choice.name, (votes.get(choice.name) ?? 0) + 1);
  }
  let winner: string | undefined;
  for (const [name, count] of votes) {
    if (winner === undefined || count > (votes.get(winner) ?? 0)) winner = name;
  }
  if (winner === undefined)
    throw new Error(`No protocol is supported by all members of group "${group.groupId}"`);
  return winner;
}

/** Whether offsets of a topic are in use by the group. A consumer group that cannot be read counts as subscribed to all. */
export function isSubscribedToTopic(group: ClassicGroup, topic: string): boolean {
  if (group.subscribedTopics !== null) return group.subscribedTopics.has(topic);
  return group.protocolType === CONSUMER_PROTOCOL_TYPE;
}
