import type { Random } from '@ottla/platform';
import { partitionForKey } from '@ottla/protocol';
import { maxBytesOf, writeText, type RecordBytes } from './record-bytes.ts';

/** What a custom partitioner is told of a record. */
export interface PartitionerInput {
  readonly topic: string;
  /** The key as it will be sent; null when there is none. */
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly partitionCount: number;
  /** Partitions that have a leader just now. */
  readonly availablePartitions: readonly number[];
}

/** Gives a record its partition: an integer from 0 below `partitionCount`. */
export type Partitioner = (record: PartitionerInput) => number;

let scratch = Buffer.allocUnsafeSlow(1024);

/** The partition of a key, as the official clients give it. */
export function partitionOfKey(key: Uint8Array | string, partitionCount: number): number {
  if (typeof key !== 'string') return partitionForKey(key, partitionCount);
  const bound = maxBytesOf(key);
  if (bound > scratch.length) scratch = Buffer.allocUnsafeSlow(2 * bound);
  return partitionForKey(scratch, partitionCount, writeText(scratch, 0, key));
}

/** A key or value as bytes, for who needs them before they are in a batch. */
export function toBytes(field: RecordBytes): Uint8Array | null {
  return typeof field === 'string' ? Buffer.from(field) : field;
}

/** What the sticky partitioner asks about the partitions of its topic. */
export interface PartitionLoads {
  readonly partitionCount: number;
  /** Batches that wait in a partition; -1 when it has no leader. */
  queuedBatches(partition: number): number;
}

/**
 * Partitions for records without a key (KIP-480, KIP-794): stays with one partition for the bytes of a batch, so that batches
 * fill up, then draws the next one, the more likely the fewer batches wait in it. Thus a slow broker gets less.
 */
export class StickyPartitioner {
  readonly #random: Random;
  readonly #stickyBytes: number;
  readonly #isAdaptive: boolean;
  #partition = -1;
  #bytes = 0;

  constructor(random: Random, options: { readonly stickyBytes: number; readonly isAdaptive: boolean }) {
    this.#random = random;
    this.#stickyBytes = Math.max(1, options.stickyBytes);
    this.#isAdaptive = options.isAdaptive;
  }

  /** The partition for the next record. */
  current(loads: PartitionLoads): number {
    const isGone = this.#partition < 0 || this.#partition >= loads.partitionCount;
    if (isGone) this.#partition = this.#draw(loads);
    return this.#partition;
  }

  /**
   * A record of so many bytes went to the current partition. The partition changes with the end of a batch (`isBatchFull`), so
   * that no batch stays half full for it, at the latest after twice the bytes of one.
   */
  onAppend(byteCount: number, isBatchFull: boolean): void {
    this.#bytes += byteCount;
    const limit = isBatchFull ? this.#stickyBytes : 2 * this.#stickyBytes;
    if (this.#bytes < limit) return;
    this.#partition = -1;
    this.#bytes = 0;
  }

  #draw(loads: PartitionLoads): number {
    const { partitionCount } = loads;
    let most = 0;
    let available = 0;
    for (let partition = 0; partition < partitionCount; partition++) {
      const queued = loads.queuedBatches(partition);
      if (queued < 0) continue;
      available++;
      if (queued > most) most = queued;
    }
    if (available === 0) return this.#random.nextInt(partitionCount);
    let total = 0;
    for (let partition = 0; partition < partitionCount; partition++)
      total += this.#weight(loads, partition, most);
    let drawn = this.#random.nextInt(total);
    for (let partition = 0; partition < partitionCount; partition++) {
      drawn -= this.#weight(loads, partition, most);
      if (drawn < 0) return partition;
    }
    return partitionCount - 1;
  }

  #weight(loads: PartitionLoads, partition: number, most: number): number {
    const queued = loads.queuedBatches(partition);
    if (queued < 0) return 0;
    return this.#isAdaptive ? most + 1 - queued : 1;
  }
}
