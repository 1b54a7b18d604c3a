import type { Clock } from '@ottla/platform';
import { encodeTransactionMarker, ErrorCodes } from '@ottla/protocol';
import type { AppendRequest, AppendResult, TopicPartition } from '../../replica/append.ts';

/** The end of a transaction as its partitions get it. */
export interface MarkerInput {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly coordinatorEpoch: number;
  readonly committed: boolean;
  /** From transactions of version 2 on, the end has an epoch above that of the records (KIP-890). */
  readonly raisesEpoch?: boolean;
}

/** The partitions of this broker, as the marker writer uses them. */
export interface MarkerLogs {
  /** Appends for the coordinator, internal topics included; resolves when everything is committed. */
  appendMarkers(requests: readonly AppendRequest[], timeoutMs: number): Promise<AppendResult[]>;
  /** Whether the producer has a transaction open in a partition of this broker, with this very epoch. */
  isTransactionOpen(partition: TopicPartition, producerId: number, producerEpoch: number): boolean;
  /** Whether a partition of this broker has the end of the producer's transaction with this epoch in its log. */
  isTransactionEnded(partition: TopicPartition, producerId: number, producerEpoch: number): boolean;
}

/** Whoever keeps the state of a topic in memory: it writes its own markers, in the order of its other records. */
export interface MarkerOwner {
  readonly topic: string;
  /** Appends the marker and takes it in; resolves to an error code. */
  completeTransaction(partition: number, marker: Buffer, end: MarkerInput): Promise<number>;
}

export interface MarkerWriterDeps {
  readonly logs: MarkerLogs;
  /** The owner of `__consumer_offsets`. */
  readonly owner: MarkerOwner;
  readonly clock: Clock;
  readonly timeoutMs: number;
}

/** Writes the markers that end a transaction into the partitions of this broker. */
export class MarkerWriter {
  readonly #deps: MarkerWriterDeps;

  constructor(deps: MarkerWriterDeps) {
    this.#deps = deps;
  }

  /**
   * One marker into each partition; resolves to the error code of each, in their order, when all are committed or
   * refused. With `skipEnded` a partition that has the end of the transaction already is left as it is.
   */
  async write(
    end: MarkerInput,
    partitions: readonly TopicPartition[],
    { skipEnded }: { readonly skipEnded: boolean },
  ): Promise<number[]> {
    const { logs, owner, timeoutMs } = this.#deps;
    const codes: number[] = partitions.map(() => ErrorCodes.NONE);
    const requests: AppendRequest[] = [];
    const places: number[] = [];
    const owned: Promise<void>[] = [];
    partitions.forEach((partition, place) => {
      if (skipEnded && logs.isTransactionEnded(partition, end.producerId, end.producerEpoch)) return;
      if (end.raisesEpoch === true && logs.isTransactionOpen(partition, end.producerId, end.producerEpoch)) {
        codes[place] = ErrorCodes.INVALID_PRODUCER_EPOCH;
        return;
      }
      const records = this.#marker(end);
      if (partition.topic === owner.topic) {
        const done = owner.completeTransaction(partition.partition, records, end);
        owned.push(done.then((code) => void (codes[place] = code)));
        return;
      }
      requests.push({ ...partition, records });
      places.push(place);
    });
    const results = requests.length === 0 ? [] : await logs.appendMarkers(requests, timeoutMs);
    results.forEach(({ errorCode }, index) => (codes[places[index] as number] = errorCode));
    await Promise.all(owned);
    return codes;
  }

  #marker({ committed, producerId, producerEpoch, coordinatorEpoch }: MarkerInput): Buffer {
    const timestampMs = this.#deps.clock.nowMs();
    const type = committed ? 'commit' : 'abort';
    return encodeTransactionMarker({ type, producerId, producerEpoch, coordinatorEpoch, timestampMs });
  }
}
