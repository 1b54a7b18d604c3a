import type { Disk } from '@ottla/platform';
import { offsetFromName, offsetName, SNAPSHOT_SUFFIX } from '../files/log-files.ts';
import type { ProducerEntry } from './producer-entry.ts';
import { decodeProducerSnapshot, encodeProducerSnapshot } from './producer-snapshot.ts';

/** The `.snapshot` files of one log, by the offset they were taken at. */
export class ProducerSnapshots {
  readonly #disk: Disk;
  readonly #folder: string;
  #offsets: number[];
  /** Written since the last `persist`. */
  #unsynced: number[] = [];

  constructor(disk: Disk, folder: string) {
    this.#disk = disk;
    this.#folder = folder;
    this.#offsets = disk
      .listSync(folder)
      .filter((name) => name.endsWith(SNAPSHOT_SUFFIX) && offsetFromName(name) !== null)
      .map((name) => offsetFromName(name)!);
  }

  get latestOffset(): number {
    return this.#offsets.at(-1) ?? -1;
  }

  pathOf(offset: number): string {
    return `${this.#folder}/${offsetName(offset)}${SNAPSHOT_SUFFIX}`;
  }

  /**
   * Writes a snapshot to the page cache. It carries a CRC, so one that a power cut tore is recognised and the one
   * before it used; the next flush of the log makes it durable.
   */
  write(offset: number, entries: Iterable<ProducerEntry>): void {
    const file = this.#disk.openSync(this.pathOf(offset), 'append');
    try {
      const bytes = encodeProducerSnapshot(entries);
      file.truncateSync(0);
      file.writeSync([bytes], 0);
    } finally {
      file.closeSync();
    }
    this.#offsets = this.#offsets.filter((other) => other !== offset);
    const at = this.#offsets.findIndex((other) => other > offset);
    this.#offsets.splice(at < 0 ? this.#offsets.length : at, 0, offset);
    this.#unsynced.push(offset);
  }

  /** Makes the snapshots durable that were written. */
  async persist(): Promise<void> {
    const unsynced = this.#unsynced;
    this.#unsynced = [];
    for (const offset of unsynced) await this.sync(offset);
  }

  /** Whether there is a snapshot at that offset which is whole: a power cut may have torn it. */
  isReadable(offset: number): boolean {
    if (!this.#offsets.includes(offset)) return false;
    try {
      decodeProducerSnapshot(this.#disk.readFileSync(this.pathOf(offset)));
      return true;
    } catch {
      return false;
    }
  }

  /** Makes a snapshot durable; silent when there is none at that offset. */
  async sync(offset: number): Promise<void> {
    if (!this.#offsets.includes(offset)) return;
    try {
      const file = this.#disk.openSync(this.pathOf(offset), 'read');
      try {
        await file.datasync();
      } finally {
        file.closeSync();
      }
    } catch (error) {
      // Retention may have taken it away meanwhile.
      if (this.#offsets.includes(offset)) throw error;
    }
  }

  /**
   * The newest readable snapshot from the beginning of the log up to `maxOffset`; damaged ones on the way are removed. An
   * older one, left behind when the machine went down after retention, knows nothing of the batches that were removed
   * since: a transaction that ended in them would stay open for ever.
   */
  loadLatest(
    firstBaseOffset: number,
    maxOffset: number,
  ): { offset: number; entries: ProducerEntry[] } | null {
    const usable = this.#offsets.filter((other) => other >= firstBaseOffset && other <= maxOffset);
    for (const offset of usable.reverse()) {
      try {
        return { offset, entries: decodeProducerSnapshot(this.#disk.readFileSync(this.pathOf(offset))) };
      } catch {
        this.#remove(offset);
      }
    }
    return null;
  }

  /** Keeps the snapshots that a segment begins with, and the newest one if it is whole (a clean shutdown wrote it at the log end). */
  removeStray(segmentBaseOffsets: ReadonlySet<number>): void {
    const newest = this.latestOffset;
    for (const offset of this.#offsets.slice()) {
      if (segmentBaseOffsets.has(offset)) continue;
      if (offset !== newest || !this.isReadable(offset)) this.#remove(offset);
    }
  }

  /** Retention has removed the segments before `offset`; recovery will never go back there. */
  removeBefore(offset: number): void {
    for (const other of this.#offsets.slice()) if (other < offset) this.#remove(other);
  }

  /** The log was truncated: these describe producers of records that are gone. */
  removeAfter(offset: number): void {
    for (const other of this.#offsets.slice()) if (other > offset) this.#remove(other);
  }

  /** A snapshot file was renamed or removed together with its segment. */
  forget(offset: number): void {
    this.#offsets = this.#offsets.filter((other) => other !== offset);
  }

  #remove(offset: number): void {
    this.#disk.unlinkSync(this.pathOf(offset));
    this.forget(offset);
  }
}
