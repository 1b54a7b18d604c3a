import { ErrorCodes } from '@ottla/protocol';
import {
  NO_TICKET,
  outcome,
  type RecordPosition,
  type StateMachine,
  type Ticket,
} from '../runtime/state-machine.ts';
import { emptyGroup } from './classic-group.ts';
import { assignmentStored, creationFailed, staticMemberStored } from './follow-ups.ts';
import type { GroupCoordinatorConfig } from './group-coordinator-config.ts';
import { newGroupRecord } from './group-metadata.ts';
import type { GroupRecord } from './group-records.ts';
import { GroupState } from './group-state.ts';
import { EXPIRE_OFFSETS_TIMER, rescheduleMember } from './group-timers.ts';
import { GroupTransition } from './group-transition.ts';
import {
  UNKNOWN_MEMBER_ID,
  type CommitCommand,
  type GroupChange,
  type GroupCommand,
  type GroupFollowUp,
  type GroupOutcome,
  type GroupTypes,
  type HeartbeatCommand,
  type JoinCommand,
  type LeaveCommand,
  type SyncCommand,
  type TimerCommand,
} from './group-types.ts';
import { heartbeat } from './heartbeat.ts';
import { joinGroup } from './join-group.ts';
import { leaveGroup } from './leave-group.ts';
import { memberExpired, syncExpired } from './member-timeouts.ts';
import { commitError, commitOffsets } from './offset-commits.ts';
import { fetchOffsets } from './offset-queries.ts';
import { completeJoin, initialDelayOver, prepareRebalance } from './rebalance.ts';
import { deleteGroups, deleteOffsets, deleteTopics, expireOffsets } from './removals.ts';
import { syncGroup } from './sync-group.ts';

/**
 * The group coordinator's state machine: one partition of `__consumer_offsets`. It finds the group that a command is
 * about and hands both to the rule for it; the rules are one file each.
 */
export class GroupMachine implements StateMachine<GroupTypes> {
  /** For queries; changed by `apply`, `replay` and `replayEndTransaction` only. */
  readonly state = new GroupState();
  readonly #config: GroupCoordinatorConfig;

  constructor(config: GroupCoordinatorConfig) {
    this.#config = config;
  }

  /** What deletes, and what must see all that is committed, depends on writes that may be in flight. */
  isExclusive(command: GroupCommand): boolean {
    switch (command.type) {
      case 'fetch-stable-offsets':
      case 'delete-offsets':
      case 'delete-groups':
      case 'topics-deleted':
      case 'expire-offsets':
        return true;
      default:
        return false;
    }
  }

  handle(command: GroupCommand, ticket: Ticket, nowMs: number): GroupOutcome {
    switch (command.type) {
      case 'join':
        return this.#join(command, ticket, nowMs);
      case 'sync':
      case 'heartbeat':
      case 'leave':
        return this.#onMembers(command, ticket, nowMs);
      case 'commit-offsets':
        return this.#commit(command, ticket, nowMs);
      case 'fetch-stable-offsets':
        return outcome({ replies: [{ ticket, value: fetchOffsets(this.state.offsets, command, true) }] });
      case 'delete-offsets':
        return deleteOffsets(this.state, command, ticket);
      case 'delete-groups':
        return deleteGroups(this.state, command, ticket);
      case 'topics-deleted':
        return deleteTopics(this.state, command, ticket);
      case 'expire-offsets':
        return expireOffsets(this.state, this.#config, nowMs);
      default:
        return this.#onTimer(command, nowMs);
    }
  }

  written(followUp: GroupFollowUp, errorCode: number, nowMs: number): GroupOutcome {
    const { groupId } = followUp;
    const group = this.state.group(groupId);
    if (group === undefined) return outcome({});
    const step = new GroupTransition(group, nowMs);
    switch (followUp.type) {
      case 'group-created':
        if (errorCode === ErrorCodes.NONE) return outcome({});
        creationFailed(step, errorCode);
        return step.finish(true);
      case 'assignment-stored':
        assignmentStored(step, followUp, {
          errorCode,
          assignments: this.state.storedAssignments(groupId),
          config: this.#config,
        });
        return step.finish();
      case 'static-member-stored':
        staticMemberStored(step, followUp, errorCode);
        return step.finish();
    }
  }

  apply({ groupId, group }: GroupChange): void {
    this.state.setSoft(groupId, group);
  }

  replay(record: GroupRecord, position: RecordPosition): void {
    if (record.type === 'group-metadata') {
      this.state.setStored(record.group, record.value);
    } else if (record.value === null) {
      this.state.offsets.delete(record.key.group, record.key.topic, record.key.partition);
    } else {
      this.state.offsets.put(record.key, record.value, position);
    }
  }

  replayEndTransaction(producerId: number, committed: boolean): void {
    this.state.offsets.endTransaction(producerId, committed);
  }

  /** Sessions of the members found start anew; a group above a limit that was lowered meanwhile rebalances down to it. */
  loaded(nowMs: number): GroupOutcome {
    const parts: GroupOutcome[] = [];
    for (const groupId of this.state.groupIds()) {
      const group = this.state.group(groupId);
      if (group === undefined || group.members.size === 0) continue;
      const step = new GroupTransition(group, nowMs);
      for (const member of group.members.values()) rescheduleMember(step, member);
      if (group.members.size > this.#config.maxSize) prepareRebalance(step, this.#config);
      parts.push(step.finish());
    }
    return outcome({
      changes: parts.flatMap((part) => part.changes),
      timers: [
        ...parts.flatMap((part) => part.timers),
        {
          key: EXPIRE_OFFSETS_TIMER,
          delayMs: this.#config.offsetsRetentionCheckIntervalMs,
          command: { type: 'expire-offsets' },
        },
      ],
    });
  }

  #join(command: JoinCommand, ticket: Ticket, nowMs: number): GroupOutcome {
    const existing = this.state.group(command.groupId);
    if (existing === undefined && command.memberId !== UNKNOWN_MEMBER_ID) {
      const step = new GroupTransition(emptyGroup(command.groupId, nowMs), nowMs);
      step.replyJoin(ticket, { errorCode: ErrorCodes.UNKNOWN_MEMBER_ID, memberId: command.memberId });
      return step.finish(true);
    }
    const base = existing ?? emptyGroup(command.groupId, nowMs);
    const step = new GroupTransition(base, nowMs);
    joinGroup(step, { command, ticket, config: this.#config });
    if (existing === undefined) {
      // As in Kafka, the log hears of a group with its first caller, members or not.
      step.append(newGroupRecord(base.groupId, base.stateTimestampMs));
      step.whenWritten({ type: 'group-created', groupId: base.groupId });
    }
    return step.finish();
  }

  #onMembers(
    command: SyncCommand | HeartbeatCommand | LeaveCommand,
    ticket: Ticket,
    nowMs: number,
  ): GroupOutcome {
    const group = this.state.group(command.groupId);
    if (group === undefined) return refuse(ticket, ErrorCodes.UNKNOWN_MEMBER_ID);
    const step = new GroupTransition(group, nowMs);
    switch (command.type) {
      case 'sync':
        syncGroup(step, command, ticket);
        break;
      case 'heartbeat':
        heartbeat(step, command, ticket);
        break;
      case 'leave':
        leaveGroup(step, { command, ticket, config: this.#config });
        break;
    }
    return step.finish();
  }

  #commit(command: CommitCommand, ticket: Ticket, nowMs: number): GroupOutcome {
    const group = this.state.group(command.groupId);
    const errorCode = commitError(group, command);
    if (errorCode !== ErrorCodes.NONE) return refuse(ticket, errorCode);
    const step = new GroupTransition(group ?? emptyGroup(command.groupId, -1), nowMs);
    commitOffsets(step, { command, ticket, config: this.#config });
    // Committing changes nothing about members; a group known by its offsets only stays that way.
    return { ...step.finish(), changes: [] };
  }

  #onTimer(command: Exclude<TimerCommand, { type: 'expire-offsets' }>, nowMs: number): GroupOutcome {
    const group = this.state.group(command.groupId);
    if (group === undefined) return outcome({});
    const step = new GroupTransition(group, nowMs);
    switch (command.type) {
      case 'member-expired':
        memberExpired(step, command.memberId, this.#config);
        break;
      case 'join-expired':
        if (group.state === 'PreparingRebalance') completeJoin(step);
        break;
      case 'initial-delay-over':
        if (group.state === 'PreparingRebalance') initialDelayOver(step, command, this.#config);
        break;
      case 'sync-expired':
        syncExpired(step, command.generationId, this.#config);
        break;
    }
    return step.finish();
  }
}

function refuse(ticket: Ticket, errorCode: number): GroupOutcome {
  return outcome({ replies: ticket === NO_TICKET ? [] : [{ ticket, errorCode, errorMessage: null }] });
}
