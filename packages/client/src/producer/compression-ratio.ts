/** How much the estimate falls with a batch that was packed better, and rises with one that was packed worse. */
const IMPROVING_STEP = 0.005;
const DETERIORATING_STEP = 0.05;
/** More than this is not put into one batch, however well it packs. */
const MAX_FACTOR = 8;
/** For the batch that turns out worse than the estimate. */
const SAFETY = 1.05;

/**
 * Estimates how well the batches of a topic are packed, so that `batch.size` means bytes on the wire: a batch takes as many
 * plain bytes as will be about that size when compressed. Kafka's estimator, with its steps.
 */
export class CompressionRatio {
  #ratio = 1;

  /** Packed bytes per plain byte, as estimated now. */
  get ratio(): number {
    return this.#ratio;
  }

  /** Plain bytes for a batch that is to have `batchSizeBytes`: a whole multiple of it, so that buffers can be used again. */
  plainLimit(batchSizeBytes: number): number {
    const factor = Math.floor(1 / (this.#ratio * SAFETY));
    return batchSizeBytes * Math.min(MAX_FACTOR, Math.max(1, factor));
  }

  /** A batch was packed to this part of its size. */
  observe(ratio: number): void {
    if (ratio > this.#ratio) this.#ratio = Math.max(this.#ratio + DETERIORATING_STEP, ratio);
    else if (ratio < this.#ratio) this.#ratio = Math.max(this.#ratio - IMPROVING_STEP, ratio);
  }

  /** A batch was too large for the broker: begins again with no gain at all. */
  reset(): void {
    this.#ratio = Math.max(1, this.#ratio);
  }
}
