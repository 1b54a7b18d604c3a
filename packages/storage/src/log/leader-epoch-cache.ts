import type { Disk } from '@ottla/platform';
import { DamagedLogError } from '../errors.ts';
import { formatCheckpoint, parseCheckpoint } from '../files/offset-checkpoint.ts';
import type { EpochEndOffset } from '../types.ts';

interface EpochEntry {
  readonly epoch: number;
  readonly startOffset: number;
}

/**
 * Which leader epoch wrote which offsets (KIP-101): one entry per epoch with its first offset, both strictly rising.
 * Kept in memory; the owner writes it to `leader-epoch-checkpoint` before it counts the records as durable, and
 * recovery finds the newer entries again in the batches.
 */
export class LeaderEpochCache {
  readonly #disk: Disk;
  readonly #file: string;
  #entries: EpochEntry[] = [];
  #dirty = false;

  /** @throws DamagedLogError when the file exists and is malformed */
  constructor(disk: Disk, file: string) {
    this.#disk = disk;
    this.#file = file;
    if (!disk.existsSync(file)) return;
    for (const [epoch, startOffset] of linesOf(file, disk.readFileSync(file).toString('utf8'))) {
      this.#push({ epoch: Number(epoch), startOffset: Number(startOffset) });
    }
  }

  get latestEpoch(): number {
    return this.#entries.at(-1)?.epoch ?? -1;
  }

  get entries(): readonly EpochEntry[] {
    return this.#entries;
  }

  /** Notes that records of `epoch` begin at `startOffset`, unless that epoch has begun already. */
  assign(epoch: number, startOffset: number): void {
    if (epoch < 0) return;
    const latest = this.#entries.at(-1);
    if (latest !== undefined && latest.epoch === epoch && startOffset >= latest.startOffset) return;
    this.#push({ epoch, startOffset });
    this.#dirty = true;
  }

  /** A later writer wins: entries that contradict the new one (same or newer epoch, same or later offset) go. */
  #push(entry: EpochEntry): void {
    let keep = this.#entries.length;
    while (keep > 0) {
      const last = this.#entries[keep - 1]!;
      if (last.epoch < entry.epoch && last.startOffset < entry.startOffset) break;
      keep--;
    }
    this.#entries.length = keep;
    this.#entries.push(entry);
  }

  /**
   * Where the requested epoch ended on this replica, for OffsetForLeaderEpoch: the answer names the largest epoch at or
   * below it that is known here. An epoch newer than all known ones is answered with -1.
   */
  endOffsetFor(requestedEpoch: number, logEndOffset: number): EpochEndOffset {
    if (requestedEpoch < 0 || requestedEpoch > this.latestEpoch) return { leaderEpoch: -1, endOffset: -1 };
    if (requestedEpoch === this.latestEpoch) return { leaderEpoch: requestedEpoch, endOffset: logEndOffset };
    const higher = this.#entries.findIndex((entry) => entry.epoch > requestedEpoch);
    const endOffset = this.#entries[higher]!.startOffset;
    const floor = this.#entries[higher - 1];
    return { leaderEpoch: floor === undefined ? requestedEpoch : floor.epoch, endOffset };
  }

  epochForOffset(offset: number): number {
    return this.#entries.findLast((entry) => entry.startOffset <= offset)?.epoch ?? -1;
  }

  /** Forgets epochs that begin at or after `endOffset`. */
  truncateFromEnd(endOffset: number): void {
    const before = this.#entries.length;
    while ((this.#entries.at(-1)?.startOffset ?? -1) >= endOffset) this.#entries.pop();
    if (this.#entries.length !== before) this.#dirty = true;
  }

  /** Forgets epochs that ended at or before `startOffset`; the one that spans it now begins there. */
  truncateFromStart(startOffset: number): void {
    const spanning = this.#entries.findLastIndex((entry) => entry.startOffset <= startOffset);
    if (spanning < 0 || (spanning === 0 && this.#entries[0]!.startOffset === startOffset)) return;
    this.#entries = [
      { epoch: this.#entries[spanning]!.epoch, startOffset },
      ...this.#entries.slice(spanning + 1),
    ];
    this.#dirty = true;
  }

  /** Takes over the entries of another log of the same records. */
  replaceWith(entries: readonly EpochEntry[]): void {
    this.#entries = [...entries];
    this.#dirty = true;
  }

  clear(): void {
    if (this.#entries.length > 0) this.#dirty = true;
    this.#entries = [];
  }

  /** Writes the file if anything changed; durable when it resolves. */
  async persist(): Promise<void> {
    if (!this.#dirty) return;
    this.#dirty = false;
    try {
      await this.#disk.replaceFile(this.#file, this.#format());
    } catch (error) {
      this.#dirty = true;
      throw error;
    }
  }

  #format(): string {
    return formatCheckpoint(this.#entries.map((entry) => `${entry.epoch} ${entry.startOffset}`));
  }
}

function linesOf(file: string, content: string): string[][] {
  try {
    return parseCheckpoint(file, content, 2);
  } catch (error) {
    const { message } = error as Error;
    throw new DamagedLogError(
      file,
      `${message}. Remove the file if no other broker has a replica of the partition`,
    );
  }
}
