import type { SeededRandom } from './seeded-random.ts';

/** The unit that a power cut keeps or loses as a whole. */
const SECTOR_BYTES = 512;

/**
 * A simulated file: its content as every reader sees it, and what would be left of it after a power cut.
 *
 *     content  [ s0 | s1 | s2*| s3*]      * dirty: written since the last sync
 *     durable  [ s0 | s1 | s2 ]
 *     cut      [ s0 | s1 | s2 or s2* | nothing, zeros or s3* ]
 */
export class SimFileNode {
  content: Buffer = Buffer.alloc(0);
  length = 0;
  modifiedMs = 0;
  #durable: Buffer = Buffer.alloc(0);
  #durableLength = 0;
  #dirty = new Set<number>();
  #dirtyLength = false;
  /** Where the durable bytes were cut off since the last sync: the next one makes zeros of what is left behind. */
  #cutFrom = Infinity;

  write(bytes: Buffer, position: number): void {
    const end = position + bytes.length;
    this.#reserve(end);
    bytes.copy(this.content, position);
    if (end > this.length) this.#setLength(end);
    this.#markDirty(position, end);
  }

  truncate(length: number): void {
    this.#reserve(length);
    // What lies beyond the end reads as zeros if the file grows again.
    this.content.fill(0, Math.min(length, this.length));
    this.#cutFrom = Math.min(this.#cutFrom, length);
    if (length > this.length) this.#markDirty(this.length, length);
    this.#setLength(length);
  }

  /** What a sync that begins now will have made durable when it ends. */
  beginSync(): { sectors: Set<number>; length: number } {
    return { sectors: new Set(this.#dirty), length: this.length };
  }

  finishSync(begun: { sectors: Set<number>; length: number }): void {
    if (this.#cutFrom < this.#durable.length) this.#durable.fill(0, this.#cutFrom);
    this.#cutFrom = Infinity;
    for (const sector of begun.sectors) {
      this.#persistSector(sector);
      this.#dirty.delete(sector);
    }
    this.#durableLength = Math.min(begun.length, this.length);
    this.#dirtyLength = this.length !== this.#durableLength;
  }

  /**
   * A sync failed: as Linux does, the pages count as clean from now on although they never reached the disk, so that
   * the next sync succeeds without having saved them.
   */
  failSync(begun: { sectors: Set<number> }): void {
    for (const sector of begun.sectors) this.#dirty.delete(sector);
  }

  /** The power is cut: any subset of the unsynced sectors and any length on the way may be what is left. */
  cutPower(random: SeededRandom): void {
    for (const sector of this.#dirty) if (random.chance(0.5)) this.#persistSector(sector);
    let length = this.#durableLength;
    if (this.#dirtyLength) {
      const low = Math.min(length, this.length);
      const high = Math.max(length, this.length);
      length = random.chance(0.3) ? low : random.chance(0.3) ? high : low + random.nextInt(high - low + 1);
    }
    if (this.#durable.length < length) {
      this.#durable = Buffer.concat([this.#durable, Buffer.alloc(length - this.#durable.length)]);
    }
    this.content = Buffer.from(this.#durable);
    this.content.fill(0, length);
    this.length = length;
    this.#durable = Buffer.from(this.content);
    this.#durableLength = length;
    this.#dirty = new Set();
    this.#dirtyLength = false;
    this.#cutFrom = Infinity;
  }

  /** Flips one bit, on the disk and in the cache alike. */
  flipBit(position: number, bit: number): void {
    for (const bytes of [this.content, this.#durable]) {
      if (position < bytes.length) bytes[position]! ^= 1 << bit;
    }
  }

  #setLength(length: number): void {
    this.length = length;
    this.#dirtyLength = true;
  }

  #reserve(length: number): void {
    if (length <= this.content.length) return;
    const larger = Buffer.alloc(Math.max(length, this.content.length * 2, SECTOR_BYTES));
    this.content.copy(larger);
    this.content = larger;
  }

  #markDirty(from: number, to: number): void {
    for (let sector = Math.floor(from / SECTOR_BYTES); sector * SECTOR_BYTES < to; sector++)
      this.#dirty.add(sector);
  }

  #persistSector(sector: number): void {
    const from = sector * SECTOR_BYTES;
    const to = from + SECTOR_BYTES;
    if (this.#durable.length < to) {
      const larger = Buffer.alloc(Math.max(to, this.#durable.length * 2));
      this.#durable.copy(larger);
      this.#durable = larger;
    }
    this.#durable.fill(0, from, to);
    this.content.copy(this.#durable, from, from, Math.min(to, this.content.length));
  }
}

/** One change of a folder: names that now stand for a node, or for nothing. */
type FolderChange = readonly (readonly [name: string, node: SimNode | null])[];

export type SimNode = SimFileNode | SimFolderNode;

/** A simulated folder. Its changes become durable in their order; a power cut keeps some first part of the unsynced ones. */
export class SimFolderNode {
  readonly entries = new Map<string, SimNode>();
  #durableEntries = new Map<string, SimNode>();
  #unsynced: FolderChange[] = [];

  apply(change: FolderChange): void {
    applyTo(this.entries, change);
    this.#unsynced.push(change);
  }

  sync(): void {
    this.#durableEntries = new Map(this.entries);
    this.#unsynced = [];
  }

  cutPower(random: SeededRandom): void {
    const kept = random.nextInt(this.#unsynced.length + 1);
    for (const change of this.#unsynced.slice(0, kept)) applyTo(this.#durableEntries, change);
    this.#unsynced = [];
    this.entries.clear();
    for (const [name, node] of this.#durableEntries) {
      this.entries.set(name, node);
      node.cutPower(random);
    }
  }
}

function applyTo(entries: Map<string, SimNode>, change: FolderChange): void {
  for (const [name, node] of change) {
    if (node === null) entries.delete(name);
    else entries.set(name, node);
  }
}
