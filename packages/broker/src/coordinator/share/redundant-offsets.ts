/**
 * Finds how far the state topic's partition can be cut: each share partition needs its last snapshot and what follows, so
 * everything before the oldest of these snapshots is redundant.
 */
export class RedundantOffsets {
  /** Offset of the last snapshot of each share partition. */
  readonly #snapshots = new Map<string, number>();
  #end = 0;

  /** A snapshot of `key` stands at `offset`. */
  onSnapshot(key: string, offset: number): void {
    this.#snapshots.set(key, offset);
    this.#end = offset + 1;
  }

  /** The state of `key` was deleted by the record at `offset`. */
  onTombstone(key: string, offset: number): void {
    this.#snapshots.delete(key);
    this.#end = offset;
  }

  /** Everything before this offset may be deleted; null when nothing may. */
  lastRedundantOffset(): number | null {
    let oldest = this.#end;
    for (const offset of this.#snapshots.values()) oldest = Math.min(oldest, offset);
    return oldest > 0 ? oldest : null;
  }
}
