import { ControlRecordType, controlRecordType, decodeRecords, type BatchSummary } from '@ottla/protocol';
import { transactionRecordSerde } from '../../../src/coordinator/transaction/transaction-records.ts';
import type { TransactionMetadata } from '../../../src/coordinator/transaction/transaction-state.ts';
import type { ReplicaManager } from '../../../src/replica/replica-manager.ts';

/** What a partition's log says of the records in it. */
export interface PartitionHistory {
  readonly committed: readonly string[];
  readonly aborted: readonly string[];
  readonly open: readonly string[];
  /** What no log may hold. */
  readonly problems: readonly string[];
}

const LIMITS = { maxDecompressedBytes: 1_000_000 };

/**
 * Reads a partition batch by batch, as the strictest of consumers would. Producers of version 1 may end a transaction of
 * which nothing came to this partition, with the epoch of the one before.
 */
export async function historyOf(
  replicas: ReplicaManager,
  topic: string,
  { partition, version1 }: { readonly partition: number; readonly version1: ReadonlySet<number> },
): Promise<PartitionHistory> {
  const [committed, aborted, problems]: string[][] = [[], [], []];
  const open = new Map<number, string[]>();
  const lastMarkerEpoch = new Map<number, number>();
  await replicas.scan({ topic, partition }, (records, summaries) => {
    for (const batch of summaries) takeIn(records, batch);
  });
  return { committed: committed!, aborted: aborted!, open: [...open.values()].flat(), problems: problems! };

  function takeIn(buffer: Buffer, batch: BatchSummary): void {
    const { producerId, producerEpoch, isControl, baseOffset } = batch;
    const where = `${topic}-${partition} at ${baseOffset}`;
    const records = decodeRecords(buffer, batch.position, LIMITS);
    const markerEpoch = lastMarkerEpoch.get(producerId) ?? -1;
    const pending = open.get(producerId);
    if (!isControl) {
      if (producerEpoch < markerEpoch)
        problems!.push(`${where}: epoch ${producerEpoch} of ${producerId} after a marker of ${markerEpoch}`);
      open.set(producerId, [...(pending ?? []), ...records.map(({ value }) => String(value))]);
      return;
    }
    if (producerEpoch < markerEpoch)
      problems!.push(`${where}: marker epoch ${producerEpoch} < ${markerEpoch}`);
    // Where each end has an epoch of its own, a second marker of the same is one too many.
    if (pending === undefined && producerEpoch === markerEpoch && !version1.has(producerId))
      problems!.push(`${where}: a second marker of ${producerId}/${producerEpoch}`);
    const isCommit = controlRecordType(records[0]?.key ?? null) === ControlRecordType.commit;
    (isCommit ? committed : aborted)!.push(...(pending ?? []));
    open.delete(producerId);
    lastMarkerEpoch.set(producerId, producerEpoch);
  }
}

/** State names by number, and which may follow which in the log. */
const NEXT: readonly (readonly number[])[] = [
  [0, 1, 3],
  [1, 2, 3],
  // A completion that could not be written is left out when the next transaction begins.
  [4, 1, 0, 3],
  [5, 1, 0, 3],
  [1, 0, 3],
  [1, 0, 3],
];

/** What is wrong in a partition of `__transaction_state`: transitions that do not exist, epochs that fall. */
export async function stateProblems(
  replicas: ReplicaManager,
  topic: string,
  partition: number,
): Promise<string[]> {
  const problems: string[] = [];
  const last = new Map<string, TransactionMetadata>();
  const serde = transactionRecordSerde(() => 2);
  await replicas.scan({ topic, partition }, (records, summaries) => {
    for (const batch of summaries) {
      for (const { key, value, offset } of decodeRecords(records, batch.position, LIMITS)) {
        const record = key === null ? null : serde.decode(key, value);
        if (record === null || record.metadata === null) continue;
        const { metadata } = record;
        const before = last.get(record.transactionalId);
        last.set(record.transactionalId, metadata);
        if (before === undefined) continue;
        const where = `${record.transactionalId} at ${offset}`;
        if (!NEXT[before.state]!.includes(metadata.state))
          problems.push(`${where}: state ${before.state} -> ${metadata.state}`);
        if (metadata.producerId === before.producerId && metadata.producerEpoch < before.producerEpoch)
          problems.push(`${where}: epoch ${before.producerEpoch} -> ${metadata.producerEpoch}`);
      }
    }
  });
  return problems;
}
