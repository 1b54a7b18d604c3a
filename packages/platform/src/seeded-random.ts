import type { Random } from './random.ts';
import { uuidFromBytes } from './uuid.ts';

/**
 * A reproducible generator (sfc32, 128 bits of state): the same seed gives the same sequence on every machine.
 * For tests and simulation only, its output is easy to predict.
 */
export class SeededRandom implements Random {
  readonly seed: number;
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number) {
    this.seed = seed;
    this.#a = seed | 0;
    this.#b = Math.trunc(seed / 0x1_0000_0000) | 0;
    this.#c = 0x9e37_79b9 | 0;
    // The first rounds carry the seed's few bits into the whole state.
    for (let round = 0; round < 15; round++) this.nextUint32();
  }

  nextUint32(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  nextInt(bound: number): number {
    if (bound <= 1) return 0;
    const wide = this.nextUint32() * 0x20_0000 + (this.nextUint32() >>> 11);
    return Math.floor((wide / 2 ** 53) * bound);
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.nextUint32() / 2 ** 32 < probability;
  }

  uuid(): string {
    for (;;) {
      const bytes = Buffer.alloc(16);
      for (let i = 0; i < 16; i += 4) bytes.writeUInt32LE(this.nextUint32(), i);
      const uuid = uuidFromBytes(bytes);
      if (uuid !== null) return uuid;
    }
  }
}
