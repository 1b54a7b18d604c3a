import type { OffsetCommitValue } from '@ottla/protocol';
import type { OffsetRecord } from './offset-records.ts';

/** A committed offset. */
export interface CommittedOffset {
  readonly offset: number;
  /** -1 when the committer did not know. */
  readonly leaderEpoch: number;
  readonly metadata: string;
  readonly commitTimestampMs: number;
  /** -1: the broker's retention decides. */
  readonly expireTimestampMs: number;
  /** The zero uuid when the commit does not name it. */
  readonly topicId: string;
  /** Where the commit stands in the log of `__consumer_offsets`. */
  readonly recordOffset: number;
}

type PartitionOffsets = Map<number, CommittedOffset>;
type GroupOffsets = Map<string, PartitionOffsets>;

/** Offsets by group, topic and partition. Empty maps are not kept, so a group is in here exactly when it has offsets. */
export class OffsetTable {
  readonly #groups = new Map<string, GroupOffsets>();

  get(groupId: string, topic: string, partition: number): CommittedOffset | undefined {
    return this.#groups.get(groupId)?.get(topic)?.get(partition);
  }

  /** The offsets of a group by topic and partition; undefined when it has none. */
  ofGroup(groupId: string): ReadonlyMap<string, ReadonlyMap<number, CommittedOffset>> | undefined {
    return this.#groups.get(groupId);
  }

  groupIds(): IterableIterator<string> {
    return this.#groups.keys();
  }

  // oxlint-disable-next-line max-params -- the three parts of the key and the value
  set(groupId: string, topic: string, partition: number, offset: CommittedOffset): void {
    let topics = this.#groups.get(groupId);
    if (topics === undefined) this.#groups.set(groupId, (topics = new Map()));
    let partitions = topics.get(topic);
    if (partitions === undefined) topics.set(topic, (partitions = new Map()));
    partitions.set(partition, offset);
  }

  delete(groupId: string, topic: string, partition: number): void {
    const topics = this.#groups.get(groupId);
    const partitions = topics?.get(topic);
    if (topics === undefined || partitions === undefined) return;
    partitions.delete(partition);
    if (partitions.size > 0) return;
    topics.delete(topic);
    if (topics.size === 0) this.#groups.delete(groupId);
  }
}

/**
 * The offsets of one shard: those that count, and beside them those of transactions still open (KIP-98), by producer id.
 * Changed by replay only.
 */
export class OffsetStore {
  readonly committed = new OffsetTable();
  readonly #pending = new Map<number, OffsetTable>();

  /** Installs a record: an offset, or the end of one. */
  replay(
    { key, value }: OffsetRecord,
    position: { readonly offset: number; readonly producerId: number },
  ): void {
    if (value === null) this.delete(key.group, key.topic, key.partition);
    else this.put(key, value, position);
  }

  /** Installs a committed offset; one of a transaction waits for its end. */
  put(
    key: { readonly group: string; readonly topic: string; readonly partition: number },
    value: OffsetCommitValue,
    { offset: recordOffset, producerId }: { readonly offset: number; readonly producerId: number },
  ): void {
    let table = this.committed;
    if (producerId >= 0) {
      table = this.#pending.get(producerId) ?? new OffsetTable();
      this.#pending.set(producerId, table);
    }
    table.set(key.group, key.topic, key.partition, {
      offset: value.offset,
      leaderEpoch: value.leaderEpoch,
      metadata: value.metadata,
      commitTimestampMs: value.commitTimestamp,
      expireTimestampMs: value.expireTimestamp,
      topicId: value.topicId,
      recordOffset,
    });
  }

  /** A tombstone: the offset is gone, pending ones included. */
  delete(groupId: string, topic: string, partition: number): void {
    this.committed.delete(groupId, topic, partition);
    for (const table of this.#pending.values()) table.delete(groupId, topic, partition);
  }

  /** The end of a transaction: its offsets count or vanish. A later plain commit wins over an earlier transactional one. */
  endTransaction(producerId: number, commit: boolean): void {
    const table = this.#pending.get(producerId);
    this.#pending.delete(producerId);
    if (table === undefined || !commit) return;
    for (const groupId of table.groupIds()) {
      for (const [topic, partitions] of table.ofGroup(groupId) ?? []) {
        for (const [partition, offset] of partitions) {
          const current = this.committed.get(groupId, topic, partition);
          if (current === undefined || current.recordOffset < offset.recordOffset) {
            this.committed.set(groupId, topic, partition, offset);
          }
        }
      }
    }
  }

  hasPending(groupId: string, topic: string, partition: number): boolean {
    for (const table of this.#pending.values()) {
      if (table.get(groupId, topic, partition) !== undefined) return true;
    }
    return false;
  }

  hasOpenTransactions(groupId: string): boolean {
    for (const table of this.#pending.values()) {
      if (table.ofGroup(groupId) !== undefined) return true;
    }
    return false;
  }

  /** Every group with an offset, committed or pending. */
  groupIds(): Set<string> {
    const ids = new Set(this.committed.groupIds());
    for (const table of this.#pending.values()) for (const groupId of table.groupIds()) ids.add(groupId);
    return ids;
  }

  /** Partitions of a group, committed or pending, that hold an offset. */
  partitionsOf(groupId: string): { readonly topic: string; readonly partition: number }[] {
    const found = new Map<string, { topic: string; partition: number }>();
    for (const table of [this.committed, ...this.#pending.values()]) {
      for (const [topic, partitions] of table.ofGroup(groupId) ?? []) {
        for (const partition of partitions.keys()) found.set(`${partition}/${topic}`, { topic, partition });
      }
    }
    return [...found.values()];
  }

  has(groupId: string): boolean {
    return this.committed.ofGroup(groupId) !== undefined || this.hasOpenTransactions(groupId);
  }
}
