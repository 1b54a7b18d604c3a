import type { ProducerCluster } from './producer-cluster.ts';
import { KafkaError } from '../errors/kafka-error.ts';
import type { ResolvedProducerOptions } from './producer-options.ts';
import type { ProducerBatch } from './producer-batch.ts';
import { fetchProducerId } from './producer-ids.ts';
import { LAST_PRODUCE_VERSION_WITH_NAMES, type SendGate } from './sender.ts';
import { SequenceTracker } from './sequence-tracker.ts';

/** The gate of a producer without transactions: open once it has a producer id, if it needs one. */
export class IdempotenceGate implements SendGate {
  readonly sequences: SequenceTracker<ProducerBatch> | null;
  readonly transactionalId = null;
  readonly maxProduceVersion = LAST_PRODUCE_VERSION_WITH_NAMES;
  readonly #cluster: ProducerCluster;
  readonly #options: ResolvedProducerOptions;
  readonly #onOpen: () => void;
  readonly #onFatal: (error: KafkaError) => void;
  #isFetching = false;

  constructor(setup: {
    readonly cluster: ProducerCluster;
    readonly options: ResolvedProducerOptions;
    readonly onOpen: () => void;
    readonly onFatal: (error: KafkaError) => void;
  }) {
    this.#cluster = setup.cluster;
    this.#options = setup.options;
    this.#onOpen = setup.onOpen;
    this.#onFatal = setup.onFatal;
    this.sequences = setup.options.idempotence ? new SequenceTracker(false) : null;
  }

  isOpen(): boolean {
    if (this.sequences === null || this.sequences.hasProducerId) return true;
    if (!this.#isFetching) void this.#fetch(this.sequences);
    return false;
  }

  onFailure(error: KafkaError): void {
    if (error.fatal) this.#onFatal(error);
  }

  async #fetch(sequences: SequenceTracker<ProducerBatch>): Promise<void> {
    this.#isFetching = true;
    try {
      const { producerId, producerEpoch } = await fetchProducerId(this.#cluster, this.#options, {
        timeoutMs: this.#options.deliveryTimeoutMs,
      });
      sequences.setProducerId(producerId, producerEpoch);
      this.#onOpen();
    } catch (error) {
      // One that may pass is tried again as long as there are batches, which expire by themselves.
      if (error instanceof KafkaError && !error.retriable) this.#onFatal(error);
      else this.#onOpen();
    } finally {
      this.#isFetching = false;
    }
  }
}
