import { ErrorCodes, type StreamsGroupDescribeResponse } from '@ottla/protocol';
import type { CallLimits } from '../cluster/limits.ts';
import { brokerError, type KafkaError } from '../errors/kafka-error.ts';
import { apis } from '../network/apis.ts';
import { operationsOf, type AclOperation } from './acl-names.ts';
import type { AdminRequests } from './admin-requests.ts';
import { describeEach } from './describe-each-group.ts';
import { only, type PerItem } from './per-item.ts';

/** Partitions of a subtopology that one thread works on. */
export interface StreamsTasks {
  readonly subtopologyId: string;
  readonly partitions: readonly number[];
}

/** The tasks of a member: those that it works on, copies of state, and copies that catch up. */
export interface StreamsAssignment {
  readonly activeTasks: readonly StreamsTasks[];
  readonly standbyTasks: readonly StreamsTasks[];
  readonly warmupTasks: readonly StreamsTasks[];
}

/** A thread of a Kafka Streams application. */
export interface StreamsGroupMember {
  readonly memberId: string;
  readonly memberEpoch: number;
  readonly groupInstanceId: string | null;
  readonly rack: string | null;
  readonly clientId: string;
  readonly host: string;
  readonly topologyEpoch: number;
  readonly processId: string;
  readonly userEndpoint: { readonly host: string; readonly port: number } | null;
  readonly clientTags: ReadonlyMap<string, string>;
  readonly assignment: StreamsAssignment;
  readonly targetAssignment: StreamsAssignment;
  readonly isClassic: boolean;
}

/** A part of the topology, with the topics that tie it to the others. */
export interface StreamsSubtopology {
  readonly subtopologyId: string;
  readonly sourceTopics: readonly string[];
  readonly repartitionSinkTopics: readonly string[];
  readonly repartitionSourceTopics: readonly string[];
  readonly stateChangelogTopics: readonly string[];
}

/** A streams group (KIP-1071) as its coordinator sees it. */
export interface StreamsGroupDescription {
  readonly groupId: string;
  readonly state: string;
  /** Node id. */
  readonly coordinator: number;
  readonly groupEpoch: number;
  readonly assignmentEpoch: number;
  readonly topologyEpoch: number | undefined;
  readonly subtopologies: readonly StreamsSubtopology[];
  readonly members: readonly StreamsGroupMember[];
  readonly authorizedOperations: readonly AclOperation[] | undefined;
}

/** Streams groups (KIP-1071). Their offsets are those of `admin.groups`. */
export class StreamsGroupsAdmin {
  readonly #requests: AdminRequests;

  constructor(requests: AdminRequests) {
    this.#requests = requests;
  }

  /** Describes a streams group. Throws GROUP_ID_NOT_FOUND when there is none of this kind. */
  describe(groupId: string, options?: CallLimits): Promise<StreamsGroupDescription>;
  /** Describes several, each with an outcome of its own. */
  describe(groupIds: readonly string[], options?: CallLimits): Promise<PerItem<StreamsGroupDescription>>;
  async describe(
    groupIds: string | readonly string[],
    options: CallLimits & { readonly includeAuthorizedOperations?: boolean } = {},
  ): Promise<StreamsGroupDescription | PerItem<StreamsGroupDescription>> {
    const results = await describeEach(
      this.#requests,
      { what: 'Describing streams groups', groupIds, options },
      async (body, nodeId, attempt) => {
        const answer = await this.#requests.send(nodeId, { api: apis.streamsGroupDescribe, body }, attempt);
        return answer.groups.map((each) => [each.groupId, describe(each, nodeId)] as const);
      },
    );
    return typeof groupIds === 'string' ? only(results) : results;
  }
}

type GroupAnswer = StreamsGroupDescribeResponse['groups'][number];

function describe(group: GroupAnswer, coordinator: number): StreamsGroupDescription | KafkaError {
  const { groupId, errorCode, errorMessage } = group;
  if (errorCode !== ErrorCodes.NONE)
    return brokerError(errorCode, errorMessage, `streams group "${groupId}"`);
  return {
    groupId,
    state: group.groupState,
    coordinator,
    groupEpoch: group.groupEpoch,
    assignmentEpoch: group.assignmentEpoch,
    topologyEpoch: group.topology?.epoch,
    authorizedOperations: operationsOf(group.authorizedOperations),
    subtopologies: (group.topology?.subtopologies ?? []).map((each) => ({
      subtopologyId: each.subtopologyId,
      sourceTopics: each.sourceTopics,
      repartitionSinkTopics: each.repartitionSinkTopics,
      repartitionSourceTopics: each.repartitionSourceTopics.map(({ name }) => name),
      stateChangelogTopics: each.stateChangelogTopics.map(({ name }) => name),
    })),
    members: group.members.map(memberOf),
  };
}

function memberOf(member: GroupAnswer['members'][number]): StreamsGroupMember {
  const { memberId, memberEpoch, clientId, topologyEpoch, processId, userEndpoint, isClassic } = member;
  return {
    memberId,
    memberEpoch,
    clientId,
    topologyEpoch,
    processId,
    userEndpoint,
    isClassic,
    groupInstanceId: member.instanceId,
    rack: member.rackId,
    host: member.clientHost,
    clientTags: new Map(member.clientTags.map(({ key, value }) => [key, value])),
    assignment: member.assignment,
    targetAssignment: member.targetAssignment,
  };
}
