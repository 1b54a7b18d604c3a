import type { ErrorName } from '@ottla/protocol';
import type { TopicPartition } from '../admin/admin-requests.ts';
import { KafkaError, type ClientErrorName } from '../errors/kafka-error.ts';

/** A failure at one place of a log. */
interface Place extends TopicPartition {
  readonly offset: number;
  readonly cause?: unknown;
}

/** What reading one partition failed with: names the topic, the partition and the offset. `consumer.seek` gets past it. */
export class PartitionError extends KafkaError {
  readonly topic: string;
  readonly partition: number;
  /** Where the consumer is; -1 when it has no position yet. */
  readonly offset: number;

  constructor(name: ErrorName | ClientErrorName, message: string, place: Place) {
    super(name, message, { cause: place.cause, retriable: false });
    this.topic = place.topic;
    this.partition = place.partition;
    this.offset = place.offset;
  }
}

/** A batch whose bytes are not what was written, or no batch at all. */
export function corruptBatch(place: Place, problem: string): PartitionError {
  const { topic, partition, offset } = place;
  return new PartitionError(
    'CORRUPT_MESSAGE',
    `Records of ${topic}-${partition} from offset ${offset} on cannot be read: ${problem}; seek past them to go on`,
    place,
  );
}

/** There is no offset to begin with, and `from` is `none`. */
export function noOffset({ topic, partition }: TopicPartition, group: string | null): PartitionError {
  const whose = group === null ? 'No offset is given' : `Group "${group}" has committed no offset`;
  return new PartitionError(
    'NO_OFFSET_FOR_PARTITION',
    `${whose} for ${topic}-${partition} and from is "none"; seek, or set from to "earliest" or "latest"`,
    { topic, partition, offset: -1 },
  );
}

/** The position is outside of the log, and `from` is `none`. */
export function outOfRange({ topic, partition, offset }: Place): PartitionError {
  return new PartitionError(
    'OFFSET_OUT_OF_RANGE',
    `Offset ${offset} of ${topic}-${partition} is not in the log and from is "none"; seek to one that is`,
    { topic, partition, offset },
  );
}

/** The log was cut behind our back (KIP-320): records that were read are not those that are there now. */
export class LogTruncationError extends PartitionError {
  /** Where the two histories part; null when the broker does not know. */
  readonly divergentOffset: number | null;

  constructor(place: Place, divergentOffset: number | null) {
    const where = divergentOffset === null ? 'at an unknown offset' : `at offset ${divergentOffset}`;
    super(
      'LOG_TRUNCATED',
      `The log of ${place.topic}-${place.partition} was truncated ${where} while the consumer was at ${place.offset}; seek to where it should go on`,
      place,
    );
    this.divergentOffset = divergentOffset;
  }
}

/** The member lost its partitions before the commit: another member may have read the records again (Java's CommitFailedException). */
export function commitFailed(cause: KafkaError): KafkaError {
  return new KafkaError(
    cause.name as ErrorName,
    `Offsets were not committed: the group has rebalanced and given the partitions to others (${cause.message}); when handling took longer than maxPollIntervalMs, raise it or take fewer records at a time`,
    { cause, retriable: false },
  );
}
