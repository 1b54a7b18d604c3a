import { ErrorCodes } from '@ottla/protocol';
import type { MetadataStore } from '../metadata/image.ts';
import type { AcknowledgementBatch, ShareRefusal } from '../share/share-partition-types.ts';
import type { PartitionAcknowledgements, ShareService } from '../share/share-service.ts';

/** The part that ShareFetch and ShareAcknowledge have in common. */
interface AcknowledgingTopic {
  readonly topicId: string;
  readonly partitions: readonly {
    readonly partitionIndex: number;
    readonly acknowledgementBatches: readonly AcknowledgementBatch[];
  }[];
}

/**
 * What a request acknowledges, in its order. Where one of its partitions has acknowledgements, those without count as
 * well, as in Kafka: they are answered, too.
 */
export function acknowledgementsOf(topics: readonly AcknowledgingTopic[]): PartitionAcknowledgements[] {
  const all = topics.flatMap(({ topicId, partitions }) =>
    partitions.map(({ partitionIndex, acknowledgementBatches }) => ({
      topicId,
      partition: partitionIndex,
      batches: acknowledgementBatches,
    })),
  );
  return all.some(({ batches }) => batches.length > 0) ? all : [];
}

/** Acknowledges in each partition on its own merits; the outcomes in the order asked. Never rejects. */
export function acknowledgeAll(
  { shares, metadata }: { readonly shares: ShareService; readonly metadata: MetadataStore },
  acknowledgements: readonly PartitionAcknowledgements[],
  {
    member,
    isRenewAllowed,
  }: {
    readonly member: { readonly groupId: string; readonly memberId: string };
    readonly isRenewAllowed: boolean;
  },
): Promise<ShareRefusal[]> {
  const { topics } = metadata.current();
  return Promise.all(
    acknowledgements.map(async (wanted) => {
      const topic = topics.byId.get(wanted.topicId);
      if (topic === undefined) return refusal(ErrorCodes.UNKNOWN_TOPIC_ID);
      if (topic.partitions[wanted.partition] === undefined)
        return refusal(ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION);
      if (wanted.batches.length === 0) return refusal(ErrorCodes.NONE);
      return shares.acknowledge(member, wanted, isRenewAllowed);
    }),
  );
}

function refusal(errorCode: number): ShareRefusal {
  return { errorCode, errorMessage: null };
}
