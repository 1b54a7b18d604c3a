import type { InterceptedRequest, Interception } from '@ottla/broker';
import type { Clock, TimerHandle } from '@ottla/platform';
import { ApiKeys, ErrorCodes, type ErrorName } from '@ottla/protocol';

/** Kafka's name of an API: `Produce`, `Fetch`, `JoinGroup`, ... */
export type ApiName = keyof typeof ApiKeys;

export interface FaultOptions {
  /** How many requests it concerns; `Infinity` for all to come. Default: 1. */
  readonly times?: number;
}

/** A fault that waits for its requests. */
export interface Fault {
  /** How many requests it has concerned so far. */
  readonly hits: number;
  /** Ends it: further requests are served as usual. Idempotent. */
  remove(): void;
}

interface Rule {
  readonly apiKey: number;
  readonly times: number;
  readonly make: () => Interception;
  hits: number;
}

/**
 * Faults on demand. Each concerns the next requests of one API, from any client; the oldest fault that is not used up yet
 * comes first. What the broker serves itself stays as it is.
 */
export class Faults {
  readonly #clock: Clock;
  #rules: Rule[] = [];
  readonly #delays = new Map<TimerHandle, () => void>();

  /** Use `kafka.faults`. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Answers the next requests with an error, without serving them. @throws RangeError for a name or number that makes no sense */
  fail(api: ApiName, error: ErrorName, options: FaultOptions = {}): Fault {
    const errorCode = ErrorCodes[error] as number | undefined;
    if (errorCode === undefined || errorCode === 0)
      throw new RangeError(`"${error}" is no error of Kafka; names are like "NOT_LEADER_OR_FOLLOWER"`);
    return this.#add(api, options, () => ({ errorCode }));
  }

  /** Serves the next requests `ms` later, by the broker's clock; what follows on the same connection waits as well. */
  delay(api: ApiName, ms: number, options: FaultOptions = {}): Fault {
    if (!Number.isFinite(ms) || ms < 0)
      throw new RangeError(`Cannot delay by "${ms}" ms: take a finite number`);
    return this.#add(api, options, () => ({ until: this.#wait(ms) }));
  }

  /** Closes the connection of the next requests and does not serve them. */
  disconnectBefore(api: ApiName, options: FaultOptions = {}): Fault {
    return this.#add(api, options, () => ({ close: 'before' }));
  }

  /** Serves the next requests and closes their connection instead of answering: a client cannot know what became of them. */
  disconnectAfter(api: ApiName, options: FaultOptions = {}): Fault {
    return this.#add(api, options, () => ({ close: 'after' }));
  }

  /** Ends all faults; requests that are being delayed go on now. */
  clear(): void {
    this.#rules = [];
    for (const [timer, goOn] of this.#delays) {
      timer.cancel();
      goOn();
    }
    this.#delays.clear();
  }

  /** What happens to a request; null: it is served. */
  intercept({ apiKey }: InterceptedRequest): Interception | null {
    if (this.#rules.length === 0) return null;
    const rule = this.#rules.find((each) => each.apiKey === apiKey);
    if (rule === undefined) return null;
    rule.hits += 1;
    if (rule.hits >= rule.times) this.#remove(rule);
    return rule.make();
  }

  #add(api: ApiName, { times = 1 }: FaultOptions, make: () => Interception): Fault {
    const apiKey = ApiKeys[api] as number | undefined;
    if (apiKey === undefined) throw new RangeError(`"${api}" is no API of Kafka; names are like "Produce"`);
    if (times !== Infinity && (!Number.isInteger(times) || times < 1))
      throw new RangeError(`times "${times}" is neither a positive integer nor Infinity`);
    const rule: Rule = { apiKey, times, make, hits: 0 };
    this.#rules.push(rule);
    return {
      get hits() {
        return rule.hits;
      },
      remove: () => this.#remove(rule),
    };
  }

  #remove(rule: Rule): void {
    this.#rules = this.#rules.filter((other) => other !== rule);
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#clock.setTimer(ms, () => {
        this.#delays.delete(timer);
        resolve();
      });
      this.#delays.set(timer, resolve);
    });
  }
}
