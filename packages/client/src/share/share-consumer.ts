import type { TopicPartition } from '../admin/admin-requests.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { ReceiveWatch } from '../consumer/delivery/receive-watch.ts';
import { TurnTaker } from '../consumer/delivery/turn-taker.ts';
import { Subscription, type ConsumerSource } from '../consumer/subscription.ts';
import { OptionError } from '../errors/client-errors.ts';
import { ShareCore } from './share-core.ts';
import type { ShareConsumerMetrics } from './share-consumer-metrics.ts';
import type { ShareMessage } from './share-message.ts';
import {
  resolveShareOptions,
  type AcknowledgementResult,
  type ShareConsumerOptions,
} from './share-options.ts';

/**
 * Takes records from topics as a queue does (KIP-932): every record goes to one member of the share group, which says what became of
 * it; what is released, or not acknowledged in time, goes to another.
 *
 * ```ts
 * for await (const m of consumer) await work(m.value); // accepted when the loop asks for the next one
 * ```
 *
 * With `acknowledgement: 'implicit'` leaving the loop early (`break`, `return`, `throw`) releases the record it happened in.
 */
export class ShareConsumer<M extends ShareMessage = ShareMessage>
  implements AsyncIterable<M>, AsyncDisposable
{
  readonly #core: ShareCore;
  readonly #onClosed: () => void;
  #isLooping = false;
  #closing: Promise<readonly AcknowledgementResult[]> | null = null;

  /** Use `ottla.shareConsumer()`. @throws OptionError for an option or source that is not valid */
  constructor(
    cluster: Cluster,
    setup: { readonly source: ConsumerSource; readonly options: ShareConsumerOptions },
    onClosed: () => void = () => {},
  ) {
    const subscription = new Subscription(setup.source);
    if (subscription.names.length === 0)
      throw new OptionError(
        'A share consumer reads topics by their names: patterns and partitions are for consumer()',
      );
    this.#core = new ShareCore(cluster, resolveShareOptions(setup.options), subscription);
    this.#onClosed = onClosed;
  }

  /** Record by record, one loop at a time; begins to join with the first. Throws a PartitionError for a batch that cannot be read, whose records are released. */
  [Symbol.asyncIterator](): AsyncIterableIterator<M> {
    if (this.#isLooping)
      throw new OptionError('A loop is running on this share consumer; end it first, or make another one');
    this.#core.start();
    this.#isLooping = true;
    return new ShareLoop<M>(this.#core, () => (this.#isLooping = false));
  }

  /** Partitions that this member takes records from now. */
  get assignment(): TopicPartition[] {
    return this.#core.assignment;
  }

  /** What the share consumer has done so far: counts and times, by the names of Kafka's metrics in camelCase. */
  metrics(): ShareConsumerMetrics {
    return this.#core.metrics();
  }

  /** Sends every acknowledgement that was made, and tells what became of each. */
  async commit(): Promise<readonly AcknowledgementResult[]> {
    return this.#core.flush();
  }

  /** Sends what was acknowledged, releases the rest and leaves the group; always ends. Returns what became of the last acknowledgements. Idempotent. */
  close(options: { readonly timeoutMs?: number } = {}): Promise<readonly AcknowledgementResult[]> {
    this.#closing ??= this.#core.close(options.timeoutMs ?? 30_000).finally(this.#onClosed);
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

class ShareLoop<M extends ShareMessage> implements AsyncIterableIterator<M> {
  readonly #core: ShareCore;
  readonly #turns: TurnTaker;
  readonly #onEnd: () => void;
  readonly #watch: ReceiveWatch | null;
  #inHand: ShareMessage | null = null;
  #isDone = false;

  constructor(core: ShareCore, onEnd: () => void) {
    this.#core = core;
    this.#turns = new TurnTaker(core.cluster.options.clock);
    this.#onEnd = onEnd;
    this.#watch = ReceiveWatch.of(core.cluster.options, core.options.group);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<M>> {
    const core = this.#core;
    this.#finish('accept');
    this.#watch?.asked();
    try {
      while (!this.#isDone && !core.isEnded) {
        core.throwIfFailed();
        const message = core.take();
        if (message !== null) {
          this.#inHand = message;
          this.#watch?.got(message);
          if (this.#turns.isDue(1)) await this.#turns.turn();
          return { done: false, value: message as M };
        }
        await core.waitForRecords();
        this.#turns.hasTurned();
      }
    } catch (error) {
      this.#end();
      throw error;
    }
    this.#end();
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<M>> {
    this.#finish('release');
    this.#end();
    return { done: true, value: undefined };
  }

  /** What the loop held, unless it was acknowledged otherwise. */
  #finish(type: 'accept' | 'release'): void {
    const message = this.#inHand;
    this.#inHand = null;
    if (message !== null && !this.#core.options.isExplicit && message.isAcquired) message.acknowledge(type);
  }

  #end(): void {
    if (this.#isDone) return;
    this.#isDone = true;
    this.#onEnd();
  }
}
