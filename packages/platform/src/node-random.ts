import { randomBytes, randomInt } from 'node:crypto';
import type { Random } from './random.ts';
import { uuidFromBytes } from './uuid.ts';

/** The system's generator: unpredictable, so fit for ids that others must not guess. */
export class NodeRandom implements Random {
  nextInt(bound: number): number {
    return bound <= 1 ? 0 : randomInt(bound);
  }

  uuid(): string {
    for (;;) {
      const uuid = uuidFromBytes(randomBytes(16));
      if (uuid !== null) return uuid;
    }
  }
}
