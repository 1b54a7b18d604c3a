import { ControlRecordType, controlRecordType, decodeRecords, type BatchSummary } from '@ottla/protocol';
import type { CoordinatorLogAccess, TopicPartition } from '../../replica/replica-manager.ts';
import type { CoordinatorTypes, RecordSerde, StateMachine } from './state-machine.ts';

/** What `loadPartition` reads and where it goes. */
export interface LoadOptions<T extends CoordinatorTypes> {
  readonly partition: TopicPartition;
  readonly machine: StateMachine<T>;
  readonly serde: RecordSerde<T['record']>;
  readonly log: CoordinatorLogAccess;
  /** Asked before each piece; true stops the load. */
  readonly cancelled: () => boolean;
}

/** Replays a whole partition into a machine, in bounded pieces. Rejects when the log cannot be read or holds what cannot be decoded. */
export async function loadPartition<T extends CoordinatorTypes>(options: LoadOptions<T>): Promise<void> {
  await options.log.scan(options.partition, (records, summaries) => {
    if (options.cancelled()) return;
    for (const summary of summaries) replayBatch(options, records, summary);
  });
}

function replayBatch<T extends CoordinatorTypes>(
  options: LoadOptions<T>,
  buffer: Buffer,
  summary: BatchSummary,
): void {
  const { machine, serde } = options;
  const records = decodeRecords(buffer, summary.position, { maxDecompressedBytes: MAX_BATCH_BYTES });
  if (summary.isControl) {
    const type = controlRecordType(records[0]?.key ?? null);
    if (type === ControlRecordType.commit) machine.replayEndTransaction(summary.producerId, true);
    if (type === ControlRecordType.abort) machine.replayEndTransaction(summary.producerId, false);
    return;
  }
  const producerId = summary.isTransactional ? summary.producerId : -1;
  const producerEpoch = summary.isTransactional ? summary.producerEpoch : -1;
  for (const { key, value, offset } of records) {
    // A record without a key cannot say what it is; nobody writes one, and Kafka's loader skips it too.
    if (key === null) continue;
    const record = serde.decode(key, value);
    if (record !== null) machine.replay(record, { offset, producerId, producerEpoch });
  }
}

/** Decompression bound for one batch of an internal topic; far above what any coordinator writes. */
const MAX_BATCH_BYTES = 256 * 1024 * 1024;
