import {
  consumerProtocolAssignment,
  consumerProtocolSubscription,
  decodeMessage,
  ErrorCodes,
  type Infer,
  type MessageSchema,
  type ConsumerGroupDescribeResponse,
  type DescribeGroupsResponse,
} from '@ottla/protocol';
import type { CallLimits } from '../cluster/limits.ts';
import type { KafkaError } from '../errors/kafka-error.ts';
import { brokerError, isKafkaError } from '../errors/kafka-error.ts';
import { apis } from '../network/apis.ts';
import { operationsOf, type AclOperation } from './acl-names.ts';
import type { AdminRequests, TopicPartition } from './admin-requests.ts';

/** A consumer in a group. */
export interface GroupMember {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  readonly host: string;
  readonly rack: string | null;
  /** Of the new protocol; undefined in classic groups. */
  readonly memberEpoch: number | undefined;
  /** The topics that it asks for; empty when its protocol does not say. */
  readonly subscription: readonly string[];
  readonly assignment: readonly TopicPartition[];
  /** Where a rebalance is taking it; undefined in classic groups. */
  readonly targetAssignment: readonly TopicPartition[] | undefined;
}

/** A classic group or a consumer group (KIP-848) as its coordinator sees it. */
export interface GroupDescription {
  readonly groupId: string;
  readonly type: 'classic' | 'consumer';
  /** `Stable`, `Empty`, `PreparingRebalance`, `Assigning`, ... */
  readonly state: string;
  readonly protocolType: string;
  /** The assignor: the leader's choice in classic groups, the broker's in the new protocol. */
  readonly assignor: string;
  /** Node id. */
  readonly coordinator: number;
  readonly members: readonly GroupMember[];
  readonly groupEpoch: number | undefined;
  readonly assignmentEpoch: number | undefined;
  readonly authorizedOperations: readonly AclOperation[] | undefined;
}

/** Describes groups of either protocol: asks for the new one first, then as classic for what is none. */
export async function describeGroups(
  requests: AdminRequests,
  groupIds: readonly string[],
  options: CallLimits & { readonly includeAuthorizedOperations?: boolean },
): Promise<Map<string, GroupDescription | KafkaError>> {
  const isAuthorizedAsked = options.includeAuthorizedOperations ?? false;
  const limits = { ...options, what: 'Describing groups' };
  return requests.toCoordinators('group', groupIds, limits, async (nodeId, keys, attempt) => {
    const outcomes = new Map<string, GroupDescription | KafkaError>();
    let rest: readonly string[] = keys;
    try {
      const body = { groupIds: keys, includeAuthorizedOperations: isAuthorizedAsked };
      const answer = await requests.send(nodeId, { api: apis.consumerGroupDescribe, body }, attempt);
      for (const group of answer.groups) outcomes.set(group.groupId, ofConsumer(group, nodeId));
      rest = keys.filter((key) =>
        isKafkaError(outcomes.get(key), 'GROUP_ID_NOT_FOUND', 'UNSUPPORTED_VERSION'),
      );
    } catch (error) {
      // Brokers before 4.0 do not have the new protocol, or not switched on.
      if (!isKafkaError(error, 'UNSUPPORTED_VERSION')) throw error;
    }
    if (rest.length > 0) {
      const body = { groups: rest, includeAuthorizedOperations: isAuthorizedAsked };
      const answer = await requests.send(nodeId, { api: apis.describeGroups, body }, attempt);
      for (const group of answer.groups) outcomes.set(group.groupId, ofClassic(group, nodeId));
    }
    return outcomes;
  });
}

function ofConsumer(
  group: ConsumerGroupDescribeResponse['groups'][number],
  coordinator: number,
): GroupDescription | KafkaError {
  if (group.errorCode !== ErrorCodes.NONE)
    return brokerError(group.errorCode, group.errorMessage, `group "${group.groupId}"`);
  return {
    groupId: group.groupId,
    type: 'consumer',
    state: group.groupState,
    protocolType: 'consumer',
    assignor: group.assignorName,
    coordinator,
    groupEpoch: group.groupEpoch,
    assignmentEpoch: group.assignmentEpoch,
    authorizedOperations: operationsOf(group.authorizedOperations),
    members: group.members.map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.instanceId,
      clientId: member.clientId,
      host: member.clientHost,
      rack: member.rackId,
      memberEpoch: member.memberEpoch,
      subscription: member.subscribedTopicNames,
      assignment: flatten(member.assignment.topicPartitions),
      targetAssignment: flatten(member.targetAssignment.topicPartitions),
    })),
  };
}

/** Lists of partitions by topic as single partitions. */
export function flatten(
  topics: readonly { readonly topicName: string; readonly partitions: readonly number[] }[],
): TopicPartition[] {
  return topics.flatMap(({ topicName, partitions }) =>
    partitions.map((partition) => ({ topic: topicName, partition })),
  );
}

function ofClassic(
  group: DescribeGroupsResponse['groups'][number],
  coordinator: number,
): GroupDescription | KafkaError {
  const { groupId } = group;
  if (group.errorCode !== ErrorCodes.NONE)
    return brokerError(group.errorCode, group.errorMessage, `group "${groupId}"`);
  // Before version 6 that is how a broker says that there is no such group.
  if (group.groupState === 'Dead')
    return brokerError(ErrorCodes.GROUP_ID_NOT_FOUND, null, `group "${groupId}"`);
  const isConsumer = group.protocolType === 'consumer';
  return {
    groupId,
    type: 'classic',
    state: group.groupState,
    protocolType: group.protocolType,
    assignor: group.protocolData,
    coordinator,
    groupEpoch: undefined,
    assignmentEpoch: undefined,
    authorizedOperations: operationsOf(group.authorizedOperations),
    members: group.members.map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      host: member.clientHost,
      rack: null,
      memberEpoch: undefined,
      subscription: isConsumer
        ? (decodeLenient(consumerProtocolSubscription, member.memberMetadata)?.topics ?? [])
        : [],
      assignment: isConsumer ? classicAssignment(member.memberAssignment) : [],
      targetAssignment: undefined,
    })),
  };
}

function classicAssignment(bytes: Buffer): TopicPartition[] {
  const assigned = decodeLenient(consumerProtocolAssignment, bytes)?.assignedPartitions ?? [];
  return assigned.flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })));
}

/** What clients put there is their own affair: anything unreadable counts as absent. */
function decodeLenient<S extends MessageSchema<unknown>>(schema: S, bytes: Buffer): Infer<S> | null {
  if (bytes.length < 2) return null;
  try {
    const version = Math.min(bytes.readInt16BE(0), schema.maxVersion);
    return decodeMessage(schema, version, bytes, 2) as Infer<S>;
  } catch {
    return null;
  }
}
