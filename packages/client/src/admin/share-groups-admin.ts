import { ErrorCodes } from '@ottla/protocol';
import type { CallLimits } from '../cluster/limits.ts';
import type { KafkaError } from '../errors/kafka-error.ts';
import { brokerError, errorOf } from '../errors/kafka-error.ts';
import { apis } from '../network/apis.ts';
import { operationsOf, type AclOperation } from './acl-names.ts';
import type { AdminRequests, TopicPartition } from './admin-requests.ts';
import { describeEach } from './describe-each-group.ts';
import { flatten } from './describe-groups.ts';
import type { PartitionFailure } from './offsets-admin.ts';
import { only, type PerItem, byTopic } from './per-item.ts';

/** A member of a share group. Several may have the same partition. */
export interface ShareGroupMember {
  readonly memberId: string;
  readonly clientId: string;
  readonly host: string;
  readonly rack: string | null;
  readonly memberEpoch: number;
  readonly subscription: readonly string[];
  readonly assignment: readonly TopicPartition[];
}

/** A share group (KIP-932) as its coordinator sees it. */
export interface ShareGroupDescription {
  readonly groupId: string;
  /** `Stable`, `Empty` or `Dead`. */
  readonly state: string;
  readonly assignor: string;
  /** Node id. */
  readonly coordinator: number;
  readonly groupEpoch: number;
  readonly assignmentEpoch: number;
  readonly members: readonly ShareGroupMember[];
  readonly authorizedOperations: readonly AclOperation[] | undefined;
}

/** From where a share group reads a partition. */
export interface ShareGroupOffset extends TopicPartition {
  /** The first record that is not finished; -1 when the group has not begun. */
  readonly startOffset: number;
  readonly leaderEpoch: number;
  /** Records that are not finished (KIP-1226); null when the broker does not say. */
  readonly lag: number | null;
  readonly error: null;
}

/** Share groups (KIP-932). */
export class ShareGroupsAdmin {
  readonly #requests: AdminRequests;

  constructor(requests: AdminRequests) {
    this.#requests = requests;
  }

  /** Describes a share group. Throws GROUP_ID_NOT_FOUND when there is none of this kind. */
  describe(groupId: string, options?: CallLimits): Promise<ShareGroupDescription>;
  /** Describes several, each with an outcome of its own. */
  describe(groupIds: readonly string[], options?: CallLimits): Promise<PerItem<ShareGroupDescription>>;
  async describe(
    groupIds: string | readonly string[],
    options: CallLimits & { readonly includeAuthorizedOperations?: boolean } = {},
  ): Promise<ShareGroupDescription | PerItem<ShareGroupDescription>> {
    const results = await describeEach<ShareGroupDescription>(
      this.#requests,
      { what: 'Describing share groups', groupIds, options },
      async (body, nodeId, attempt) => {
        const answer = await this.#requests.send(nodeId, { api: apis.shareGroupDescribe, body }, attempt);
        return answer.groups.map((each) => [
          each.groupId,
          each.errorCode !== ErrorCodes.NONE
            ? brokerError(each.errorCode, each.errorMessage, `share group "${each.groupId}"`)
            : {
                groupId: each.groupId,
                state: each.groupState,
                assignor: each.assignorName,
                coordinator: nodeId,
                groupEpoch: each.groupEpoch,
                assignmentEpoch: each.assignmentEpoch,
                authorizedOperations: operationsOf(each.authorizedOperations),
                members: each.members.map((member) => ({
                  memberId: member.memberId,
                  clientId: member.clientId,
                  host: member.clientHost,
                  rack: member.rackId,
                  memberEpoch: member.memberEpoch,
                  subscription: member.subscribedTopicNames,
                  assignment: flatten(member.assignment.topicPartitions),
                })),
              },
        ]);
      },
    );
    return typeof groupIds === 'string' ? only(results) : results;
  }

  /** From where the group reads: in all partitions, or in those given. */
  async offsets(
    groupId: string,
    options: CallLimits & { readonly partitions?: readonly TopicPartition[] } = {},
  ): Promise<(ShareGroupOffset | PartitionFailure)[]> {
    const topics =
      options.partitions === undefined
        ? null
        : byTopic(options.partitions, (topicName, members) => ({
            topicName,
            partitions: members.map(({ partition }) => partition),
          }));
    return this.#one(groupId, options, async (nodeId, attempt) => {
      const body = { groups: [{ groupId, topics }] };
      const answer = await this.#requests.send(
        nodeId,
        { api: apis.describeShareGroupOffsets, body },
        attempt,
      );
      const group = answer.groups.find((each) => each.groupId === groupId);
      if (group === undefined)
        return brokerError(ErrorCodes.UNKNOWN_SERVER_ERROR, 'The broker did not describe the group');
      if (group.errorCode !== ErrorCodes.NONE)
        return brokerError(group.errorCode, group.errorMessage, `share group "${groupId}"`);
      return group.topics.flatMap(({ topicName, partitions }) =>
        partitions.map((each): ShareGroupOffset | PartitionFailure => {
          const place = { topic: topicName, partition: each.partitionIndex };
          if (each.errorCode !== ErrorCodes.NONE)
            return {
              ...place,
              error: brokerError(
                each.errorCode,
                each.errorMessage,
                `partition ${topicName}-${each.partitionIndex}`,
              ),
            };
          const { startOffset, leaderEpoch, lag } = each;
          return { ...place, startOffset, leaderEpoch, lag: lag < 0 ? null : lag, error: null };
        }),
      );
    });
  }

  /** Moves a group without members: it reads from these offsets on. */
  alterOffsets(
    groupId: string,
    offsets: readonly (TopicPartition & { readonly startOffset: number })[],
    options: CallLimits = {},
  ): Promise<(TopicPartition & { readonly error: KafkaError | null })[]> {
    const body = {
      groupId,
      topics: byTopic(offsets, (topicName, members) => ({
        topicName,
        partitions: members.map(({ partition, startOffset }) => ({ partitionIndex: partition, startOffset })),
      })),
    };
    return this.#one(groupId, options, async (nodeId, attempt) => {
      const answer = await this.#requests.send(nodeId, { api: apis.alterShareGroupOffsets, body }, attempt);
      if (answer.errorCode !== ErrorCodes.NONE)
        return brokerError(answer.errorCode, answer.errorMessage, `share group "${groupId}"`);
      return answer.responses.flatMap(({ topicName, partitions }) =>
        partitions.map(({ partitionIndex, errorCode, errorMessage }) => ({
          topic: topicName,
          partition: partitionIndex,
          error: errorOf(errorCode, errorMessage, `partition ${topicName}-${partitionIndex}`) ?? null,
        })),
      );
    });
  }

  /** Forgets where a group without members is in these topics; an outcome for each topic. */
  deleteOffsets(
    groupId: string,
    topics: readonly string[],
    options: CallLimits = {},
  ): Promise<PerItem<undefined>> {
    const body = { groupId, topics: topics.map((topicName) => ({ topicName })) };
    return this.#one(groupId, options, async (nodeId, attempt) => {
      const answer = await this.#requests.send(nodeId, { api: apis.deleteShareGroupOffsets, body }, attempt);
      if (answer.errorCode !== ErrorCodes.NONE)
        return brokerError(answer.errorCode, answer.errorMessage, `share group "${groupId}"`);
      return new Map(
        answer.responses.map(({ topicName, errorCode, errorMessage }) => [
          topicName,
          errorOf(errorCode, errorMessage, `topic "${topicName}"`),
        ]),
      );
    });
  }

  async #one<T>(
    groupId: string,
    options: CallLimits,
    send: (nodeId: number, attempt: Parameters<AdminRequests['send']>[2]) => Promise<T | KafkaError>,
  ): Promise<T> {
    const limits = { ...options, what: `Share group "${groupId}"`, oneByOne: true };
    const results = await this.#requests.toCoordinators<T>(
      'group',
      [groupId],
      limits,
      async (nodeId, _, attempt) => [[groupId, await send(nodeId, attempt)]],
    );
    return only(results);
  }
}
