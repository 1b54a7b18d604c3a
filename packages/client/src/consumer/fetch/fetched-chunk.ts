import type { TopicPartition } from '../../admin/admin-requests.ts';

/** A transaction that was aborted, as a Fetch answer lists it: its producer's records from `firstOffset` on until the marker. */
export interface AbortedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
}

/**
 * The memory of one Fetch answer. All its chunks are views of one buffer, so it counts until the last of them has been handed out.
 */
export class FrameShare {
  #chunkCount = 0;
  readonly bytes: number;
  readonly #onFree: (bytes: number) => void;

  constructor(bytes: number, onFree: (bytes: number) => void) {
    this.bytes = bytes;
    this.#onFree = onFree;
  }

  take(): void {
    this.#chunkCount += 1;
  }

  release(): void {
    this.#chunkCount -= 1;
    if (this.#chunkCount === 0) this.#onFree(this.bytes);
  }
}

/** Record batches of one partition as they came, none opened yet. */
export class Chunk {
  readonly place: TopicPartition;
  readonly records: Buffer;
  readonly aborted: readonly AbortedTransaction[];
  readonly #frame: FrameShare;
  #isReleased = false;

  constructor(
    place: TopicPartition,
    content: { readonly records: Buffer; readonly aborted: readonly AbortedTransaction[] },
    frame: FrameShare,
  ) {
    this.place = place;
    this.records = content.records;
    this.aborted = content.aborted;
    this.#frame = frame;
    frame.take();
  }

  /** Its bytes no longer count as buffered. Idempotent. */
  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#frame.release();
  }
}
