import {
  shareSnapshotKey,
  shareSnapshotValue,
  shareUpdateKey,
  shareUpdateValue,
  type ShareSnapshotKey,
  type ShareSnapshotValue,
  type ShareUpdateKey,
  type ShareUpdateValue,
} from '@ottla/protocol';
import { recordFormat, recordSerde, type TypedRecord } from '../runtime/record-format.ts';
import type { RecordSerde } from '../runtime/state-machine.ts';
import type { SharePartitionKey, ShareState, StateBatch } from './share-state-types.ts';

/** The whole state of a share partition; a null value deletes it. */
export type ShareSnapshotRecord = TypedRecord<'share-snapshot', ShareSnapshotKey, ShareSnapshotValue>;

/** What changed since the last snapshot. */
export type ShareUpdateRecord = TypedRecord<'share-update', ShareUpdateKey, ShareUpdateValue>;

/** A record of `__share_group_state`. */
export type ShareStateRecord = ShareSnapshotRecord | ShareUpdateRecord;

/** Keys and values of `__share_group_state` in Kafka's formats. */
export const shareStateRecordSerde: RecordSerde<ShareStateRecord> = recordSerde<ShareStateRecord>([
  recordFormat('share-snapshot', { key: shareSnapshotKey, value: shareSnapshotValue }),
  recordFormat('share-update', { key: shareUpdateKey, value: shareUpdateValue }),
]);

/** The whole state of a share partition as a record. */
export function snapshotRecord(key: SharePartitionKey, state: ShareState): ShareSnapshotRecord {
  return {
    type: 'share-snapshot',
    key: keyOf(key),
    value: {
      snapshotEpoch: state.snapshotEpoch,
      stateEpoch: state.stateEpoch,
      leaderEpoch: state.leaderEpoch,
      startOffset: state.startOffset,
      deliveryCompleteCount: state.deliveryCompleteCount,
      createTimestamp: state.createTimestampMs,
      writeTimestamp: state.writeTimestampMs,
      stateBatches: [...state.stateBatches],
    },
  };
}

/** The record that deletes the state of a share partition. */
export function stateTombstone(key: SharePartitionKey): ShareSnapshotRecord {
  return { type: 'share-snapshot', key: keyOf(key), value: null };
}

/** What changes in the state of a share partition, as a record. */
export function updateRecord(
  key: SharePartitionKey,
  update: {
    readonly snapshotEpoch: number;
    readonly leaderEpoch: number;
    readonly startOffset: number;
    readonly deliveryCompleteCount: number;
    readonly stateBatches: readonly StateBatch[];
  },
): ShareUpdateRecord {
  return {
    type: 'share-update',
    key: keyOf(key),
    value: { ...update, stateBatches: [...update.stateBatches] },
  };
}

/** The state in a snapshot. */
export function stateOfSnapshot(value: ShareSnapshotValue): ShareState {
  return {
    snapshotEpoch: value.snapshotEpoch,
    stateEpoch: value.stateEpoch,
    leaderEpoch: value.leaderEpoch,
    startOffset: value.startOffset,
    deliveryCompleteCount: value.deliveryCompleteCount,
    createTimestampMs: value.createTimestamp,
    writeTimestampMs: value.writeTimestamp,
    stateBatches: value.stateBatches,
  };
}

function keyOf({ groupId, topicId, partition }: SharePartitionKey): ShareSnapshotKey {
  return { groupId, topicId, partition };
}
