import { ErrorCodes } from '@ottla/protocol';
import { outcome } from '../../runtime/state-machine.ts';
import { refuse, type CommandContext } from '../command-context.ts';
import type { GroupOutcome } from '../group-types.ts';
import { metadataHash } from '../modern/metadata-hash.ts';
import {
  currentRecord,
  epochRecord,
  memberRecord,
  stateTopicsRecord,
  type ShareGroupRecord,
} from './share-group-records.ts';
import {
  emptyShareGroup,
  NO_ASSIGNMENT,
  sameAssignment,
  type Assignment,
  type ShareGroup,
  type ShareMember,
} from './share-group.ts';
import type { InitializeRequest, ShareGroupSettings, ShareHeartbeatCommand } from './share-group-types.ts';
import { newMember } from './share-groups.ts';
import { computeTargets, hasUnassignedStates, subscribedTopicNames } from './share-assignment.ts';
import { memberTimer } from './share-timers.ts';
import { missingStates, withInitializing } from './state-topics.ts';
import { removeMember } from './share-fencing.ts';

const LEAVE_EPOCH = -1;

/** ShareGroupHeartbeat (KIP-932): joins, keeps a member alive, brings its assignment up to date, or lets it go. */
export function shareHeartbeat(command: ShareHeartbeatCommand, context: CommandContext): GroupOutcome {
  const { state, ticket } = context;
  const { groupId, memberId, memberEpoch } = command;
  const kind = state.kindOf(groupId);
  const existing = state.share.get(groupId);
  if (existing === undefined && (kind !== undefined || memberEpoch !== 0)) {
    const text =
      kind === undefined
        ? `${memberEpoch === LEAVE_EPOCH ? 'Group' : 'Share group'} ${groupId} not found.`
        : `Group ${groupId} is not a share group.`;
    return refuse(ticket, ErrorCodes.GROUP_ID_NOT_FOUND, text);
  }
  const group = existing ?? emptyShareGroup(groupId);
  const known = group.members.get(memberId);
  if (memberEpoch === LEAVE_EPOCH) return leave(group, command, context);
  const settings = context.config.share(groupId);
  if (known === undefined && group.members.size >= settings.maxSize) {
    const text = `The share group has reached its maximum capacity of ${settings.maxSize} members.`;
    return refuse(ticket, ErrorCodes.GROUP_MAX_SIZE_REACHED, text);
  }
  if (known === undefined && memberEpoch !== 0) {
    const text = `Member ${memberId} is not a member of group ${groupId}.`;
    return refuse(ticket, ErrorCodes.UNKNOWN_MEMBER_ID, text);
  }
  const fenced = known === undefined ? null : epochProblem(known, memberEpoch);
  if (fenced !== null) return refuse(ticket, ErrorCodes.FENCED_MEMBER_EPOCH, fenced);
  return new HeartbeatRun(group, command, { context, settings }).run(known ?? newMember(memberId), known);
}

function leave(group: ShareGroup, command: ShareHeartbeatCommand, context: CommandContext): GroupOutcome {
  const { ticket } = context;
  const { memberId, groupId } = command;
  if (!group.members.has(memberId)) {
    const text = `Member ${memberId} is not a member of group ${groupId}.`;
    return refuse(ticket, ErrorCodes.UNKNOWN_MEMBER_ID, text);
  }
  const value = {
    memberId,
    memberEpoch: LEAVE_EPOCH,
    heartbeatIntervalMs: 0,
    assignment: null,
    initialize: null,
  };
  return outcome({ ...removeMember(group, memberId, context.image()), replies: [{ ticket, value }] });
}

/** A member may be one epoch behind, when an answer got lost; never ahead. */
function epochProblem(member: ShareMember, receivedEpoch: number): string | null {
  const { memberEpoch, previousMemberEpoch } = member;
  if (receivedEpoch === 0) return null;
  if (receivedEpoch > memberEpoch) {
    return (
      `The share group member has a greater member epoch (${receivedEpoch}) than the one known by the group ` +
      `coordinator (${memberEpoch}). The member must abandon all its partitions and rejoin.`
    );
  }
  if (receivedEpoch < memberEpoch && receivedEpoch !== previousMemberEpoch) {
    return (
      `The share group member has a smaller member epoch (${receivedEpoch}) than the one known by the group ` +
      `coordinator (${memberEpoch}), and it does not match the previous member epoch ` +
      `(${previousMemberEpoch}). The member must abandon all its partitions and rejoin.`
    );
  }
  return null;
}

interface RunInput {
  readonly context: CommandContext;
  readonly settings: ShareGroupSettings;
}

interface Reconciliation {
  readonly targetEpoch: number;
  readonly target: Assignment;
  readonly hasSubscriptionChanged: boolean;
}

/** One heartbeat of a member that may stay: subscription, group epoch, target assignment, the member's own assignment. */
class HeartbeatRun {
  readonly #group: ShareGroup;
  readonly #command: ShareHeartbeatCommand;
  readonly #context: CommandContext;
  readonly #settings: ShareGroupSettings;
  readonly #records: ShareGroupRecord[] = [];

  constructor(group: ShareGroup, command: ShareHeartbeatCommand, { context, settings }: RunInput) {
    this.#group = group;
    this.#command = command;
    this.#context = context;
    this.#settings = settings;
  }

  run(before: ShareMember, known: ShareMember | undefined): GroupOutcome {
    const { ticket, nowMs } = this.#context;
    const { groupId, memberId, memberEpoch } = this.#command;
    const subscribed = this.#subscribe(before, known);
    const hasSubscriptionChanged = isNewSubscription(subscribed, known);
    const members = new Map(this.#group.members).set(memberId, subscribed);
    const names = subscribedTopicNames(members.values());
    // New states are dealt out under an epoch of their own.
    const epoch = this.#bumpEpoch(hasSubscriptionChanged || this.#hasNewStates(), names);
    const { targetEpoch, targets } = this.#target(epoch, members);
    const target = targets.get(memberId) ?? NO_ASSIGNMENT;
    const updated = this.#reconcile(subscribed, { targetEpoch, target, hasSubscriptionChanged });
    const initialize = this.#initialize(epoch, names);
    // A request with names is a full one, which a member sends when it does not know what it was told last.
    const isFull = memberEpoch === 0 || this.#command.subscribedTopicNames !== null;
    const isTold = isFull || !sameAssignment(updated.assigned, before.assigned);
    const value = {
      memberId,
      memberEpoch: updated.memberEpoch,
      heartbeatIntervalMs: this.#settings.heartbeatIntervalMs,
      assignment: isTold ? updated.assigned : null,
      initialize,
    };
    return outcome({
      records: this.#records,
      changes: initialize === null ? [] : [{ type: 'share-initializing', groupId, nowMs }],
      timers: [memberTimer(groupId, memberId, this.#settings.sessionTimeoutMs)],
      replies: [{ ticket, value }],
    });
  }

  #subscribe(before: ShareMember, known: ShareMember | undefined): ShareMember {
    const { rackId, subscribedTopicNames: names, clientId, clientHost } = this.#command;
    const member: ShareMember = {
      ...before,
      rackId: rackId ?? before.rackId,
      clientId,
      clientHost,
      subscribedTopicNames: names === null ? before.subscribedTopicNames : [...new Set(names)].sort(),
    };
    if (known !== undefined && isSameMember(member, known)) return known;
    this.#records.push(memberRecord(this.#group.groupId, member));
    return member;
  }

  #hasNewStates(): boolean {
    const { assignmentEpoch, groupEpoch } = this.#group;
    return assignmentEpoch >= groupEpoch && hasUnassignedStates(this.#group);
  }

  #bumpEpoch(isChanged: boolean, names: ReadonlySet<string>): number {
    const { groupId, groupEpoch, metadataHash: oldHash } = this.#group;
    const hash = metadataHash(names, this.#context.image());
    if (!isChanged && hash === oldHash) return groupEpoch;
    this.#records.push(epochRecord(groupId, groupEpoch + 1, hash));
    return groupEpoch + 1;
  }

  #target(
    epoch: number,
    members: ReadonlyMap<string, ShareMember>,
  ): { targetEpoch: number; targets: ReadonlyMap<string, Assignment> } {
    const group = this.#group;
    const { nowMs } = this.#context;
    const isBehind = epoch > group.assignmentEpoch;
    const isTooSoon = nowMs < group.assignmentTimestampMs + this.#settings.assignmentIntervalMs;
    if (!isBehind || (isTooSoon && group.assignmentEpoch > 0))
      return { targetEpoch: group.assignmentEpoch, targets: group.targets };
    const { targets, records } = computeTargets(group, members, {
      epoch,
      topics: this.#context.image().topics,
      nowMs,
    });
    this.#records.push(...records);
    return { targetEpoch: epoch, targets };
  }

  /**
   * A share group has nothing to revoke: a member goes to its target at once. Topics that it does not subscribe to are
   * kept from it, since the target may be older than its subscription.
   */
  #reconcile(
    member: ShareMember,
    { targetEpoch, target, hasSubscriptionChanged }: Reconciliation,
  ): ShareMember {
    const isBehind = member.memberEpoch !== targetEpoch;
    if (!isBehind && !hasSubscriptionChanged) return member;
    const assigned = this.#onlySubscribed(target, member);
    if (!isBehind && sameAssignment(assigned, member.assigned)) return member;
    const previousMemberEpoch = isBehind ? member.memberEpoch : member.previousMemberEpoch;
    const updated = { ...member, memberEpoch: targetEpoch, previousMemberEpoch, assigned };
    this.#records.push(currentRecord(this.#group.groupId, updated));
    return updated;
  }

  #onlySubscribed(target: Assignment, { subscribedTopicNames: names }: ShareMember): Assignment {
    const { byName } = this.#context.image().topics;
    const ids = new Set(names.map((name) => byName.get(name)?.id));
    return new Map([...target].filter(([topicId]) => ids.has(topicId)));
  }

  #initialize(epoch: number, names: ReadonlySet<string>): InitializeRequest | null {
    const { groupId, stateTopics, initializingSinceMs } = this.#group;
    const isRetry = this.#context.nowMs - initializingSinceMs >= this.#settings.initializeRetryIntervalMs;
    const missing = missingStates(this.#group, names, { topics: this.#context.image().topics, isRetry });
    if (missing.size === 0) return null;
    this.#records.push(stateTopicsRecord(groupId, withInitializing(stateTopics, missing)));
    const partitions = [...missing].flatMap(([topicId, topic]) =>
      topic.partitions.map((partition) => ({ topicId, partition, startOffset: -1 })),
    );
    return { groupId, stateEpoch: epoch, partitions };
  }
}

function isNewSubscription(member: ShareMember, known: ShareMember | undefined): boolean {
  return known === undefined || !sameNames(member.subscribedTopicNames, known.subscribedTopicNames);
}

function isSameMember(left: ShareMember, right: ShareMember): boolean {
  return (
    left.rackId === right.rackId &&
    left.clientId === right.clientId &&
    left.clientHost === right.clientHost &&
    sameNames(left.subscribedTopicNames, right.subscribedTopicNames)
  );
}

function sameNames(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((name, index) => name === right[index]);
}
