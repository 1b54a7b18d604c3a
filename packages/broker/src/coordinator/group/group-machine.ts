import { outcome, type RecordPosition, type StateMachine, type Ticket } from '../runtime/state-machine.ts';
import { classicLoaded, classicWritten, handleClassic } from './classic/classic-commands.ts';
import type { GroupCoordinatorConfig } from './group-coordinator-config.ts';
import { describeGroup, listGroups } from './group-queries.ts';
import { replaysAtAppend, type GroupRecord } from './group-records.ts';
import { deleteGroups } from './group-removal.ts';
import { GroupState } from './group-state.ts';
import type { GroupChange, GroupCommand, GroupFollowUp, GroupOutcome, GroupTypes } from './group-types.ts';
import { handleOffsets, offsetsLoaded } from './offsets/offset-commands.ts';

/**
 * The group coordinator's state machine: one partition of `__consumer_offsets`. It hands each command to the kind of group
 * that it concerns; the rules are in the folders of the kinds, one file each.
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

  replaysAtAppend(record: GroupRecord): boolean {
    return replaysAtAppend(record);
  }

  handle(command: GroupCommand, ticket: Ticket, nowMs: number): GroupOutcome {
    const context = { state: this.state, config: this.#config, ticket, nowMs };
    switch (command.type) {
      case 'commit-offsets':
      case 'fetch-stable-offsets':
      case 'delete-offsets':
      case 'topics-deleted':
      case 'expire-offsets':
        return handleOffsets(command, context);
      case 'delete-groups':
        return deleteGroups(command, context);
      case 'list-groups':
        return outcome({ replies: [{ ticket, value: listGroups(this.state, command.filters) }] });
      case 'describe-group':
        return outcome({ replies: [{ ticket, value: describeGroup(this.state, command.groupId) }] });
      default:
        return handleClassic(command, context);
    }
  }

  written(followUp: GroupFollowUp, errorCode: number, nowMs: number): GroupOutcome {
    return classicWritten(followUp, errorCode, { state: this.state, config: this.#config, nowMs });
  }

  apply({ groupId, group }: GroupChange): void {
    this.state.classic.setSoft(groupId, group);
  }

  replay(record: GroupRecord, position: RecordPosition): void {
    switch (record.type) {
      case 'group-metadata':
        this.state.classic.setStored(record.key.group, record.value);
        break;
      case 'offset-commit':
        this.state.offsets.replay(record, position);
        break;
    }
  }

  replayEndTransaction(producerId: number, committed: boolean): void {
    this.state.offsets.endTransaction(producerId, committed);
  }

  loaded(nowMs: number): GroupOutcome {
    const parts = [
      ...classicLoaded({ state: this.state, config: this.#config, nowMs }),
      offsetsLoaded(this.#config),
    ];
    return outcome({
      changes: parts.flatMap((part) => part.changes),
      timers: parts.flatMap((part) => part.timers),
    });
  }
}
