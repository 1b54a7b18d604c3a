import type { CallLimits } from '../cluster/limits.ts';
import { isKafkaError, KafkaError, throwIfError, errorOf } from '../errors/kafka-error.ts';
import { apis } from '../network/apis.ts';
import type { Topic } from '../topic.ts';
import type { AdminRequests, TopicPartition } from './admin-requests.ts';
import { describeGroups, type GroupDescription, type GroupMember } from './describe-groups.ts';
import type { CommitOffset } from './commit-offset.ts';
import { GroupOffsets, type CommittedOffset, type GroupLag } from './group-offsets.ts';
import type { OffsetsAdmin, PartitionFailure } from './offsets-admin.ts';
import { only, type PerItem } from './per-item.ts';
import { resetOffsets, type OffsetReset, type ResetStep } from './reset-offsets.ts';

/** The protocols of groups. */
export type GroupType = 'classic' | 'consumer' | 'share' | 'streams';

/** A group in a list. */
export interface GroupListing {
  readonly groupId: string;
  /** Undefined when the broker is too old to say. */
  readonly type: GroupType | undefined;
  /** `consumer` for consumers; empty for groups that only have offsets. */
  readonly protocolType: string;
  /** `Stable`, `Empty`, ...; undefined when the broker is too old to say. */
  readonly state: string | undefined;
}

/** Only groups to which all of these apply. */
export interface ListGroupsOptions extends CallLimits {
  /** Only groups in one of these states: `Stable`, `Empty`, `Dead`, ... */
  readonly states?: readonly string[];
  readonly types?: readonly GroupType[];
}

/** A described group with what it has committed and how far it is behind. */
export interface GroupStatus extends GroupDescription {
  /** For each partition with a committed offset or an owner. */
  readonly offsets: readonly GroupLag[];
  /** Sum over the partitions where it is known; null when it is known for none. */
  readonly lag: number | null;
}

/** Consumer groups: of the classic protocol, and of the one of KIP-848. */
export class GroupsAdmin {
  readonly #requests: AdminRequests;
  readonly #offsets: OffsetsAdmin;
  readonly #groupOffsets: GroupOffsets;

  constructor(requests: AdminRequests, offsets: OffsetsAdmin) {
    this.#requests = requests;
    this.#offsets = offsets;
    this.#groupOffsets = new GroupOffsets(requests, offsets);
  }

  /** All groups that the brokers coordinate. Throws the error of the first broker that fails. */
  async list(options: ListGroupsOptions = {}): Promise<GroupListing[]> {
    const { brokers } = await this.#requests.cluster.refreshMetadata({}, options);
    const body = {
      ...(options.states !== undefined && { statesFilter: options.states }),
      ...(options.types !== undefined && { typesFilter: options.types }),
    };
    const lists = await Promise.all(
      [...brokers.keys()].map((nodeId) =>
        this.#requests.ask(nodeId, { api: apis.listGroups, body }, options, (answer) => {
          throwIfError(answer.errorCode, null, `groups of broker ${nodeId}`);
          return answer.groups;
        }),
      ),
    );
    const groups = new Map<string, GroupListing>();
    for (const { groupId, protocolType, groupState, groupType } of lists.flat())
      groups.set(groupId, {
        groupId,
        protocolType,
        type: groupType === '' ? undefined : (groupType.toLowerCase() as GroupType),
        state: groupState === '' ? undefined : groupState,
      });
    return [...groups.values()].sort((a, b) => (a.groupId < b.groupId ? -1 : 1));
  }

  /** Describes a group with its offsets and lag. Throws GROUP_ID_NOT_FOUND when there is none. */
  describe(groupId: string, options?: CallLimits): Promise<GroupStatus>;
  /** Describes several, each with an outcome of its own. */
  describe(groupIds: readonly string[], options?: CallLimits): Promise<PerItem<GroupStatus>>;
  async describe(
    groupIds: string | readonly string[],
    options: CallLimits = {},
  ): Promise<GroupStatus | PerItem<GroupStatus>> {
    const ids = typeof groupIds === 'string' ? [groupIds] : groupIds;
    const described = await describeGroups(this.#requests, ids, options);
    const results = new Map<string, GroupStatus | KafkaError>();
    await Promise.all(
      [...described].map(async ([groupId, group]) => {
        if (group instanceof KafkaError) results.set(groupId, group);
        else results.set(groupId, await this.#withOffsets(group, options));
      }),
    );
    const ordered = new Map(ids.map((groupId) => [groupId, results.get(groupId)!]));
    return typeof groupIds === 'string' ? only(ordered) : ordered;
  }

  /** Members and state alone, without looking up offsets. */
  members(groupIds: readonly string[], options: CallLimits = {}): Promise<PerItem<GroupDescription>> {
    return describeGroups(this.#requests, groupIds, options);
  }

  /** What a group has committed: for all partitions, or for those given. */
  offsets(
    groupId: string,
    options: CallLimits & {
      readonly partitions?: readonly TopicPartition[];
      readonly requireStable?: boolean;
    } = {},
  ): Promise<(CommittedOffset | PartitionFailure)[]> {
    return this.#groupOffsets.list(groupId, options);
  }

  /** Commits offsets for a group without members (or of partitions that nobody owns). */
  alterOffsets(
    groupId: string,
    offsets: readonly CommitOffset[],
    options: CallLimits = {},
  ): Promise<(TopicPartition & { readonly error: KafkaError | null })[]> {
    return this.#groupOffsets.alter(groupId, offsets, options);
  }

  /** Forgets what a group has committed for partitions of topics that it is not subscribed to. */
  deleteOffsets(
    groupId: string,
    partitions: readonly TopicPartition[],
    options: CallLimits = {},
  ): Promise<(TopicPartition & { readonly error: KafkaError | null })[]> {
    return this.#groupOffsets.delete(groupId, partitions, options);
  }

  /**
   * Moves the committed offsets of a group without members, in all of Kafka's ways; what would fall outside the log is moved to its end.
   * Returns the plan; with `dryRun` nothing is committed.
   * Throws NON_EMPTY_GROUP when the group has members.
   *
   * @example
   * const plan = await admin.groups.resetOffsets('billing', orders, new Date('2026-11-01'), { dryRun: true });
   */
  resetOffsets(
    groupId: string,
    topics: string | Topic | readonly (string | Topic | TopicPartition)[],
    to: OffsetReset,
    options: CallLimits & { readonly dryRun?: boolean } = {},
  ): Promise<ResetStep[]> {
    return resetOffsets(
      { requests: this.#requests, offsets: this.#offsets, groupOffsets: this.#groupOffsets },
      { groupId, topics, to, dryRun: options.dryRun ?? false },
      options,
    );
  }

  /** Deletes a group without members. Throws NON_EMPTY_GROUP, GROUP_ID_NOT_FOUND. */
  delete(groupId: string, options?: CallLimits): Promise<void>;
  /** Deletes several, each with an outcome of its own. */
  delete(groupIds: readonly string[], options?: CallLimits): Promise<PerItem<undefined>>;
  async delete(
    groupIds: string | readonly string[],
    options: CallLimits = {},
  ): Promise<void | PerItem<undefined>> {
    const ids = typeof groupIds === 'string' ? [groupIds] : groupIds;
    const limits = { ...options, what: 'Deleting groups' };
    const results = await this.#requests.toCoordinators<undefined>(
      'group',
      ids,
      limits,
      async (nodeId, group, attempt) => {
        const answer = await this.#requests.send(
          nodeId,
          { api: apis.deleteGroups, body: { groupsNames: group } },
          attempt,
        );
        return answer.results.map(({ groupId, errorCode, errorMessage }) => [
          groupId,
          errorOf(errorCode, errorMessage, `group "${groupId}"`),
        ]);
      },
    );
    return typeof groupIds === 'string' ? only(results) : results;
  }

  /**
   * Removes members from a classic group: static ones by `groupInstanceId`, dynamic ones by `memberId`; all of them when none are given.
   * A client that still runs joins again.
   */
  async removeMembers(
    groupId: string,
    members: readonly { readonly memberId?: string; readonly groupInstanceId?: string }[] | 'all',
    options: CallLimits & { readonly reason?: string } = {},
  ): Promise<
    {
      readonly memberId: string;
      readonly groupInstanceId: string | null;
      readonly error: KafkaError | null;
    }[]
  > {
    const list = members === 'all' ? await this.#allMembers(groupId, options) : members;
    if (list.length === 0) return [];
    const body = {
      groupId,
      members: list.map(({ memberId, groupInstanceId }) => ({
        memberId: groupInstanceId === undefined ? (memberId ?? '') : '',
        groupInstanceId: groupInstanceId ?? null,
        reason: options.reason ?? 'member was removed by an admin',
      })),
    };
    const target = { coordinator: 'group', key: groupId } as const;
    // Version 3 brought several members.
    return this.#requests.ask(target, { api: apis.leaveGroup, body, minVersion: 3 }, options, (answer) => {
      throwIfError(answer.errorCode, null, `group "${groupId}"`);
      return answer.members.map(({ memberId, groupInstanceId, errorCode }) => ({
        memberId,
        groupInstanceId,
        error: errorOf(errorCode, null, `member "${groupInstanceId ?? memberId}"`) ?? null,
      }));
    });
  }

  async #allMembers(
    groupId: string,
    options: CallLimits,
  ): Promise<{ memberId?: string; groupInstanceId?: string }[]> {
    const group = only(await describeGroups(this.#requests, [groupId], options));
    return group.members.map((member: GroupMember) =>
      member.groupInstanceId === null
        ? { memberId: member.memberId }
        : { groupInstanceId: member.groupInstanceId },
    );
  }

  async #withOffsets(group: GroupDescription, options: CallLimits): Promise<GroupStatus> {
    const offsets = await this.#groupOffsets.lag(group, options).catch((error: unknown) => {
      // A group may be described by somebody who may not read its offsets.
      if (isKafkaError(error) && error.name.endsWith('_AUTHORIZATION_FAILED')) return null;
      throw error;
    });
    const known = (offsets ?? []).flatMap(({ lag }) => (lag === null ? [] : [lag]));
    return {
      ...group,
      offsets: offsets ?? [],
      lag: known.length === 0 ? null : known.reduce((sum, lag) => sum + lag, 0),
    };
  }
}
