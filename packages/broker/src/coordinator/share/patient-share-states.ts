import type { Clock } from '@ottla/platform';
import { ErrorCodes } from '@ottla/protocol';
import type { ShareCoordinator } from './share-coordinator.ts';

/** How often a state that is not at hand is asked for, and how long the first pause is; each pause is twice the last. */
const ATTEMPTS = 8;
const FIRST_PAUSE_MS = 20;

const PASSING: ReadonlySet<number> = new Set([
  ErrorCodes.NOT_COORDINATOR,
  ErrorCodes.COORDINATOR_NOT_AVAILABLE,
  ErrorCodes.COORDINATOR_LOAD_IN_PROGRESS,
]);

export interface PatientShareStatesDeps {
  readonly states: Pick<ShareCoordinator, 'initialize' | 'read' | 'write' | 'delete' | 'readSummary'>;
  readonly clock: Clock;
  /** Makes sure that the coordinator's topic exists; resolves to an error code. */
  readonly ensureStateTopic: () => Promise<number>;
}

/**
 * The share coordinator as the rest of the broker uses it (Kafka's persister): when the state topic does not exist yet, or its
 * partition is still being loaded, it is made and waited for, up to three seconds. Whoever asks over the network gets the
 * coordinator's own answer instead and asks again.
 */
export class PatientShareStates {
  readonly #deps: PatientShareStatesDeps;
  #closed = false;

  constructor(deps: PatientShareStatesDeps) {
    this.#deps = deps;
  }

  readonly initialize: ShareCoordinator['initialize'] = (command) =>
    this.#retry(() => this.#deps.states.initialize(command));

  readonly read: ShareCoordinator['read'] = (key, leaderEpoch) =>
    this.#retry(() => this.#deps.states.read(key, leaderEpoch));

  readonly write: ShareCoordinator['write'] = (command) =>
    this.#retry(() => this.#deps.states.write(command));

  readonly delete: ShareCoordinator['delete'] = (key) => this.#retry(() => this.#deps.states.delete(key));

  readonly readSummary: ShareCoordinator['readSummary'] = (key, leaderEpoch) =>
    this.#retry(() => this.#deps.states.readSummary(key, leaderEpoch));

  /** From now on nothing is asked for twice. */
  close(): void {
    this.#closed = true;
  }

  async #retry<R extends { readonly errorCode: number }>(ask: () => Promise<R>): Promise<R> {
    let pauseMs = FIRST_PAUSE_MS;
    for (let attempt = 1; ; attempt++) {
      const result = await ask();
      if (attempt === ATTEMPTS || this.#closed || !PASSING.has(result.errorCode)) return result;
      await this.#deps.ensureStateTopic();
      const delayMs = pauseMs;
      await new Promise<void>((resolve) => void this.#deps.clock.setTimer(delayMs, resolve));
      pauseMs *= 2;
    }
  }
}
