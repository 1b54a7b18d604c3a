const FIRST_SLOTS = 4096;
/** Four words of a digest and the offset. */
const SLOT_BYTES = 24;

/** Digests a key to 16 bytes, of which no two keys that anybody can find have the same. */
export type KeyDigest = (key: Buffer) => Buffer;

/**
 * The newest offset of each key, by the key's digest: 24 bytes a key however long the keys are (Kafka's
 * SkimpyOffsetMap). Open addressing; it grows up to its bound, and says when it is full.
 *
 *     digests   [ d d d d | d d d d | ....... | d d d d ]   four words a slot
 *     offsets   [    17   |    -1   |    4    |    9    ]   -1: free
 */
export class OffsetMap {
  readonly #digest: KeyDigest;
  readonly #maxKeys: number;
  readonly #loadFactor: number;
  #digests = new Uint32Array(FIRST_SLOTS * 4);
  #offsets = new Float64Array(FIRST_SLOTS).fill(-1);
  #size = 0;
  /** Highest offset that was looked at, -1 before the first. */
  latestOffset = -1;

  /** `maxBytes` bounds the memory, `loadFactor` (0 to 1) says how full the slots may become. */
  constructor(digest: KeyDigest, options: { maxBytes: number; loadFactor: number }) {
    this.#digest = digest;
    this.#loadFactor = options.loadFactor;
    this.#maxKeys = Math.max(1, Math.floor((options.maxBytes / SLOT_BYTES) * options.loadFactor));
  }

  get isFull(): boolean {
    return this.#size >= this.#maxKeys;
  }

  /** Notes the offset of a key; offsets are put in rising order. The caller asks `isFull` before. */
  put(key: Buffer, offset: number): void {
    if (this.#size + 1 > this.#offsets.length * this.#loadFactor) this.#grow();
    const digest = this.#digest(key);
    const words = [0, 4, 8, 12].map((at) => digest.readUInt32LE(at)) as [number, number, number, number];
    const slot = this.#slotOf(words);
    if (this.#offsets[slot]! < 0) {
      this.#digests.set(words, slot * 4);
      this.#size++;
    }
    this.#offsets[slot] = offset;
  }

  /** The newest offset of a key; -1 when it was not put. */
  get(key: Buffer): number {
    const digest = this.#digest(key);
    return this.#offsets[
      this.#slotOf([
        digest.readUInt32LE(0),
        digest.readUInt32LE(4),
        digest.readUInt32LE(8),
        digest.readUInt32LE(12),
      ])
    ]!;
  }

  /** The slot of a digest, or the free one where it belongs. */
  #slotOf([a, b, c, d]: readonly [number, number, number, number]): number {
    const slots = this.#offsets.length;
    const digests = this.#digests;
    let slot = a % slots;
    while (this.#offsets[slot]! >= 0) {
      const at = slot * 4;
      if (digests[at] === a && digests[at + 1] === b && digests[at + 2] === c && digests[at + 3] === d) break;
      slot = slot + 1 === slots ? 0 : slot + 1;
    }
    return slot;
  }

  #grow(): void {
    const digests = this.#digests;
    const offsets = this.#offsets;
    const most = Math.ceil(this.#maxKeys / this.#loadFactor) + 1;
    const slots = Math.max(offsets.length + 1, Math.min(offsets.length * 2, most));
    this.#digests = new Uint32Array(slots * 4);
    this.#offsets = new Float64Array(slots).fill(-1);
    for (let slot = 0; slot < offsets.length; slot++) {
      if (offsets[slot]! < 0) continue;
      const at = slot * 4;
      const to = this.#slotOf([digests[at]!, digests[at + 1]!, digests[at + 2]!, digests[at + 3]!]);
      this.#digests.set(digests.subarray(at, at + 4), to * 4);
      this.#offsets[to] = offsets[slot]!;
    }
  }
}
