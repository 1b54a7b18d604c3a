import {
  ApiKeys,
  ErrorCodes,
  type WriteTxnMarkersRequest,
  writeTxnMarkersRequest,
  type WriteTxnMarkersResponse,
  writeTxnMarkersResponse,
} from '@ottla/protocol';
import type { MarkerWriter } from '../coordinator/transaction/marker-writer.ts';
import { EPOCH_BUMP_VERSION } from '../coordinator/transaction/transaction-state.ts';
import type { MetadataStore } from '../metadata/image.ts';
import type { TopicPartition } from '../replica/append.ts';
import type { ApiHandler } from './handler.ts';

type Marker = WriteTxnMarkersRequest['markers'][number];
type MarkerResult = WriteTxnMarkersResponse['markers'][number];

/**
 * WriteTxnMarkers 1 and 2 (2: the version of the transaction, KIP-1228): ends transactions in the partitions named. Sent by
 * transaction coordinators, and by administrators for a transaction that its coordinator does not know (KIP-664).
 */
export function writeTxnMarkersHandler(deps: {
  readonly markers: MarkerWriter;
  readonly metadata: MetadataStore;
}): ApiHandler<WriteTxnMarkersRequest, WriteTxnMarkersResponse> {
  return {
    apiKey: ApiKeys.WriteTxnMarkers,
    minVersion: 1,
    maxVersion: 2,
    isExemptFromRequestQuota: true,
    request: writeTxnMarkersRequest,
    response: writeTxnMarkersResponse,

    async handle(request) {
      return { markers: await Promise.all(request.markers.map(writeOne)) };
    },

    errorResponse: (request, errorCode) => ({
      markers: request.markers.map((marker) => resultOf(marker, () => errorCode)),
    }),
  };

  async function writeOne(marker: Marker): Promise<MarkerResult> {
    const { producerId, producerEpoch, coordinatorEpoch, transactionResult: committed } = marker;
    // No producer has such an identity, so no batch of it can be built.
    if (producerId < 0 || producerEpoch < 0) return resultOf(marker, () => ErrorCodes.UNKNOWN_SERVER_ERROR);
    const image = deps.metadata.current();
    const isKnown = ({ topic, partition }: TopicPartition): boolean =>
      image.topics.byName.get(topic)?.partitions[partition] !== undefined;
    const known = partitionsOf(marker).filter(isKnown);
    const raisesEpoch = marker.transactionVersion >= EPOCH_BUMP_VERSION;
    const end = { producerId, producerEpoch, coordinatorEpoch, committed, raisesEpoch };
    const codes = await deps.markers.write(end, known, { skipEnded: false });
    let next = 0;
    return resultOf(marker, (partition) =>
      isKnown(partition) ? (codes[next++] ?? ErrorCodes.NONE) : ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION,
    );
  }
}

function partitionsOf({ topics }: Marker): TopicPartition[] {
  return topics.flatMap(({ name, partitionIndexes }) =>
    partitionIndexes.map((partition) => ({ topic: name, partition })),
  );
}

function resultOf(marker: Marker, codeOf: (partition: TopicPartition) => number): MarkerResult {
  return {
    producerId: marker.producerId,
    topics: marker.topics.map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map((partition) => ({
        partitionIndex: partition,
        errorCode: codeOf({ topic: name, partition }),
      })),
    })),
  };
}
