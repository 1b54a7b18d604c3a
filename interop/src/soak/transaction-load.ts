import { connect, serde, topic, type Ottla } from '@ottla/client';
import { delay } from '../command.ts';
import type { Verdict } from './acked-load.ts';

const PRODUCERS = 3;
const RECORDS = 4;

/** How a transaction ended as its producer knows. */
type Fate = 'committed' | 'aborted' | 'unknown';

/**
 * Producers that write transactions of a few records each over all partitions, commit most and abort some, and remember
 * how each ended. Afterwards each has to be whole or absent, as it was promised.
 */
export class TransactionLoad {
  readonly #topic: ReturnType<typeof textTopic>;
  readonly #client: Ottla;
  readonly #partitionCount: number;
  readonly #fates = new Map<string, Fate>();
  readonly #producers: Promise<void>[] = [];
  #isStopped = false;

  constructor(port: number, name: string, partitionCount: number) {
    this.#topic = textTopic(name);
    this.#client = connect(`127.0.0.1:${port}`);
    this.#partitionCount = partitionCount;
  }

  get committedCount(): number {
    return [...this.#fates.values()].filter((fate) => fate === 'committed').length;
  }

  start(): void {
    for (let index = 0; index < PRODUCERS; index += 1) this.#producers.push(this.#produce(index));
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#producers);
  }

  /** Reads what is committed once nothing is open any more, and compares. */
  async verify(): Promise<Verdict> {
    const seen = await this.#read();
    const verdict = { acknowledged: 0, lost: 0, wrong: 0 };
    for (const [name, fate] of this.#fates) {
      const count = seen.get(name) ?? 0;
      if (fate === 'committed') {
        verdict.acknowledged += 1;
        if (count < RECORDS) verdict.lost += 1;
      }
      const isHalf = count !== 0 && count !== RECORDS;
      if (isHalf || (fate === 'aborted' && count > 0)) verdict.wrong += 1;
    }
    await this.#client.close();
    return verdict;
  }

  async #produce(index: number): Promise<void> {
    for (let round = 0; !this.#isStopped; round += 1) {
      // The next producer of the same id ends what the one before has left.
      const producer = this.#client.producer({ transactionalId: `soak-${index}`, lingerMs: 0 });
      try {
        for (let count = 0; !this.#isStopped; count += 1)
          await this.#transact(producer, `${index}/${round}/${count}`, count % 5 === 4);
      } catch {
        await delay(20);
      }
      await producer.close({ timeoutMs: 2_000 }).catch(() => {});
    }
  }

  async #transact(producer: ReturnType<Ottla['producer']>, name: string, aborts: boolean): Promise<void> {
    this.#fates.set(name, 'unknown');
    const transaction = await producer.begin();
    const sent = Array.from({ length: RECORDS }, (_, index) =>
      transaction.send(this.#topic, { key: null, value: name, partition: index % this.#partitionCount }),
    );
    await Promise.all(sent);
    await (aborts ? transaction.abort() : transaction.commit());
    this.#fates.set(name, aborts ? 'aborted' : 'committed');
  }

  /** How many records of each transaction a read_committed consumer sees. */
  async #read(): Promise<Map<string, number>> {
    const seen = new Map<string, number>();
    // A last transaction of each producer goes through when those before it are decided.
    const marks = new Set<string>();
    for (let index = 0; index < PRODUCERS; index += 1) {
      await using producer = this.#client.producer({ transactionalId: `soak-${index}` });
      const name = `mark ${index}`;
      for (let partition = 0; partition < this.#partitionCount; partition += 1)
        marks.add(`${name}/${partition}`);
      await producer.transaction(async (transaction) => {
        for (let partition = 0; partition < this.#partitionCount; partition += 1)
          await transaction.send(this.#topic, { key: null, value: `${name}/${partition}`, partition });
      });
    }
    await using consumer = this.#client.consumer(this.#topic, {
      from: 'earliest',
      isolationLevel: 'read_committed',
    });
    for await (const { value } of consumer) {
      if (marks.delete(value)) {
        if (marks.size === 0) return seen;
      } else seen.set(value, (seen.get(value) ?? 0) + 1);
    }
    return seen;
  }
}

function textTopic(name: string) {
  return topic(name, { key: serde.nullable(serde.string), value: serde.string });
}
