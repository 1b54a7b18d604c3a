import type { RecordPosition } from '../runtime/state-machine.ts';
import { RedundantOffsets } from './redundant-offsets.ts';
import { stateOfSnapshot, type ShareStateRecord } from './share-state-records.ts';
import type { SharePartitionKey, ShareState } from './share-state-types.ts';
import { combineStateBatches } from './state-batches.ts';

interface Entry {
  readonly key: SharePartitionKey;
  state: ShareState;
  /** Update records since the last snapshot. */
  updateCount: number;
}

/** The share partitions of one shard, as their committed records say. */
export class ShareStates {
  readonly #entries = new Map<string, Entry>();
  readonly #redundant = new RedundantOffsets();

  get(key: SharePartitionKey): ShareState | undefined {
    return this.#entries.get(mapKey(key))?.state;
  }

  /** Update records that were written for a share partition since its last snapshot. */
  updateCount(key: SharePartitionKey): number {
    return this.#entries.get(mapKey(key))?.updateCount ?? 0;
  }

  get size(): number {
    return this.#entries.size;
  }

  entries(): Iterable<{ readonly key: SharePartitionKey; readonly state: ShareState }> {
    return this.#entries.values();
  }

  /** Everything before this offset of the shard's partition may be deleted; null when nothing may. */
  lastRedundantOffset(): number | null {
    return this.#redundant.lastRedundantOffset();
  }

  replay(record: ShareStateRecord, { offset }: RecordPosition): void {
    const id = mapKey(record.key);
    if (record.type === 'share-update') {
      this.#update(id, record.value);
    } else if (record.value === null) {
      this.#entries.delete(id);
      this.#redundant.onTombstone(id, offset);
    } else {
      this.#entries.set(id, { key: record.key, state: stateOfSnapshot(record.value), updateCount: 0 });
      this.#redundant.onSnapshot(id, offset);
    }
  }

  #update(id: string, value: Extract<ShareStateRecord, { type: 'share-update' }>['value']): void {
    const entry = this.#entries.get(id);
    // An update of a state whose snapshot was cut away together with its tombstone's successor belongs to nobody.
    if (entry === undefined || value === null) return;
    const { state } = entry;
    const startOffset = value.startOffset === -1 ? state.startOffset : value.startOffset;
    entry.updateCount += 1;
    entry.state = {
      ...state,
      startOffset,
      leaderEpoch: value.leaderEpoch === -1 ? state.leaderEpoch : value.leaderEpoch,
      deliveryCompleteCount: value.deliveryCompleteCount,
      stateBatches: combineStateBatches(state.stateBatches, value.stateBatches, startOffset),
    };
  }
}

/** The form of a share partition's name in which FindCoordinator asks for it: `group:topicId:partition`. */
export function mapKey({ groupId, topicId, partition }: SharePartitionKey): string {
  return `${groupId}:${topicId}:${partition}`;
}

/** Whether a text names a share partition in that form; the group id itself may contain colons. */
export function isSharePartitionName(name: string): boolean {
  return /^[^]+:[\w-]{22}:[-+]?\d{1,10}$/.test(name);
}
