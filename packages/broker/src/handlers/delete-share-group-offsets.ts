import {
  ApiKeys,
  ErrorCodes,
  errorMessage,
  deleteShareGroupOffsetsRequest,
  deleteShareGroupOffsetsResponse,
} from '@ottla/protocol';
import type { DeleteShareGroupOffsetsRequest, DeleteShareGroupOffsetsResponse } from '@ottla/protocol';
import { shareErrorOf, type ShareGroupService } from '../coordinator/group/share/share-group-service.ts';
import type { MetadataStore } from '../metadata/image.ts';
import type { ApiHandler } from './handler.ts';
import { isShareEnabled } from './share-checks.ts';

/** DeleteShareGroupOffsets, version 0 (KIP-932): only for a group without members. */
export function deleteShareGroupOffsetsHandler(deps: {
  readonly shareGroups: ShareGroupService;
  readonly metadata: MetadataStore;
}): ApiHandler<DeleteShareGroupOffsetsRequest, DeleteShareGroupOffsetsResponse> {
  return {
    apiKey: ApiKeys.DeleteShareGroupOffsets,
    minVersion: 0,
    maxVersion: 0,
    request: deleteShareGroupOffsetsRequest,
    response: deleteShareGroupOffsetsResponse,

    async handle({ groupId, topics }) {
      if (!isShareEnabled(deps.metadata)) return failed(ErrorCodes.UNSUPPORTED_VERSION, null);
      if (groupId === '') return failed(ErrorCodes.INVALID_GROUP_ID, null);
      const names = [...new Set(topics.map(({ topicName }) => topicName))];
      try {
        const responses = await deps.shareGroups.deleteOffsets(groupId, names);
        return { ...failed(ErrorCodes.NONE, null), responses };
      } catch (failure) {
        const { errorCode, errorMessage: text } = shareErrorOf(failure);
        return failed(errorCode, text);
      }
    },

    errorResponse: (_request, errorCode) => failed(errorCode, null),
  };
}

function failed(errorCode: number, text: string | null): DeleteShareGroupOffsetsResponse {
  return {
    throttleTimeMs: 0,
    errorCode,
    errorMessage: text ?? errorMessage(errorCode) ?? null,
    responses: [],
  };
}
