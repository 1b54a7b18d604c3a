import {
  ApiKeys,
  ErrorCodes,
  errorMessage,
  ZERO_UUID,
  describeShareGroupOffsetsRequest,
  describeShareGroupOffsetsResponse,
} from '@ottla/protocol';
import type { DescribeShareGroupOffsetsRequest, DescribeShareGroupOffsetsResponse } from '@ottla/protocol';
import { shareErrorOf, type ShareGroupService } from '../coordinator/group/share/share-group-service.ts';
import type { MetadataStore } from '../metadata/image.ts';
import type { ApiHandler } from './handler.ts';
import { withoutRepeats } from './without-repeats.ts';
import { isShareEnabled } from './share-checks.ts';

type GroupAnswer = DescribeShareGroupOffsetsResponse['groups'][number];

/** DescribeShareGroupOffsets, versions 0 and 1 (1 adds the lag, KIP-1226). Each group has its own outcome. */
export function describeShareGroupOffsetsHandler(deps: {
  readonly shareGroups: ShareGroupService;
  readonly metadata: MetadataStore;
}): ApiHandler<DescribeShareGroupOffsetsRequest, DescribeShareGroupOffsetsResponse> {
  return {
    apiKey: ApiKeys.DescribeShareGroupOffsets,
    minVersion: 0,
    maxVersion: 1,
    request: describeShareGroupOffsetsRequest,
    response: describeShareGroupOffsetsResponse,

    async handle(request) {
      if (!isShareEnabled(deps.metadata)) return errorResponse(request, ErrorCodes.UNSUPPORTED_VERSION);
      // A list of partitions is as long as its answer; without one all partitions of the group are meant.
      const { distinct, spread } = withoutRepeats(request.groups, (group) =>
        group.topics === null ? group.groupId : group,
      );
      const groups = await Promise.all(distinct.map((group) => describe(deps, group)));
      return { throttleTimeMs: 0, groups: spread(groups) };
    },

    errorResponse,
  };
}

async function describe(
  { shareGroups, metadata }: { readonly shareGroups: ShareGroupService; readonly metadata: MetadataStore },
  { groupId, topics }: DescribeShareGroupOffsetsRequest['groups'][number],
): Promise<GroupAnswer> {
  try {
    const described = await shareGroups.describeOffsets(groupId, topics);
    return {
      groupId,
      errorCode: ErrorCodes.NONE,
      errorMessage: null,
      topics: described.map(({ partitions, ...topic }) => ({
        ...topic,
        partitions: partitions.map(({ partition, ...offset }) => ({ partitionIndex: partition, ...offset })),
      })),
    };
  } catch (failure) {
    const { errorCode, errorMessage: text } = shareErrorOf(failure);
    // A group that is not there has no offsets, and that is all Kafka says.
    if (errorCode === ErrorCodes.GROUP_ID_NOT_FOUND)
      return { ...failed(groupId, ErrorCodes.NONE, null), topics: unknownOffsets(topics ?? [], metadata) };
    return failed(groupId, errorCode, text);
  }
}

function unknownOffsets(
  topics: NonNullable<DescribeShareGroupOffsetsRequest['groups'][number]['topics']>,
  metadata: MetadataStore,
): GroupAnswer['topics'] {
  const { byName } = metadata.current().topics;
  return topics.map(({ topicName, partitions }) => ({
    topicName,
    topicId: byName.get(topicName)?.id ?? ZERO_UUID,
    partitions: partitions.map((partitionIndex) => ({
      partitionIndex,
      startOffset: -1,
      leaderEpoch: 0,
      lag: -1,
      errorCode: 0,
      errorMessage: null,
    })),
  }));
}

function errorResponse(
  request: DescribeShareGroupOffsetsRequest,
  errorCode: number,
): DescribeShareGroupOffsetsResponse {
  return { throttleTimeMs: 0, groups: request.groups.map(({ groupId }) => failed(groupId, errorCode, null)) };
}

function failed(groupId: string, errorCode: number, text: string | null): GroupAnswer {
  return { groupId, topics: [], errorCode, errorMessage: text ?? errorMessage(errorCode) ?? null };
}
