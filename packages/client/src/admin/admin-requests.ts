import type { ErrorName } from '@ottla/protocol';
import type { Cluster, Target } from '../cluster/cluster.ts';
import type { CoordinatorType } from '../cluster/coordinators.ts';
import type { CallLimits } from '../cluster/limits.ts';
import type { Attempt } from '../cluster/retry.ts';
import { ClosedError, TimeoutError } from '../errors/client-errors.ts';
import { brokerError, isKafkaError, isRetriableError, KafkaError } from '../errors/kafka-error.ts';
import type { Api, RequestBody } from '../network/api.ts';
import { groupBy } from './per-item.ts';

/** Item errors after which a request to the controller is sent again, as Kafka's Admin does. */
const CONTROLLER_ERRORS: readonly ErrorName[] = ['NOT_CONTROLLER', 'THROTTLING_QUOTA_EXCEEDED'];
const COORDINATOR_ERRORS: readonly ErrorName[] = [
  'COORDINATOR_LOAD_IN_PROGRESS',
  'COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR',
  'REBALANCE_IN_PROGRESS',
  'UNSTABLE_OFFSET_COMMIT',
  'CONCURRENT_TRANSACTIONS',
];
const LEADER_ERRORS: readonly ErrorName[] = [
  'NOT_LEADER_OR_FOLLOWER',
  'LEADER_NOT_AVAILABLE',
  'REPLICA_NOT_AVAILABLE',
  'KAFKA_STORAGE_ERROR',
  'OFFSET_NOT_AVAILABLE',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
];
/** How long a topic may be unknown: one that was created a moment ago is not yet known to every broker. */
const UNKNOWN_TOPIC_GRACE_MS = 3_000;

/** The outcomes of one attempt, by item. An item without one has failed. */
export type Outcomes<K, T> = Iterable<readonly [K, T | KafkaError]>;

/** A partition by topic and number. */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

interface SendRequest<Req, Res> {
  readonly api: Api<Req, Res>;
  readonly body: RequestBody<Req>;
  readonly minVersion?: number;
  readonly maxVersion?: number;
}

/** The routes and retries that all of the admin's calls share. */
export class AdminRequests {
  readonly cluster: Cluster;
  #isClosed = false;

  constructor(cluster: Cluster) {
    this.cluster = cluster;
  }

  /** Later calls reject with ClosedError. */
  close(): void {
    this.#isClosed = true;
  }

  /** One request, tried again while `read` or the network throws what can be retried. */
  ask<Req, Res, T>(
    target: Target,
    request: SendRequest<Req, Res>,
    limits: CallLimits,
    read: (answer: Res) => T,
  ): Promise<T> {
    this.#checkOpen();
    return this.cluster.retry({ ...limits, what: request.api.name }, async ({ remainingMs, signal }) => {
      try {
        return read(await this.send(target, request, { remainingMs, signal }));
      } catch (error) {
        await this.#afterError(error, target, { remainingMs, signal });
        throw error;
      }
    });
  }

  /** One request, once; within the request timeout, so that a lost answer leaves time for another attempt. */
  send<Req, Res>(
    target: Target,
    { api, body, minVersion, maxVersion }: SendRequest<Req, Res>,
    { remainingMs, signal }: Pick<Attempt, 'remainingMs' | 'signal'>,
  ): Promise<Res> {
    this.#checkOpen();
    const timeoutMs = Math.min(remainingMs, this.cluster.options.requestTimeoutMs);
    return this.cluster.request(target, api, body, { timeoutMs, signal, minVersion, maxVersion });
  }

  /** A request to the controller about several items: those that it could not serve just now are sent again. */
  toController<K, T>(
    what: string,
    items: readonly K[],
    limits: CallLimits & { readonly retryOnQuotaViolation?: boolean | undefined },
    send: (pending: readonly K[], attempt: Attempt) => Promise<Outcomes<K, T>>,
  ): Promise<Map<K, T | KafkaError>> {
    const retryOn =
      limits.retryOnQuotaViolation === false ? CONTROLLER_ERRORS.slice(0, 1) : CONTROLLER_ERRORS;
    const mayRetry = (error: KafkaError): boolean => isKafkaError(error, ...retryOn);
    return this.#perItem({ what, limits, mayRetry }, items, async (pending, attempt) => {
      const outcomes = [...(await send(pending, attempt))];
      if (outcomes.some(([, outcome]) => isKafkaError(outcome, 'NOT_CONTROLLER')))
        await this.#refresh(attempt);
      return outcomes;
    });
  }

  /** Requests to the coordinators of the keys, one for each coordinator, or one for each key where the API takes only one. */
  toCoordinators<T>(
    type: CoordinatorType,
    keys: readonly string[],
    limits: CallLimits & { readonly what: string; readonly oneByOne?: boolean },
    send: (nodeId: number, keys: readonly string[], attempt: Attempt) => Promise<Outcomes<string, T>>,
  ): Promise<Map<string, T | KafkaError>> {
    const { cluster } = this;
    const mayRetry = (error: KafkaError): boolean => isKafkaError(error, ...COORDINATOR_ERRORS);
    return this.#perItem({ what: limits.what, limits, mayRetry }, keys, async (pending, attempt) => {
      const limitsLeft = { timeoutMs: attempt.remainingMs, signal: attempt.signal };
      const located = await settle(pending, (key) => cluster.coordinator(type, key, limitsLeft));
      const groups = groupBy(located.values, ([key, nodeId]) => (limits.oneByOne === true ? key : nodeId));
      const answers = await settle([...groups.values()], (group) =>
        send(
          group[0]![1],
          group.map(([key]) => key),
          attempt,
        ),
      );
      const outcomes = [
        ...located.errors,
        ...answers.values.flatMap(([, outcome]) => [...outcome]),
        ...answers.errors.flatMap(([group, error]) => group.map(([key]) => [key, error] as const)),
      ];
      for (const [key, outcome] of outcomes)
        if (isKafkaError(outcome, 'NOT_COORDINATOR', 'COORDINATOR_NOT_AVAILABLE', 'NETWORK_EXCEPTION'))
          cluster.forgetCoordinator(type, key);
      return outcomes;
    });
  }

  /** Requests to the leaders of the partitions, one for each leader. */
  toLeaders<P extends TopicPartition, T>(
    what: string,
    partitions: readonly P[],
    limits: CallLimits,
    send: (nodeId: number, partitions: readonly P[], attempt: Attempt) => Promise<Outcomes<P, T>>,
  ): Promise<Map<P, T | KafkaError>> {
    const { cluster } = this;
    const graceMs = cluster.options.clock.monotonicMs() + UNKNOWN_TOPIC_GRACE_MS;
    const mayRetry = (error: KafkaError): boolean =>
      (error.name === 'UNKNOWN_TOPIC_OR_PARTITION' && cluster.options.clock.monotonicMs() < graceMs) ||
      isKafkaError(error, ...LEADER_ERRORS);
    return this.#perItem({ what, limits, mayRetry }, partitions, async (pending, attempt) => {
      const names = new Set(pending.map(({ topic }) => topic));
      const isKnown =
        attempt.number === 0 && pending.every(({ topic, partition }) => cluster.partition(topic, partition));
      if (!isKnown)
        await cluster.refreshMetadata(
          { topics: names },
          { timeoutMs: attempt.remainingMs, signal: attempt.signal },
        );
      const outcomes: (readonly [P, T | KafkaError])[] = [];
      const located: P[] = [];
      for (const item of pending) {
        const error = leaderError(cluster, item);
        if (error === null) located.push(item);
        else outcomes.push([item, error]);
      }
      const groups = groupBy(
        located,
        ({ topic, partition }) => cluster.partition(topic, partition)!.leaderId,
      );
      const answers = await settle([...groups.entries()], ([nodeId, group]) => send(nodeId, group, attempt));
      for (const [, answer] of answers.values) outcomes.push(...answer);
      for (const [[, group], error] of answers.errors) for (const item of group) outcomes.push([item, error]);
      return outcomes;
    });
  }

  /** The same request to several nodes: an outcome for each. */
  async toNodes<T>(
    what: string,
    nodeIds: readonly number[],
    limits: CallLimits,
    send: (nodeId: number, attempt: Attempt) => Promise<T>,
  ): Promise<Map<number, T | KafkaError>> {
    return this.#perItem({ what, limits, mayRetry: () => false }, nodeIds, async (pending, attempt) => {
      const answers = await settle(pending, (nodeId) => send(nodeId, attempt));
      return [...answers.values, ...answers.errors];
    });
  }

  /** Makes attempts for the items that are still open until each has an outcome that stands, or the time is up. */
  async #perItem<K, T>(
    options: {
      readonly what: string;
      readonly limits: CallLimits;
      readonly mayRetry: (error: KafkaError) => boolean;
    },
    items: readonly K[],
    attempt: (pending: readonly K[], attempt: Attempt) => Promise<Outcomes<K, T>>,
  ): Promise<Map<K, T | KafkaError>> {
    this.#checkOpen();
    const results = new Map<K, T | KafkaError>();
    let pending: readonly K[] = items;
    if (pending.length === 0) return results;
    // Only what stopped the attempt; what an item failed with is its outcome.
    const again = new KafkaError('UNKNOWN_SERVER_ERROR', `${options.what} is tried again`, {
      retriable: true,
    });
    try {
      await this.cluster.retry({ ...options.limits, what: options.what }, async (state) => {
        for (const [key, outcome] of await attempt(pending, state)) results.set(key, outcome);
        const open = pending.filter((key) => this.#isOpen(results.get(key), options.mayRetry));
        pending = open;
        if (open.length > 0) throw again;
      });
    } catch (error) {
      const isOurs = error instanceof TimeoutError && error.cause === again;
      if (!isOurs && !(error instanceof KafkaError)) throw error;
      for (const key of pending) if (!isOurs || !results.has(key)) results.set(key, error as KafkaError);
      // Nothing came of it at all: one error says it better than many.
      if (!isOurs && pending.length === items.length) throw error;
    }
    // In the order of the question; an outcome may well be undefined.
    return new Map(
      items.map((key) => [
        key,
        results.has(key) ? (results.get(key) as T | KafkaError) : noAnswer(options.what),
      ]),
    );
  }

  #isOpen(outcome: unknown, mayRetry: (error: KafkaError) => boolean): boolean {
    if (!(outcome instanceof KafkaError)) return false;
    const isNetwork = outcome.name === 'NETWORK_EXCEPTION' || outcome instanceof TimeoutError;
    return (isNetwork && isRetriableError(outcome)) || mayRetry(outcome);
  }

  async #afterError(
    error: unknown,
    target: Target,
    attempt: Pick<Attempt, 'remainingMs' | 'signal'>,
  ): Promise<void> {
    if (isKafkaError(error, 'NOT_CONTROLLER')) await this.#refresh(attempt);
    if (typeof target === 'object' && isKafkaError(error, 'NOT_COORDINATOR', 'COORDINATOR_NOT_AVAILABLE'))
      this.cluster.forgetCoordinator(target.coordinator, target.key);
  }

  /** Newer metadata may name another controller; a failure shows in the next attempt. */
  async #refresh({ remainingMs, signal }: Pick<Attempt, 'remainingMs' | 'signal'>): Promise<void> {
    await this.cluster.refreshMetadata({}, { timeoutMs: remainingMs, signal }).catch(() => {});
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new ClosedError('The admin is closed');
  }
}

/** Why a partition cannot be asked just now; null when it can. */
function leaderError(cluster: Cluster, { topic, partition }: TopicPartition): KafkaError | null {
  const what = `${topic}-${partition}`;
  const topicError = cluster.metadata.topicErrors.get(topic);
  if (topicError !== undefined) return brokerError(topicError, null, `topic "${topic}"`);
  const known = cluster.partition(topic, partition);
  if (known === undefined)
    return new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `There is no partition ${what}`);
  if (known.leaderId < 0)
    return new KafkaError('LEADER_NOT_AVAILABLE', `Partition ${what} has no leader just now`);
  return null;
}

function noAnswer(what: string): KafkaError {
  return new KafkaError('UNKNOWN_SERVER_ERROR', `${what}: the broker did not answer for this item`);
}

interface Settled<K, T> {
  readonly values: (readonly [K, T])[];
  readonly errors: (readonly [K, KafkaError])[];
}

/** Does the same for several at once; errors of ours are outcomes, others are thrown. */
async function settle<K, T>(keys: readonly K[], work: (key: K) => Promise<T>): Promise<Settled<K, T>> {
  const settled = await Promise.allSettled(keys.map((key) => work(key)));
  const values: (readonly [K, T])[] = [];
  const errors: (readonly [K, KafkaError])[] = [];
  for (const [index, result] of settled.entries()) {
    const key = keys[index]!;
    if (result.status === 'fulfilled') values.push([key, result.value]);
    else if (result.reason instanceof KafkaError) errors.push([key, result.reason]);
    else throw result.reason;
  }
  return { values, errors };
}
