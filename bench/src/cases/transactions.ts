import { performance } from 'node:perf_hooks';
import { RawConnection } from '@ottla/interop';
import {
  ApiKeys,
  decodeResponse,
  encodeBatch,
  encodeRequest,
  ErrorCodes,
  messagesByApiKey,
  type MessageInput,
} from '@ottla/protocol';
import { freshTopic, type BenchCase, type Figures } from '../case.ts';
import { measured } from '../process-usage.ts';
import { createTopic, deleteTopic, type Subject } from '../subject.ts';

const PARTITIONS = 6;
/** What the Java client waits before it asks again about a transaction that is being completed. */
const RETRY_MS = 20;
const RETRIABLE: ReadonlySet<number> = new Set([
  ErrorCodes.CONCURRENT_TRANSACTIONS,
  ErrorCodes.NOT_ENOUGH_REPLICAS,
  ErrorCodes.COORDINATOR_NOT_AVAILABLE,
  ErrorCodes.COORDINATOR_LOAD_IN_PROGRESS,
  ErrorCodes.NOT_COORDINATOR,
]);

interface Identity {
  readonly producerId: number;
  readonly producerEpoch: number;
}

/** A producer that does what the Java client does with transactions of version 2, and no more. */
class TransactionalProducer {
  readonly #connection: RawConnection;
  readonly #transactionalId: string;
  #identity: Identity = { producerId: -1, producerEpoch: -1 };

  constructor(connection: RawConnection, transactionalId: string) {
    this.#connection = connection;
    this.#transactionalId = transactionalId;
  }

  async init(): Promise<void> {
    const transactionalId = this.#transactionalId;
    await this.#retried(ApiKeys.FindCoordinator, 6, () => ({
      keyType: 1,
      coordinatorKeys: [transactionalId],
    }));
    const answer = await this.#retried(ApiKeys.InitProducerId, 5, () => ({
      transactionalId,
      transactionTimeoutMs: 60_000,
    }));
    this.#identity = answer as unknown as Identity;
  }

  /** One record to each of two partitions, then the commit. */
  async transact(topic: string, first: number): Promise<void> {
    const transactionalId = this.#transactionalId;
    await this.#retried(ApiKeys.Produce, 12, () => ({
      transactionalId,
      acks: -1,
      timeoutMs: 10_000,
      topicData: [
        {
          name: topic,
          partitionData: [first % PARTITIONS, (first + 1) % PARTITIONS].map((index) => ({
            index,
            records: this.#batch(),
          })),
        },
      ],
    }));
    const answer = await this.#retried(ApiKeys.EndTxn, 5, () => ({
      transactionalId,
      ...this.#identity,
      committed: true,
    }));
    this.#identity = answer as unknown as Identity;
  }

  close(): void {
    this.#connection.close();
  }

  #batch(): Buffer {
    return encodeBatch({
      records: [{ key: null, value: Buffer.alloc(100, 'x'), timestamp: Date.now() }],
      producerId: this.#identity.producerId,
      producerEpoch: this.#identity.producerEpoch,
      baseSequence: 0,
      isTransactional: true,
    });
  }

  async #retried(apiKey: number, version: number, body: () => object): Promise<Record<string, unknown>> {
    const api = messagesByApiKey(apiKey);
    if (api === undefined) throw new Error(`No API with key ${apiKey}`);
    for (;;) {
      const header = { correlationId: 1, clientId: 'bench' };
      this.#connection.send(...encodeRequest(api.request, version, header, body() as MessageInput<unknown>));
      const frame = await this.#connection.receive(20_000);
      if (frame === undefined) throw new Error(`The broker did not answer API key ${apiKey}`);
      const answer = decodeResponse(api.response, version, frame).value as Record<string, unknown>;
      const codes = [...JSON.stringify(answer).matchAll(/"errorCode":(-?\d+)/g)].map(([, code]) =>
        Number(code),
      );
      const failed = codes.find((code) => code !== ErrorCodes.NONE);
      if (failed === undefined) return answer;
      if (!RETRIABLE.has(failed)) throw new Error(`API key ${apiKey} was refused with error ${failed}`);
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

async function run(subject: Subject, producerCount: number, seconds: number): Promise<Figures> {
  const topic = freshTopic('transactions');
  await createTopic(subject, topic, PARTITIONS);
  const producers: TransactionalProducer[] = [];
  for (let i = 0; i < producerCount; i++) {
    const producer = new TransactionalProducer(await RawConnection.open(subject.peer.port), `${topic}-${i}`);
    await producer.init();
    producers.push(producer);
  }
  const times: number[] = [];
  const { usage } = await measured(subject.peer.pid, async () => {
    const endMs = performance.now() + seconds * 1000;
    await Promise.all(
      producers.map(async (producer, index) => {
        for (let round = index; performance.now() < endMs; round++) {
          const beginMs = performance.now();
          await producer.transact(topic, round);
          times.push(performance.now() - beginMs);
        }
      }),
    );
  });
  for (const producer of producers) producer.close();
  await deleteTopic(subject, topic);
  times.sort((left, right) => left - right);
  return {
    'commits/s': times.length / seconds,
    'p50 ms': times[Math.floor(times.length / 2)] ?? Number.NaN,
    'p99 ms': times[Math.floor(times.length * 0.99)] ?? Number.NaN,
    'cpu ms/commit': (usage.cpuSeconds * 1000) / times.length,
  };
}

/** Commits per second of producers that each run one small transaction after the other. */
export const transactions: readonly BenchCase[] = [1, 20].map((producerCount) => ({
  name: `transactions-${producerCount}`,
  about: `${producerCount} producer(s), transactions (version 2) of two records in two of ${PARTITIONS} partitions, one after the other`,
  metrics: [
    { name: 'commits/s', unit: '1/s', better: 'higher', ratioGoal: 1 },
    { name: 'p50 ms', unit: 'ms', better: 'lower' },
    { name: 'p99 ms', unit: 'ms', better: 'lower' },
    { name: 'cpu ms/commit', unit: 'ms', better: 'lower' },
  ],
  run: (subject, options) => run(subject, producerCount, Math.max(1, 5 * options.scale)),
}));
