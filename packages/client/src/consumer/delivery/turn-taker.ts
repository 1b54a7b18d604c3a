import type { Clock } from '@ottla/platform';

/** Looking at the clock for every record would cost as much as the record. */
const RECORDS_PER_LOOK = 128;
/** How long a loop over buffered records may keep the event loop to itself. */
const MAX_TURN_MS = 8;

/**
 * A loop over records that are there already goes on from promise to promise and never lets the event loop turn: no socket is read, no
 * heartbeat sent. So it is made to wait for a turn now and then.
 */
export class TurnTaker {
  readonly #clock: Clock;
  #count = 0;
  #sinceMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts records; true when it is time for `turn`. */
  isDue(records: number): boolean {
    this.#count += records;
    if (this.#count < RECORDS_PER_LOOK) return false;
    this.#count = 0;
    return this.#clock.monotonicMs() - this.#sinceMs >= MAX_TURN_MS;
  }

  /** Resolves after the event loop has turned. */
  async turn(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.#sinceMs = this.#clock.monotonicMs();
  }

  /** The event loop has just turned anyway. */
  hasTurned(): void {
    this.#sinceMs = this.#clock.monotonicMs();
    this.#count = 0;
  }
}
