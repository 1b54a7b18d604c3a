import { ApiKeys, ErrorCodes, offsetFetchRequest, offsetFetchResponse, ZERO_UUID } from '@ottla/protocol';
import type { OffsetFetchRequest, OffsetFetchResponse } from '@ottla/protocol';
import type { GroupCoordinator } from '../coordinator/group/group-coordinator.ts';
import type { FetchedTopic, FetchTopic } from '../coordinator/group/offsets/offset-types.ts';
import { errorCodeOf } from '../coordinator/runtime/coordinator-error.ts';
import type { MetadataStore } from '../metadata/image.ts';
import type { ApiHandler, RequestContext } from './handler.ts';
import { withoutRepeats } from './without-repeats.ts';

type GroupResponse = OffsetFetchResponse['groups'][number];

/** One group asked for, whatever the version. */
interface GroupQuery {
  readonly groupId: string;
  readonly memberId: string | null;
  readonly memberEpoch: number;
  /** Null: all topics. */
  readonly topics: readonly FetchTopic[] | null;
}

/**
 * OffsetFetch, versions 1 to 10. 2 adds "all topics" and a group-level error, 5 the leader epoch, 7 `requireStable`
 * (KIP-447), 8 several groups at once (KIP-709), 9 member id and epoch (KIP-848), 10 names
 * topics by id alone.
 */
export function offsetFetchHandler(deps: {
  readonly groups: GroupCoordinator;
  readonly metadata: MetadataStore;
}): ApiHandler<OffsetFetchRequest, OffsetFetchResponse> {
  return {
    apiKey: ApiKeys.OffsetFetch,
    minVersion: 1,
    maxVersion: 10,
    request: offsetFetchRequest,
    response: offsetFetchResponse,

    async handle(request, { apiVersion }) {
      const queries = queriesOf(request, apiVersion);
      const { distinct, spread } = withoutRepeats(queries, sameness);
      const groups = await Promise.all(
        distinct.map((query) => fetchGroup(query, request.requireStable, apiVersion)),
      );
      return respond(queries, spread(groups), apiVersion);
    },

    errorResponse: (request, errorCode, { apiVersion }: RequestContext) => {
      const queries = queriesOf(request, apiVersion);
      const groups = queries.map(({ groupId }) => ({ groupId, topics: [], errorCode }));
      return respond(queries, groups, apiVersion);
    },
  };

  async function fetchGroup(
    query: GroupQuery,
    requireStable: boolean,
    apiVersion: number,
  ): Promise<GroupResponse> {
    const { known, refused } =
      apiVersion >= 10 ? resolveIds(query.topics) : { known: query.topics, refused: [] };
    try {
      const fetched = await deps.groups.fetchOffsets({ ...query, topics: known }, requireStable);
      const topics = apiVersion >= 10 && known === null ? withCurrentIds(fetched) : fetched;
      const answered = [...topics, ...refused].map((topic) => toTopic(topic, apiVersion));
      return { groupId: query.groupId, topics: answered, errorCode: ErrorCodes.NONE };
    } catch (failure) {
      return { groupId: query.groupId, topics: [], errorCode: errorCodeOf(failure) };
    }
  }

  /** Topics by id; those that do not exist are answered for without the coordinator. */
  function resolveIds(topics: GroupQuery['topics']): {
    known: GroupQuery['topics'];
    refused: FetchedTopic[];
  } {
    if (topics === null) return { known: null, refused: [] };
    const image = deps.metadata.current();
    const known: FetchTopic[] = [];
    const refused: FetchedTopic[] = [];
    for (const { topicId, partitionIndexes } of topics) {
      const topic = image.topics.byId.get(topicId);
      if (topic !== undefined) known.push({ name: topic.name, topicId, partitionIndexes });
      else refused.push(unknownTopic(topicId, partitionIndexes));
    }
    return { known, refused };
  }

  /** All topics of a group, for a version that has no names: those that no longer exist cannot be told. */
  function withCurrentIds(fetched: readonly FetchedTopic[]): FetchedTopic[] {
    const { byName } = deps.metadata.current().topics;
    return fetched.flatMap((topic) => {
      const current = byName.get(topic.name);
      return current === undefined ? [] : [{ ...topic, topicId: current.id }];
    });
  }
}

function queriesOf(request: OffsetFetchRequest, apiVersion: number): GroupQuery[] {
  if (apiVersion >= 8) return request.groups;
  const topics = request.topics?.map((topic) => ({ ...topic, topicId: ZERO_UUID })) ?? null;
  return [{ groupId: request.groupId, memberId: null, memberEpoch: -1, topics }];
}

/** A list of partitions is as long as its answer; without one all partitions of the group are meant, in a few bytes. */
function sameness(query: GroupQuery): unknown {
  return query.topics === null ? JSON.stringify([query.groupId, query.memberId, query.memberEpoch]) : query;
}

function unknownTopic(topicId: string, partitionIndexes: readonly number[]): FetchedTopic {
  return {
    name: '',
    topicId,
    partitions: partitionIndexes.map((partitionIndex) =>
      failedPartition(partitionIndex, ErrorCodes.UNKNOWN_TOPIC_ID),
    ),
  };
}

function failedPartition(partitionIndex: number, errorCode: number): FetchedTopic['partitions'][number] {
  return { partitionIndex, committedOffset: -1, committedLeaderEpoch: -1, metadata: '', errorCode };
}

/** By name up to version 9, by id from 10 on. */
function toTopic(
  { name, topicId, partitions }: FetchedTopic,
  apiVersion: number,
): GroupResponse['topics'][number] {
  const key = apiVersion >= 10 ? { name: '', topicId } : { name, topicId: ZERO_UUID };
  return { ...key, partitions: [...partitions] };
}

function respond(
  queries: readonly GroupQuery[],
  groups: GroupResponse[],
  apiVersion: number,
): OffsetFetchResponse {
  const none = { throttleTimeMs: 0, topics: [], errorCode: 0, groups: [] };
  if (apiVersion >= 8) return { ...none, groups };
  const [group] = groups;
  if (group === undefined) return none;
  if (apiVersion >= 2 || group.errorCode === ErrorCodes.NONE) {
    return { ...none, topics: group.topics, errorCode: apiVersion >= 2 ? group.errorCode : 0 };
  }
  // Version 1 has no place for an error but the partitions.
  const topics = (queries[0]?.topics ?? []).map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map((partitionIndex) => failedPartition(partitionIndex, group.errorCode)),
  }));
  return { ...none, topics };
}
