import type { LogSegment } from './log-segment.ts';

/** The segments of a log in offset order; the last one is active. */
export class SegmentList {
  readonly #segments: LogSegment[] = [];
  #changes = 0;

  /** How often segments were added or removed. */
  get changes(): number {
    return this.#changes;
  }

  get length(): number {
    return this.#segments.length;
  }

  get active(): LogSegment {
    return this.#segments.at(-1)!;
  }

  get first(): LogSegment {
    return this.#segments[0]!;
  }

  at(slot: number): LogSegment | undefined {
    return this.#segments[slot];
  }

  all(): readonly LogSegment[] {
    return this.#segments;
  }

  add(segment: LogSegment): void {
    const at = this.floorSlot(segment.baseOffset) + 1;
    this.#changes++;
    this.#segments.splice(at, 0, segment);
  }

  remove(segment: LogSegment): void {
    const at = this.#segments.indexOf(segment);
    if (at < 0) return;
    this.#changes++;
    this.#segments.splice(at, 1);
  }

  /** Slot of the segment that contains the offset; -1 below the first. */
  floorSlot(offset: number): number {
    let low = 0;
    let high = this.#segments.length - 1;
    let found = -1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      if (this.#segments[middle]!.baseOffset <= offset) {
        found = middle;
        low = middle + 1;
      } else {
        high = middle - 1;
      }
    }
    return found;
  }
}
