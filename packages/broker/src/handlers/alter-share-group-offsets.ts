import {
  ApiKeys,
  ErrorCodes,
  errorMessage,
  alterShareGroupOffsetsRequest,
  alterShareGroupOffsetsResponse,
} from '@ottla/protocol';
import type { AlterShareGroupOffsetsRequest, AlterShareGroupOffsetsResponse } from '@ottla/protocol';
import { shareErrorOf, type ShareGroupService } from '../coordinator/group/share/share-group-service.ts';
import type { MetadataStore } from '../metadata/image.ts';
import type { ApiHandler } from './handler.ts';
import { isShareEnabled } from './share-checks.ts';

/** AlterShareGroupOffsets, version 0 (KIP-932): only for a group without members. */
export function alterShareGroupOffsetsHandler(deps: {
  readonly shareGroups: ShareGroupService;
  readonly metadata: MetadataStore;
}): ApiHandler<AlterShareGroupOffsetsRequest, AlterShareGroupOffsetsResponse> {
  return {
    apiKey: ApiKeys.AlterShareGroupOffsets,
    minVersion: 0,
    maxVersion: 0,
    request: alterShareGroupOffsetsRequest,
    response: alterShareGroupOffsetsResponse,

    async handle({ groupId, topics }) {
      if (!isShareEnabled(deps.metadata)) return failed(ErrorCodes.UNSUPPORTED_VERSION, null);
      if (groupId === '') return failed(ErrorCodes.INVALID_GROUP_ID, null);
      const wanted = topics.map(({ topicName, partitions }) => ({
        topicName,
        partitions: partitions.map(({ partitionIndex, startOffset }) => ({
          partition: partitionIndex,
          startOffset,
        })),
      }));
      try {
        const altered = await deps.shareGroups.alterOffsets(groupId, wanted);
        const responses = altered.map(({ partitions, ...topic }) => ({
          ...topic,
          partitions: partitions.map(({ partition, ...outcome }) => ({
            partitionIndex: partition,
            ...outcome,
          })),
        }));
        return { ...failed(ErrorCodes.NONE, null), responses };
      } catch (failure) {
        const { errorCode, errorMessage: text } = shareErrorOf(failure);
        return failed(errorCode, text);
      }
    },

    errorResponse: (_request, errorCode) => failed(errorCode, null),
  };
}

function failed(errorCode: number, text: string | null): AlterShareGroupOffsetsResponse {
  return {
    throttleTimeMs: 0,
    errorCode,
    errorMessage: text ?? errorMessage(errorCode) ?? null,
    responses: [],
  };
}
