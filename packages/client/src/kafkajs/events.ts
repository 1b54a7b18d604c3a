import type { Clock } from '@ottla/platform';

/** What a listener of `on` is handed. */
export interface InstrumentationEvent<T> {
  readonly id: string;
  readonly type: string;
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  readonly payload: T;
}

export type RemoveInstrumentationEventListener = () => void;
type Listener = (event: InstrumentationEvent<never>) => void;

/** The instrumentation events of one producer, consumer or admin, by kafkajs's names (`consumer.group_join`). */
export class EventEmitter<Events extends Readonly<Record<string, string>>> {
  readonly names: Events;
  readonly #clock: Clock;
  readonly #listeners = new Map<string, Set<Listener>>();
  #count = 0;

  constructor(names: Events, clock: Clock) {
    this.names = names;
    this.#clock = clock;
  }

  /** Calls `listener` for each event of that type; returns what ends it. @throws TypeError for a type that does not exist */
  on(
    type: string,
    listener: (event: InstrumentationEvent<never>) => void,
  ): RemoveInstrumentationEventListener {
    if (!Object.values(this.names).includes(type)) {
      throw new TypeError(`Event name "${type}" is none of ${Object.values(this.names).join(', ')}`);
    }
    const listeners = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  /** Whether anybody listens: payloads that cost something are made for listeners only. */
  has(type: string): boolean {
    return (this.#listeners.get(type)?.size ?? 0) > 0;
  }

  emit(type: string, payload: unknown = null): void {
    const listeners = this.#listeners.get(type);
    if (listeners === undefined || listeners.size === 0) return;
    const event = { id: String(this.#count++), type, timestamp: this.#clock.nowMs(), payload };
    for (const listener of listeners) listener(event as InstrumentationEvent<never>);
  }
}
