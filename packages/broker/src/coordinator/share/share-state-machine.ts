import { ErrorCodes, errorMessage } from '@ottla/protocol';
import { outcome, type RecordPosition, type StateMachine, type Ticket } from '../runtime/state-machine.ts';
import type { ShareCoordinatorConfig } from './share-coordinator-config.ts';
import {
  snapshotRecord,
  stateTombstone,
  updateRecord,
  type ShareStateRecord,
} from './share-state-records.ts';
import type { ShareStateOutcome, ShareStateTypes } from './share-state-bundle.ts';
import type {
  DeleteStateCommand,
  InitializeStateCommand,
  ReadStateCommand,
  ReadStateSummaryCommand,
  ReadStateSummaryResult,
  ShareState,
  ShareStateCommand,
  ShareStateResult,
  WriteStateCommand,
} from './share-state-types.ts';
import { ShareStates } from './share-states.ts';
import { combineStateBatches } from './state-batches.ts';

const NEGATIVE_PARTITION = 'The partition id cannot be a negative number.';
const WRITE_UNINITIALIZED = 'Write operation on uninitialized share partition not allowed.';
const READ_UNINITIALIZED = 'Read operation on uninitialized share partition not allowed.';
const DONE: ShareStateResult = { errorCode: ErrorCodes.NONE, errorMessage: null };

/**
 * The share coordinator's state machine: one partition of `__share_group_state` (KIP-932). Records count when they are
 * committed, so commands of one share partition have to come one after the other; its service sees to that.
 */
export class ShareStateMachine implements StateMachine<ShareStateTypes> {
  readonly states = new ShareStates();
  readonly #config: ShareCoordinatorConfig;

  constructor(config: ShareCoordinatorConfig) {
    this.#config = config;
  }

  /** What touches many share partitions at once must see all that is under way. */
  isExclusive({ type }: ShareStateCommand): boolean {
    return type === 'topics-deleted' || type === 'snapshot-cold';
  }

  replaysAtAppend(): boolean {
    return false;
  }

  handle(command: ShareStateCommand, ticket: Ticket, nowMs: number): ShareStateOutcome {
    switch (command.type) {
      case 'initialize-state':
        return reply(ticket, this.#initialize(command, nowMs));
      case 'read-state':
        return reply(ticket, this.#read(command, nowMs));
      case 'write-state':
        return reply(ticket, this.#write(command, nowMs));
      case 'delete-state':
        return reply(ticket, this.#delete(command));
      case 'read-state-summary':
        return reply(ticket, { value: this.#summary(command), records: [] });
      case 'topics-deleted':
        return reply(ticket, { value: null, records: this.#forget(command.topicIds) });
      case 'snapshot-cold':
        return reply(ticket, { value: null, records: this.#coldSnapshots(nowMs) });
    }
  }

  written(): ShareStateOutcome {
    return outcome({});
  }

  apply(): void {}

  replay(record: ShareStateRecord, position: RecordPosition): void {
    this.states.replay(record, position);
  }

  replayEndTransaction(): void {}

  loaded(): ShareStateOutcome {
    return outcome({});
  }

  #initialize(command: InitializeStateCommand, nowMs: number): Decision {
    const state = this.states.get(command);
    if (command.partition < 0) return refused(ErrorCodes.INVALID_REQUEST, NEGATIVE_PARTITION);
    if (command.stateEpoch !== -1 && (state?.stateEpoch ?? -1) > command.stateEpoch)
      return refused(ErrorCodes.FENCED_STATE_EPOCH);
    if (!command.isKnown) return refused(ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION);
    const initial: ShareState = {
      snapshotEpoch: state === undefined ? 0 : state.snapshotEpoch + 1,
      stateEpoch: command.stateEpoch,
      leaderEpoch: 0,
      startOffset: command.startOffset,
      deliveryCompleteCount: command.startOffset === -1 ? -1 : 0,
      createTimestampMs: nowMs,
      writeTimestampMs: nowMs,
      stateBatches: [],
    };
    return { value: DONE, records: [snapshotRecord(command, initial)] };
  }

  /** Reading takes the lead: from now on a leader of an older epoch is fenced, after a restart too. */
  #read(command: ReadStateCommand, nowMs: number): Decision {
    const state = this.states.get(command);
    if (command.partition < 0) return unread(ErrorCodes.INVALID_REQUEST, NEGATIVE_PARTITION);
    if (state === undefined) return unread(ErrorCodes.INVALID_REQUEST, READ_UNINITIALIZED);
    if (command.leaderEpoch !== -1 && state.leaderEpoch > command.leaderEpoch)
      return unread(ErrorCodes.FENCED_LEADER_EPOCH);
    if (!command.isKnown) return unread(ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION);
    const { stateEpoch, startOffset, stateBatches } = state;
    const value = { ...DONE, stateEpoch, startOffset, stateBatches };
    if (command.leaderEpoch === -1 || command.leaderEpoch === state.leaderEpoch)
      return { value, records: [] };
    const update = { ...state, leaderEpoch: command.leaderEpoch, stateBatches: [] };
    return { value, records: [this.#record(command, { state, update, nowMs })] };
  }

  #write(command: WriteStateCommand, nowMs: number): Decision {
    const state = this.states.get(command);
    if (command.partition < 0) return refused(ErrorCodes.INVALID_REQUEST, NEGATIVE_PARTITION);
    if (state === undefined) return refused(ErrorCodes.INVALID_REQUEST, WRITE_UNINITIALIZED);
    if (command.leaderEpoch !== -1 && state.leaderEpoch > command.leaderEpoch)
      return refused(ErrorCodes.FENCED_LEADER_EPOCH);
    if (command.stateEpoch !== -1 && state.stateEpoch > command.stateEpoch)
      return refused(ErrorCodes.FENCED_STATE_EPOCH);
    if (!command.isKnown) return refused(ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION);
    return { value: DONE, records: [this.#record(command, { state, update: command, nowMs })] };
  }

  #delete(command: DeleteStateCommand): Decision {
    if (command.partition < 0) return refused(ErrorCodes.INVALID_REQUEST, NEGATIVE_PARTITION);
    if (!command.isKnown) return refused(ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION);
    const isThere = this.states.get(command) !== undefined;
    return { value: DONE, records: isThere ? [stateTombstone(command)] : [] };
  }

  #summary(command: ReadStateSummaryCommand): ReadStateSummaryResult {
    const nothing = { stateEpoch: 0, leaderEpoch: 0, startOffset: -1, deliveryCompleteCount: -1 };
    if (command.partition < 0)
      return { ...refusal(ErrorCodes.INVALID_REQUEST, NEGATIVE_PARTITION), ...nothing };
    if (!command.isKnown) return { ...refusal(ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION), ...nothing };
    const state = this.states.get(command);
    if (state === undefined) return { ...DONE, ...nothing };
    const { stateEpoch, leaderEpoch, startOffset, deliveryCompleteCount } = state;
    return { ...DONE, stateEpoch, leaderEpoch, startOffset, deliveryCompleteCount };
  }

  /** An update, or a new snapshot when there were enough updates since the last. */
  #record(key: WriteStateCommand | ReadStateCommand, { state, update, nowMs }: Write): ShareStateRecord {
    const leaderEpoch = update.leaderEpoch === -1 ? state.leaderEpoch : update.leaderEpoch;
    const { deliveryCompleteCount } = update;
    if (this.states.updateCount(key) < this.#config.snapshotUpdateRecordsPerSnapshot) {
      return updateRecord(key, {
        snapshotEpoch: state.snapshotEpoch,
        leaderEpoch,
        startOffset: update.startOffset,
        deliveryCompleteCount,
        stateBatches: combineStateBatches([], update.stateBatches, update.startOffset),
      });
    }
    const startOffset = update.startOffset === -1 ? state.startOffset : update.startOffset;
    return snapshotRecord(key, {
      snapshotEpoch: state.snapshotEpoch + 1,
      stateEpoch: state.stateEpoch,
      leaderEpoch,
      startOffset,
      deliveryCompleteCount,
      createTimestampMs: nowMs,
      writeTimestampMs: nowMs,
      stateBatches: combineStateBatches(state.stateBatches, update.stateBatches, startOffset),
    });
  }

  #forget(topicIds: readonly string[]): ShareStateRecord[] {
    const gone = new Set(topicIds);
    const records: ShareStateRecord[] = [];
    for (const { key } of this.states.entries()) if (gone.has(key.topicId)) records.push(stateTombstone(key));
    return records;
  }

  /** Nothing when each state is as old as its creation: then there is nothing before them worth deleting. */
  #coldSnapshots(nowMs: number): ShareStateRecord[] {
    const records: ShareStateRecord[] = [];
    let coldCount = 0;
    for (const { key, state } of this.states.entries()) {
      if (state.createTimestampMs < state.writeTimestampMs) coldCount += 1;
      if (nowMs - state.writeTimestampMs < this.#config.coldPartitionSnapshotIntervalMs) continue;
      const next = { ...state, snapshotEpoch: state.snapshotEpoch + 1, writeTimestampMs: nowMs };
      records.push(snapshotRecord(key, next));
    }
    return coldCount === this.states.size ? [] : records;
  }
}

interface Write {
  readonly state: ShareState;
  readonly update: Pick<
    WriteStateCommand,
    'leaderEpoch' | 'startOffset' | 'deliveryCompleteCount' | 'stateBatches'
  >;
  readonly nowMs: number;
}

interface Decision {
  readonly value: unknown;
  readonly records: readonly ShareStateRecord[];
}

function reply(ticket: Ticket, { value, records }: Decision): ShareStateOutcome {
  // Topics with many share partitions make more records than a batch holds, and need not go together.
  return outcome({ records, atomic: false, replies: [{ ticket, value }] });
}

function refusal(errorCode: number, message?: string): ShareStateResult {
  return { errorCode, errorMessage: message ?? errorMessage(errorCode) ?? null };
}

function refused(errorCode: number, message?: string): Decision {
  return { value: refusal(errorCode, message), records: [] };
}

function unread(errorCode: number, message?: string): Decision {
  const nothing = { stateEpoch: 0, startOffset: 0, stateBatches: [] };
  return { value: { ...refusal(errorCode, message), ...nothing }, records: [] };
}
