import {
  NO_TICKET,
  outcome,
  type RecordPosition,
  type StateMachine,
  type Ticket,
} from '../runtime/state-machine.ts';
import { classicLoaded, classicWritten, handleClassic } from './classic/classic-commands.ts';
import type { CommandContext, GroupSurroundings } from './command-context.ts';
import { handleClassicMember } from './consumer/classic-members.ts';
import { handleConsumer } from './consumer/consumer-commands.ts';
import { JOINING_EPOCH } from './consumer/consumer-member.ts';
import { consumerLoaded } from './consumer/consumer-timeouts.ts';
import { describeGroup, listGroups } from './group-queries.ts';
import { replaysAtAppend, type GroupRecord } from './group-records.ts';
import { deleteGroups } from './group-removal.ts';
import { GroupState } from './group-state.ts';
import type { GroupChange, GroupCommand, GroupFollowUp, GroupOutcome, GroupTypes } from './group-types.ts';
import { handleOffsets, offsetsLoaded } from './offsets/offset-commands.ts';
import { handleShare, sharesLoaded } from './share/share-commands.ts';
import { isShareGroupRecord, type ShareGroupRecord } from './share/share-group-records.ts';
import { handleStreams } from './streams/streams-commands.ts';
import { isStreamsGroupRecord } from './streams/streams-records.ts';
import { streamsLoaded } from './streams/streams-timeouts.ts';

/**
 * The group coordinator's state machine: one partition of `__consumer_offsets`. It hands each command to the kind of group
 * that it concerns; the rules are in the folders of the kinds, one file each.
 */
export class GroupMachine implements StateMachine<GroupTypes> {
  /** For queries; changed by `apply`, `replay` and `replayEndTransaction` only. */
  readonly state = new GroupState();
  readonly #surroundings: GroupSurroundings;

  constructor(surroundings: GroupSurroundings) {
    this.#surroundings = surroundings;
  }

  /**
   * What deletes, what must see all that is committed, and what makes another kind of a classic group depends on writes that
   * may be in flight.
   */
  isExclusive(command: GroupCommand): boolean {
    switch (command.type) {
      case 'fetch-stable-offsets':
      case 'delete-offsets':
      case 'delete-groups':
      case 'topics-deleted':
      case 'expire-offsets':
        return true;
      case 'consumer-heartbeat':
      case 'streams-heartbeat':
        return command.memberEpoch === JOINING_EPOCH && this.state.kindOf(command.groupId) === 'classic';
      default:
        return false;
    }
  }

  replaysAtAppend(record: GroupRecord): boolean {
    return replaysAtAppend(record);
  }

  handle(command: GroupCommand, ticket: Ticket, nowMs: number): GroupOutcome {
    const context = this.#context(nowMs, ticket);
    switch (command.type) {
      case 'commit-offsets':
      case 'fetch-stable-offsets':
      case 'delete-offsets':
      case 'topics-deleted':
      case 'expire-offsets':
        return handleOffsets(command, context);
      case 'share-heartbeat':
      case 'share-states-initialized':
      case 'share-states-deleted':
      case 'share-alter-offsets':
      case 'share-begin-delete-states':
      case 'describe-share-group':
      case 'share-state-topics':
      case 'share-topics-deleted':
      case 'share-member-expired':
        return handleShare(command, context);
      case 'streams-heartbeat':
      case 'describe-streams-group':
      case 'streams-member-expired':
      case 'streams-rebalance-expired':
      case 'streams-initial-delay-over':
        return handleStreams(command, context);
      case 'delete-groups':
        return deleteGroups(command, context);
      case 'list-groups':
        return outcome({ replies: [{ ticket, value: listGroups(this.state, command.filters) }] });
      case 'describe-group':
        return outcome({ replies: [{ ticket, value: describeGroup(this.state, command.groupId) }] });
      case 'join':
      case 'sync':
      case 'heartbeat':
      case 'leave': {
        const consumer = this.state.consumer.get(command.groupId);
        const isClassicMember =
          consumer !== undefined && (command.type !== 'join' || consumer.members.size > 0);
        return isClassicMember
          ? handleClassicMember(consumer, command, context)
          : handleClassic(command, context);
      }
      case 'member-expired':
      case 'join-expired':
      case 'initial-delay-over':
      case 'sync-expired':
        return handleClassic(command, context);
      default:
        return handleConsumer(command, context);
    }
  }

  written(followUp: GroupFollowUp, errorCode: number, nowMs: number): GroupOutcome {
    return classicWritten(followUp, errorCode, this.#context(nowMs, NO_TICKET));
  }

  apply(change: GroupChange): void {
    switch (change.type) {
      case 'classic':
        this.state.classic.setSoft(change.groupId, change.group);
        break;
      case 'share-initializing':
        this.state.share.noteInitializing(change.groupId, change.nowMs);
        break;
      default:
        this.state.streams.apply(change);
    }
  }

  replay(record: GroupRecord, position: RecordPosition): void {
    switch (record.type) {
      case 'group-metadata':
        this.state.classic.setStored(record.key.group, record.value);
        break;
      case 'offset-commit':
        this.state.offsets.replay(record, position);
        break;
      default:
        if (isShareGroupRecord(record)) {
          this.state.share.replay(record);
          this.#tellIfEmptied(record);
        } else if (isStreamsGroupRecord(record)) {
          this.state.streams.replay(record);
        } else {
          this.state.consumer.replay(record);
        }
    }
  }

  #tellIfEmptied(record: ShareGroupRecord): void {
    if (record.type !== 'share-member' || record.value !== null) return;
    const { groupId } = record.key;
    const memberCount = this.state.share.get(groupId)?.members.size ?? 0;
    if (memberCount === 0) this.#surroundings.config.onShareGroupEmptied(groupId);
  }

  replayEndTransaction(producerId: number, committed: boolean): void {
    this.state.offsets.endTransaction(producerId, committed);
  }

  loaded(nowMs: number): GroupOutcome {
    const context = this.#context(nowMs, NO_TICKET);
    const parts = [
      ...classicLoaded(context),
      outcome<GroupTypes>({ timers: [...consumerLoaded(context), ...streamsLoaded(context)] }),
      offsetsLoaded(context.config),
      sharesLoaded(context),
    ];
    return outcome({
      changes: parts.flatMap((part) => part.changes),
      timers: parts.flatMap((part) => part.timers),
    });
  }

  #context(nowMs: number, ticket: Ticket): CommandContext {
    const { config, image, newTopicsVersion, consumerTimings } = this.#surroundings;
    // By name: a spread would cost a heartbeat more than its own rules do.
    return { config, image, newTopicsVersion, consumerTimings, state: this.state, ticket, nowMs };
  }
}
