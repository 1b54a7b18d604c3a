import type { Clock } from '@ottla/platform';
import type { ReceiverInfo, RecordTracer } from '../../options/record-tracing.ts';
import type { Message } from './message.ts';

/** Tells a tracer what a loop got, and when it asked for it. */
export class ReceiveWatch {
  readonly #tracer: RecordTracer;
  readonly #clock: Clock;
  readonly #receiver: ReceiverInfo;
  #askedAtMs = 0;

  private constructor(tracer: RecordTracer, clock: Clock, receiver: ReceiverInfo) {
    this.#tracer = tracer;
    this.#clock = clock;
    this.#receiver = receiver;
  }

  /** Null when the tracer does not want to know. */
  static of(
    { tracer, clock, clientId }: { tracer: RecordTracer | null; clock: Clock; clientId: string },
    group: string | null,
  ): ReceiveWatch | null {
    return tracer?.onReceive === undefined ? null : new ReceiveWatch(tracer, clock, { clientId, group });
  }

  /** The loop asks for the next. */
  asked(): void {
    this.#askedAtMs = this.#clock.nowMs();
  }

  /** The loop gets it. */
  got(item: unknown): void {
    const messages = (Array.isArray(item) ? item : [item]) as readonly Message[];
    this.#tracer.onReceive?.({ ...this.#receiver, messages, askedAtMs: this.#askedAtMs });
  }
}
