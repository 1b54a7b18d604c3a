import { decodeRecords, ErrorCodes, readBatchSummary } from '@ottla/protocol';
import { SILENT_LOGGER, SeededRandom, SimClock } from '@ottla/platform';
import type { TopicsOptions } from '../../../src/cluster/cluster.ts';
import { applyLeaderHints } from '../../../src/cluster/merge-metadata.ts';
import { EMPTY_METADATA, type ClusterMetadata, type TopicMetadata } from '../../../src/cluster/metadata.ts';
import { retry } from '../../../src/cluster/retry.ts';
import { ConnectionError, TimeoutError } from '../../../src/errors/client-errors.ts';
import { brokerError } from '../../../src/errors/kafka-error.ts';
import { resolveOptions } from '../../../src/options/resolve-options.ts';
import type { ClientOptions } from '../../../src/options/client-options.ts';
import type { ProducerCluster } from '../../../src/producer/producer-cluster.ts';
import { SimLog } from './sim-log.ts';

/** Probabilities of what goes wrong, for each request. */
export interface Faults {
  /** The connection is lost before the broker has read the request. */
  readonly cutBefore: number;
  /** It is lost when the broker has done what was asked. */
  readonly cutAfter: number;
  /** What was on a lost connection is served all the same, some time later. */
  readonly late: number;
  /** The broker is silent for longer than anybody waits. */
  readonly stall: number;
  /** A partition is refused with an error that may pass. */
  readonly refuse: number;
  /** A batch is too large for the broker when it has more than one record. */
  readonly tooLarge: number;
  /** A batch is refused for good. */
  readonly invalid: number;
  /** A partition is written and answered with an error that leaves that open. */
  readonly open: number;
  /** A partition's leader moves while the request is served. */
  readonly move: number;
  /** What a new leader lacks is gone. */
  readonly truncate: number;
}

export const NO_FAULTS: Faults = {
  cutBefore: 0,
  cutAfter: 0,
  late: 0,
  stall: 0,
  refuse: 0,
  tooLarge: 0,
  invalid: 0,
  open: 0,
  move: 0,
  truncate: 0,
};

const REFUSALS = [
  ErrorCodes.NOT_ENOUGH_REPLICAS,
  ErrorCodes.NOT_LEADER_OR_FOLLOWER,
  ErrorCodes.LEADER_NOT_AVAILABLE,
  ErrorCodes.KAFKA_STORAGE_ERROR,
  ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION,
];
const OPEN_ERRORS = [
  ErrorCodes.REQUEST_TIMED_OUT,
  ErrorCodes.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
  ErrorCodes.NOT_LEADER_OR_FOLLOWER,
  ErrorCodes.KAFKA_STORAGE_ERROR,
];

/** A request as the fake cluster got it; bodies are loosely typed, the fake looks into few of them. */
export interface SimRequest {
  readonly nodeId: number;
  readonly api: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- whatever the API has
  readonly body: any;
}

interface Pending extends SimRequest {
  readonly settle: (answer: object | Error) => void;
}

interface SimPartition {
  leaderId: number;
  leaderEpoch: number;
  readonly log: SimLog;
}

interface SimConnection {
  readonly nodeId: number;
  readonly queue: Pending[];
  serving: Pending | null;
  isLost: boolean;
}

/** Backoffs have fractions of milliseconds, times of day have none. */
class WholeClock extends SimClock {
  override nowMs(): number {
    return Math.floor(super.nowMs());
  }
}

/**
 * A cluster of brokers for a producer under a simulated clock: requests of a connection are served in order, one at a time, as a
 * broker does; a lost connection's requests may be served later, beside those of the next one. Bytes are read when the broker reads
 * them, so that a producer which changes bytes under way is caught.
 */
export class SimCluster implements ProducerCluster {
  readonly clock = new WholeClock();
  readonly random: SeededRandom;
  readonly options: ProducerCluster['options'];
  metadata: ClusterMetadata = EMPTY_METADATA;
  isClosed = false;
  faults: Faults = NO_FAULTS;
  /** Answers in place of the brokers when it gives something: a body, an error, or `never`. */
  intercept: (request: SimRequest) => object | Error | 'never' | undefined = () => undefined;
  readonly requests: SimRequest[] = [];
  readonly brokerTopics = new Map<string, SimPartition[]>();
  transactionVersion = 0;
  /** Is told what the brokers do, when a seed is looked into. */
  trace: ((line: string) => void) | null = null;
  readonly #nodes: number;
  readonly #connections = new Map<number, SimConnection>();
  readonly #listeners = new Set<(metadata: ClusterMetadata) => void>();
  #isUpdating = false;
  #nextProducerId = 1;

  constructor(setup: { seed?: number; nodes?: number; client?: ClientOptions } = {}) {
    this.random = new SeededRandom(setup.seed ?? 1);
    this.#nodes = setup.nodes ?? 3;
    this.options = resolveOptions({
      logger: SILENT_LOGGER,
      bootstrap: 'sim:9092',
      ...setup.client,
      clock: this.clock,
      random: this.random,
    });
  }

  /** A topic with so many partitions, led by the nodes in turn; the client hears of it when it asks. */
  createTopic(name: string, partitionCount: number): void {
    const partitions = Array.from({ length: partitionCount }, (_, index) => ({
      leaderId: index % this.#nodes,
      leaderEpoch: 0,
      log: new SimLog(),
    }));
    this.brokerTopics.set(name, partitions);
  }

  /** Lets a topic grow. */
  addPartitions(name: string, partitionCount: number): void {
    const partitions = this.brokerTopics.get(name)!;
    while (partitions.length < partitionCount)
      partitions.push({ leaderId: partitions.length % this.#nodes, leaderEpoch: 0, log: new SimLog() });
  }

  log(topic: string, partition = 0): SimLog {
    return this.brokerTopics.get(topic)![partition]!.log;
  }

  /** Makes what is known to the client what is true. */
  publish(): void {
    const brokers = new Map(
      Array.from({ length: this.#nodes }, (_, nodeId) => [
        nodeId,
        { nodeId, host: 'sim', port: nodeId, rack: null },
      ]),
    );
    const topics = new Map(
      [...this.brokerTopics].map(([name, partitions]): [string, TopicMetadata] => [
        name,
        {
          name,
          topicId: 'AAAAAAAAAAAAAAAAAAAAAA',
          isInternal: false,
          authorizedOperations: undefined,
          partitions: partitions.map(({ leaderId, leaderEpoch }, partition) => ({
            partition,
            leaderId,
            leaderEpoch,
            replicas: [],
            isr: [],
            offlineReplicas: [],
            errorCode: 0,
          })),
        },
      ]),
    );
    this.#accept({ ...this.metadata, brokers, topics, updatedMs: this.clock.monotonicMs() });
  }

  /** Lets everything happen for so long, timer by timer. */
  async run(ms: number): Promise<void> {
    const endMs = this.clock.monotonicMs() + ms;
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      const nextMs = this.clock.nextTimerInMs;
      if (nextMs === null || this.clock.monotonicMs() + nextMs > endMs) break;
      this.clock.advance(nextMs);
    }
    this.clock.advance(endMs - this.clock.monotonicMs());
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Runs until the promise is settled, and gives its value. */
  async settle<T>(promise: PromiseLike<T>): Promise<T> {
    let isSettled = false;
    const end = (): void => {
      isSettled = true;
    };
    promise.then(end, end);
    for (let turn = 0; !isSettled; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
      if (isSettled) break;
      const nextMs = this.clock.nextTimerInMs;
      if (nextMs === null || turn > 1_000_000)
        throw new Error('Nothing happens any more, and it is not settled');
      this.clock.advance(nextMs);
    }
    return promise;
  }

  partition: ProducerCluster['partition'] = (topic, partition) =>
    this.metadata.topics.get(topic)?.partitions[partition];

  onMetadata: ProducerCluster['onMetadata'] = (listener) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  closeLane = (): void => {
    for (const connection of Array.from(this.#connections.values())) this.#lose(connection, 'closed');
  };
  forgetCoordinator = (): void => {};

  features: ProducerCluster['features'] = () =>
    Promise.resolve({
      versions: new Map(),
      supportedFeatures: new Map(),
      finalizedFeatures: new Map([['transaction.version', this.transactionVersion]]),
    } as unknown as Awaited<ReturnType<ProducerCluster['features']>>);

  retry: ProducerCluster['retry'] = (options, attempt) => retry(this.options, options, attempt);

  topics = (names: readonly string[], options: TopicsOptions = {}): Promise<Map<string, TopicMetadata>> =>
    this.retry({ ...options, what: 'Finding topics' }, async () => {
      this.publish();
      const found = new Map<string, TopicMetadata>();
      for (const name of names) {
        const topic = this.metadata.topics.get(name);
        if (topic === undefined) throw brokerError(ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION, null, name);
        found.set(name, topic);
      }
      return found;
    });

  requestMetadataUpdate = (): void => {
    if (this.#isUpdating) return;
    this.#isUpdating = true;
    this.#after(1 + this.random.nextInt(100), () => {
      this.#isUpdating = false;
      this.publish();
    });
  };

  keepFresh = (): void => {
    const ageMs = this.clock.monotonicMs() - this.metadata.updatedMs;
    if (ageMs > this.options.metadataMaxAgeMs) this.requestMetadataUpdate();
  };

  applyLeaderHints: ProducerCluster['applyLeaderHints'] = (hints, endpoints) => {
    const after = applyLeaderHints(this.metadata, hints, endpoints);
    if (after === this.metadata) return false;
    this.#accept(after);
    return true;
  };

  request: ProducerCluster['request'] = (target, api, body, options = {}) =>
    new Promise((resolve, reject) => {
      const nodeId = typeof target === 'number' ? target : 0;
      const { timeoutMs = this.options.requestTimeoutMs } = options;
      const version = Math.min(api.maxVersion, options.maxVersion ?? api.maxVersion);
      const connection = this.#connection(nodeId);
      const timer = this.clock.setTimer(timeoutMs, () => {
        pending.settle(new TimeoutError(`No answer within ${timeoutMs} ms`, timeoutMs));
        this.#lose(connection, 'stuck');
      });
      const pending: Pending = {
        nodeId,
        api: api.name,
        body: typeof body === 'function' ? (body as (version: number) => object)(version) : body,
        settle: (answer) => {
          timer.cancel();
          if (answer instanceof Error) reject(answer);
          else resolve(answer as never);
        },
      };
      this.requests.push(pending);
      connection.queue.push(pending);
      if (options.expectsResponse === false) pending.settle({});
      this.#serve(connection);
    });

  #accept(metadata: ClusterMetadata): void {
    this.metadata = metadata;
    for (const listener of this.#listeners) listener(metadata);
  }

  #after(ms: number, action: () => void): void {
    this.clock.setTimer(ms, action);
  }

  #connection(nodeId: number): SimConnection {
    let connection = this.#connections.get(nodeId);
    if (connection === undefined) {
      connection = { nodeId, queue: [], serving: null, isLost: false };
      this.#connections.set(nodeId, connection);
    }
    return connection;
  }

  #lose(connection: SimConnection, reason: string): void {
    if (connection.isLost) return;
    this.#traceEvent(`node ${connection.nodeId} loses its connection (${reason})`);
    connection.isLost = true;
    this.#connections.delete(connection.nodeId);
    const open = connection.serving === null ? connection.queue : [connection.serving, ...connection.queue];
    for (const { settle } of open)
      settle(new ConnectionError(`The connection was lost (${reason})`, { host: 'sim', port: 0 }));
    if (!this.random.chance(this.faults.late)) connection.queue.length = 0;
  }

  #serve(connection: SimConnection): void {
    if (connection.serving !== null) return;
    const request = connection.queue.shift();
    if (request === undefined) return;
    connection.serving = request;
    const { faults, random } = this;
    const isStalled = random.chance(faults.stall);
    const delayMs = isStalled ? 1_000 + random.nextInt(60_000) : 1 + random.nextInt(20);
    this.#after(delayMs, () => {
      if (!connection.isLost && random.chance(faults.cutBefore)) {
        connection.queue.unshift(request);
        connection.serving = null;
        this.#lose(connection, 'before');
        this.#after(random.nextInt(500), () => this.#serve(connection));
        return;
      }
      this.#handle(request, (answer) => {
        if (answer === 'never') return;
        if (!connection.isLost && random.chance(faults.cutAfter)) this.#lose(connection, 'after');
        else this.#after(1 + random.nextInt(10), () => request.settle(answer));
        connection.serving = null;
        this.#serve(connection);
      });
    });
  }

  #handle(request: SimRequest, done: (answer: object | Error | 'never') => void): void {
    const given = this.intercept(request);
    if (given !== undefined) return done(given);
    if (request.api === 'InitProducerId') {
      const { producerId = -1, producerEpoch = -1 } = request.body as Record<string, number>;
      if (producerId >= 0) return done({ errorCode: 0, producerId, producerEpoch: producerEpoch + 1 });
      return done({ errorCode: 0, producerId: this.#nextProducerId++, producerEpoch: 0 });
    }
    if (request.api === 'Produce') return this.#produce(request, done);
    if (request.api === 'AddPartitionsToTxn') return done({ resultsByTopicV3AndBelow: [] });
    if (request.api === 'EndTxn') return done({ errorCode: 0, producerId: -1, producerEpoch: -1 });
    throw new Error(`The simulated cluster does not serve ${request.api}`);
  }

  #produce({ nodeId, body }: SimRequest, done: (answer: object) => void): void {
    const topics = body.topicData as {
      name: string;
      partitionData: { index: number; records: Buffer }[];
    }[];
    let open = 1;
    const finish = (): void => {
      open -= 1;
      if (open === 0) done({ responses, nodeEndpoints: [], throttleTimeMs: 0 });
    };
    const responses = topics.map(({ name, partitionData }) => ({
      name,
      partitionResponses: partitionData.map(({ index, records }) => {
        const answer = {
          index,
          errorCode: 0,
          baseOffset: -1,
          logAppendTimeMs: -1,
          logStartOffset: 0,
          recordErrors: [],
          errorMessage: null,
          currentLeader: { leaderId: -1, leaderEpoch: -1 },
        };
        open += 1;
        this.#append(this.brokerTopics.get(name)?.[index], { nodeId, records }, answer, finish);
        return answer;
      }),
    }));
    finish();
  }

  // oxlint-disable-next-line max-params -- the parts of one append
  #append(
    partition: SimPartition | undefined,
    { nodeId, records }: { nodeId: number; records: Buffer },
    answer: {
      errorCode: number;
      baseOffset: number;
      currentLeader: { leaderId: number; leaderEpoch: number };
    },
    done: () => void,
  ): void {
    const { faults, random } = this;
    const refuse = (errorCode: number): void => {
      answer.errorCode = errorCode;
      done();
    };
    if (partition === undefined) return refuse(ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION);
    if (random.chance(faults.move)) this.#move(partition);
    if (partition.leaderId !== nodeId) {
      if (random.chance(0.5))
        answer.currentLeader = { leaderId: partition.leaderId, leaderEpoch: partition.leaderEpoch };
      return refuse(ErrorCodes.NOT_LEADER_OR_FOLLOWER);
    }
    const refusal = this.#refusal(records);
    if (refusal !== ErrorCodes.NONE) {
      this.#traceBatch(nodeId, records, `is refused with ${refusal}`);
      return refuse(refusal);
    }
    const result = partition.log.append(records);
    this.#traceBatch(nodeId, records, JSON.stringify(result));
    if ('errorCode' in result) return refuse(result.errorCode);
    const { leaderEpoch } = partition;
    const isOpen = random.chance(faults.open);
    this.#after(random.nextInt(15), () => {
      // A leader that was replaced meanwhile cannot say what became of the records.
      if (partition.leaderEpoch !== leaderEpoch) return refuse(ErrorCodes.NOT_LEADER_OR_FOLLOWER);
      partition.log.committedEnd = Math.max(partition.log.committedEnd, result.end);
      if (isOpen) return refuse(OPEN_ERRORS[random.nextInt(OPEN_ERRORS.length)]!);
      answer.baseOffset = result.offset;
      done();
    });
  }

  #refusal(records: Buffer): number {
    const { faults, random } = this;
    if (random.chance(faults.refuse)) return REFUSALS[random.nextInt(REFUSALS.length)]!;
    if (random.chance(faults.invalid)) return ErrorCodes.INVALID_RECORD;
    const isOne = readBatchSummary(records, 0).recordCount === 1;
    return !isOne && random.chance(faults.tooLarge) ? ErrorCodes.MESSAGE_TOO_LARGE : ErrorCodes.NONE;
  }

  #traceBatch(nodeId: number, records: Buffer, outcome: string): void {
    if (this.trace === null) return;
    const { producerId, producerEpoch, baseSequence, recordCount } = readBatchSummary(records, 0);
    const value = String(decodeRecords(records, 0)[0]!.value).slice(0, 10);
    const batch = `id ${producerId} epoch ${producerEpoch} sequence ${baseSequence} +${recordCount} "${value}"`;
    this.#traceEvent(`node ${nodeId}: ${batch} ${outcome}`);
  }

  #traceEvent(text: string): void {
    this.trace?.(`t=${Math.round(this.clock.monotonicMs())} ${text}`);
  }

  /** Another node leads the partition from now on. */
  #move(partition: SimPartition): void {
    partition.leaderId = (partition.leaderId + 1 + this.random.nextInt(this.#nodes - 1)) % this.#nodes;
    partition.leaderEpoch += 1;
    const { log, leaderId } = partition;
    this.#traceEvent(`node ${leaderId} leads from offset ${log.end}, of which ${log.committedEnd} are safe`);
    if (this.random.chance(this.faults.truncate)) partition.log.truncateUncommitted();
    else partition.log.committedEnd = partition.log.end;
  }

  /** Moves the leader of a partition, for tests that want just that. */
  moveLeader(topic: string, partition = 0): void {
    this.#move(this.brokerTopics.get(topic)![partition]!);
  }
}
