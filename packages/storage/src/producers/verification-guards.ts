import { ErrorCodes } from '@ottla/protocol';
import { LogError } from '../errors.ts';
import type { VerificationGuard } from '../types.ts';

/**
 * Which producers are being verified. Between the question to the coordinator and the append there is time for the
 * transaction to end: the marker takes the guard away, and the batch that comes too late is refused. Without that it
 * would open a transaction that nobody ends.
 */
export class VerificationGuards {
  readonly #guards = new Map<number, VerificationGuard>();
  readonly #old = new WeakSet<VerificationGuard>();

  /** The guard of a producer, a new one if need be. */
  start(producerId: number): VerificationGuard {
    const known = this.#guards.get(producerId);
    if (known !== undefined) return known;
    const guard = { producerId };
    this.#guards.set(producerId, guard);
    return guard;
  }

  /** A marker was written, or the transaction begins: verifications before it are over. */
  end(producerId: number): void {
    this.#guards.delete(producerId);
  }

  /** @throws LogError INVALID_TXN_STATE when the batch would open a transaction without having been verified */
  check(producerId: number, guard: VerificationGuard | null): void {
    if (guard !== null && this.#guards.get(producerId) === guard) return;
    throw new LogError(
      ErrorCodes.INVALID_TXN_STATE,
      `The batch of producer "${producerId}" is not part of an ongoing transaction: add its partition first`,
    );
  }

  clear(): void {
    this.#guards.clear();
  }

  /** Forgets the guards that were there at the call before: a producer that was refused never comes back for its own. */
  removeOld(): void {
    for (const [producerId, guard] of this.#guards) {
      if (this.#old.has(guard)) this.#guards.delete(producerId);
      else this.#old.add(guard);
    }
  }
}
