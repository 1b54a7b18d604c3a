import { Admin } from './admin/admin.ts';
import { Cluster } from './cluster/cluster.ts';
import type { CallLimits } from './cluster/limits.ts';
import { Consumer } from './consumer/consumer.ts';
import type { ConsumerOptions } from './consumer/consumer-options.ts';
import type { ConsumerSource, MessageOf } from './consumer/subscription.ts';
import { ClosedError, TimeoutError } from './errors/client-errors.ts';
import type { ClientOptions } from './options/client-options.ts';
import { Producer } from './producer/producer.ts';
import type { ProducerOptions } from './producer/producer-options.ts';
import type { RetryingConsumerOptions } from './retry-topics/retry-options.ts';
import { RetryingConsumer } from './retry-topics/retrying-consumer.ts';
import { ShareConsumer } from './share/share-consumer.ts';
import type { ShareMessageOf } from './share/share-message.ts';
import type { ShareConsumerOptions } from './share/share-options.ts';
import { resolveOptions } from './options/resolve-options.ts';

/** A producer, consumer or admin of a handle: closed with it. */
interface Role {
  close(): Promise<unknown>;
}

/**
 * A handle on a cluster. Producers, consumers and admins made from it share its connections, which are opened when they are needed.
 * Close it when you are done: `await using`, or `close()`.
 */
export class Ottla implements AsyncDisposable {
  readonly #cluster: Cluster;
  readonly #roles = new Set<Role>();
  /** For dead letters of the handle's consumers; made when the first one is sent. */
  #deadLetters: Producer | null = null;
  #closing: Promise<void> | null = null;

  /** Use `connect`. */
  constructor(options: ClientOptions) {
    this.#cluster = new Cluster(resolveOptions(options));
  }

  /**
   * Resolves when a broker has answered. Without it, the first operation connects.
   * Rejects with the ConnectionError of the last attempt (host, port, cause, hint) when none answers in time, with AuthenticationError
   * when the credentials are refused, or with the signal's reason.
   */
  async ready(limits: CallLimits = {}): Promise<void> {
    const cluster = this.#cluster;
    try {
      await cluster.retry({ ...limits, what: 'Connecting' }, ({ remainingMs, signal }) =>
        cluster.refreshMetadata({}, { timeoutMs: remainingMs, signal }),
      );
    } catch (error) {
      throw reasonOf(error);
    }
  }

  /** An admin on this handle's connections. */
  admin(): Admin {
    return this.#role((cluster, onClosed) => new Admin(cluster, onClosed));
  }

  /**
   * A consumer of topics (declared, or names for text), a pattern, or partitions chosen by hand; with `group` as a member of it.
   * @throws OptionError for an option that is not valid
   *
   * @example
   * for await (const m of ottla.consumer(orders, { group: 'billing', from: 'earliest' })) console.log(m.value.total);
   */
  consumer<const S extends ConsumerSource>(source: S, options: ConsumerOptions = {}): Consumer<MessageOf<S>> {
    return this.#role(
      (cluster, onClosed) =>
        new Consumer<MessageOf<S>>(
          cluster,
          {
            source,
            options,
            sendDeadLetter: (name, record) => this.#deadLetterProducer().send(name, record),
          },
          onClosed,
        ),
    );
  }

  /**
   * A member of a share group (KIP-932; Kafka 4.2 and newer): records are shared out one by one, not by partition.
   * @throws OptionError for an option or source that is not valid
   *
   * @example
   * for await (const m of ottla.shareConsumer(jobs, { group: 'workers' })) await work(m.value);
   */
  shareConsumer<const S extends ConsumerSource>(
    source: S,
    options: ShareConsumerOptions,
  ): ShareConsumer<ShareMessageOf<S>> {
    return this.#role(
      (cluster, onClosed) => new ShareConsumer<ShareMessageOf<S>>(cluster, { source, options }, onClosed),
    );
  }

  /**
   * A consumer that tries records again later, through retry topics, when their handler fails, and hands those that keep failing to a
   * dead-letter topic; as Spring's `@RetryableTopic`.
   * @throws OptionError for an option or source that is not valid
   *
   * @example
   * await ottla.retryingConsumer(orders, { group: 'billing', attempts: 5 }).each((m) => charge(m.value.total));
   */
  retryingConsumer<const S extends ConsumerSource>(
    source: S,
    options: RetryingConsumerOptions,
  ): RetryingConsumer<MessageOf<S>> {
    return this.#role(
      (cluster, onClosed) => new RetryingConsumer<MessageOf<S>>(cluster, { source, options }, onClosed),
    );
  }

  /**
   * A producer; it sends in the background from its first record on.
   * @throws OptionError for an option that is not valid
   *
   * @example
   * const { partition, offset } = await ottla.producer().send(orders, { key: 'c-17', value: { total: 12.5 } });
   */
  producer(options: ProducerOptions = {}): Producer {
    return this.#role((cluster, onClosed) => new Producer(cluster, options, onClosed));
  }

  /**
   * Closes everything made from this handle, then the connections: consumers first, so that their handlers can still send what they are
   * about to. Idempotent; always ends.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    try {
      const consumers = [...this.#roles].filter(
        (role) => !(role instanceof Producer) && !(role instanceof Admin),
      );
      const results = await Promise.allSettled(consumers.map((role) => role.close()));
      results.push(...(await Promise.allSettled([...this.#roles].map((role) => role.close()))));
      const failed = results.find((result) => result.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
    } finally {
      this.#cluster.close();
    }
  }

  /** Also for the last records, which a handler fails at while the handle is being closed. */
  #deadLetterProducer(): Producer {
    return (this.#deadLetters ??= this.#add((cluster, onClosed) => new Producer(cluster, {}, onClosed)));
  }

  /** Makes a role of this handle. @throws ClosedError */
  #role<R extends Role>(create: (cluster: Cluster, onClosed: () => void) => R): R {
    if (this.#closing !== null) throw new ClosedError('The handle is closed: call connect again');
    return this.#add(create);
  }

  /** It leaves the list when it is closed by itself. */
  #add<R extends Role>(create: (cluster: Cluster, onClosed: () => void) => R): R {
    const role: R = create(this.#cluster, () => this.#roles.delete(role));
    this.#roles.add(role);
    return role;
  }
}

/** Why time ran out, as far as anybody knows: more to the point than that it did. */
function reasonOf(error: unknown): unknown {
  return error instanceof TimeoutError && error.cause instanceof Error ? reasonOf(error.cause) : error;
}

/**
 * A handle on the cluster at `bootstrap`. Nothing is sent yet. With no argument the environment's KAFKA_BROKERS or KAFKA_BOOTSTRAP_SERVERS
 * is used, else `localhost:9092`.
 * @throws OptionError for an option that is not valid
 *
 * @example
 * await using ottla = connect('localhost:9092');
 * await ottla.ready({ timeoutMs: 5_000 });
 */
export function connect(bootstrap?: string | readonly string[] | ClientOptions): Ottla {
  const isAddress = typeof bootstrap === 'string' || Array.isArray(bootstrap);
  return new Ottla(
    isAddress ? { bootstrap: bootstrap as string | readonly string[] } : ((bootstrap as ClientOptions) ?? {}),
  );
}
