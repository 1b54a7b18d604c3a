/** So many buckets for each doubling: a value is known to 1 in 128. */
const STEPS_PER_DOUBLING = 128;
const DOUBLINGS = 40;

/**
 * Durations, counted in buckets that grow with them, so that a million take no more room than ten: from a microsecond to two weeks,
 * each to a hundredth.
 */
export class Latencies {
  readonly #counts = new Float64Array(STEPS_PER_DOUBLING * DOUBLINGS);
  #count = 0;
  #sumMs = 0;
  #maxMs = 0;

  get count(): number {
    return this.#count;
  }

  get averageMs(): number {
    return this.#count === 0 ? 0 : this.#sumMs / this.#count;
  }

  get maxMs(): number {
    return this.#maxMs;
  }

  /** Counts a duration `times` over. */
  add(durationMs: number, times = 1): void {
    this.#counts[bucketOf(durationMs)]! += times;
    this.#count += times;
    this.#sumMs += durationMs * times;
    if (durationMs > this.#maxMs) this.#maxMs = durationMs;
  }

  /** The duration that `percent` of all do not exceed; 0 when there is none. */
  percentileMs(percent: number): number {
    const wanted = Math.max(1, Math.ceil((percent / 100) * this.#count));
    let seen = 0;
    for (let bucket = 0; bucket < this.#counts.length && this.#count > 0; bucket += 1) {
      seen += this.#counts[bucket]!;
      if (seen >= wanted) return Math.min(upperBoundMs(bucket), this.#maxMs);
    }
    return 0;
  }
}

function bucketOf(durationMs: number): number {
  const micros = Math.max(1, durationMs * 1000);
  const bucket = Math.floor(Math.log2(micros) * STEPS_PER_DOUBLING);
  return Math.min(bucket, STEPS_PER_DOUBLING * DOUBLINGS - 1);
}

function upperBoundMs(bucket: number): number {
  return 2 ** ((bucket + 1) / STEPS_PER_DOUBLING) / 1000;
}

/** Reads `50,95,99.9`. @throws RangeError for what is no percentage */
export function parsePercentiles(text: string): number[] {
  return text.split(',').map((each) => {
    const percent = Number(each);
    if (each.trim() === '' || !(percent > 0 && percent <= 100))
      throw new RangeError(`Percentile "${each}" is not above 0 and at most 100`);
    return percent;
  });
}
