import type { PartitionProducers, ProducerState, TransactionDescription } from '@ottla/client';

/** A transaction that is open in a partition. */
export interface OpenTransaction {
  readonly topic: string;
  readonly partition: number;
  readonly producer: ProducerState;
}

/** Transactions that have been open for longer than any transaction may be. */
export function longOpen(
  partitions: readonly PartitionProducers[],
  { nowMs, maxTransactionTimeoutMs }: { readonly nowMs: number; readonly maxTransactionTimeoutMs: number },
): OpenTransaction[] {
  return partitions.flatMap(({ topic, partition, producers }) =>
    producers
      .filter(
        ({ currentTransactionStartOffset, lastTimestampMs }) =>
          currentTransactionStartOffset !== undefined && nowMs - lastTimestampMs > maxTransactionTimeoutMs,
      )
      .map((producer) => ({ topic, partition, producer })),
  );
}

/**
 * Those of the candidates that hang, as kafka-transactions.sh tells them: no coordinator knows the producer, or the transaction that it
 * knows is not open in the partition. Nothing will end them but an abort.
 */
export function hanging(
  candidates: readonly OpenTransaction[],
  known: readonly TransactionDescription[],
): OpenTransaction[] {
  return candidates.filter(({ topic, partition, producer }) => {
    const own = known.filter(({ producerId }) => producerId === producer.producerId);
    return !own.some(({ partitions }) =>
      partitions.some((each) => each.topic === topic && each.partition === partition),
    );
  });
}
