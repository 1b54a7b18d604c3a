import { ErrorCodes, iterateBatches, type BatchSummary } from '@ottla/protocol';
import type { Controller, ItemResult, NewTopic } from './controller/controller.ts';
import type { GroupCoordinator } from './coordinator/group/group-coordinator.ts';
import { CoordinatorError } from './coordinator/runtime/coordinator-error.ts';
import type { MetadataStore } from './metadata/image.ts';
import type { SocketServer } from './network/socket-server.ts';
import type { AppendResult, ReplicaManager, TopicPartition } from './replica/replica-manager.ts';

export interface InterventionParts {
  readonly controller: Controller;
  readonly metadata: MetadataStore;
  readonly replicas: ReplicaManager;
  readonly groups: GroupCoordinator;
  readonly server: SocketServer;
}

/**
 * What someone who holds the broker in the same process can do with it beside its APIs: see and change its data without a
 * client, and let happen what otherwise only happens by itself. For test kits and tools.
 */
export class BrokerInterventions {
  readonly #parts: InterventionParts;

  constructor(parts: InterventionParts) {
    this.#parts = parts;
  }

  /** Creates a topic; resolves when its partitions are led here, to Kafka's error code and message. */
  async createTopic(topic: Pick<NewTopic, 'name' | 'numPartitions' | 'configs'>): Promise<ItemResult> {
    const results = await this.#parts.controller.createTopics({
      topics: [{ ...topic, replicationFactor: -1, assignments: [] }],
      validateOnly: false,
    });
    return results[0]!;
  }

  /** Names and partition counts of all topics, internal ones included. */
  topics(): { name: string; partitions: number }[] {
    const { byName } = this.#parts.metadata.current().topics;
    return Array.from(byName.values(), ({ name, partitions }) => ({ name, partitions: partitions.length }));
  }

  /** Appends one record batch as a client's with acks=all. */
  append(target: TopicPartition, records: Buffer): Promise<AppendResult> {
    const options = { acks: -1, timeoutMs: 30_000, origin: 'client' } as const;
    return this.#parts.replicas.append({ ...target, records }, options);
  }

  /** Hands out every batch of a partition in offset order, with the buffer that it stands in. Rejects when the partition is not here. */
  scan(target: TopicPartition, onBatch: (records: Buffer, summary: BatchSummary) => void): Promise<void> {
    return this.#parts.replicas.scan(target, (records) => {
      for (const summary of iterateBatches(records)) onBatch(records, summary);
    });
  }

  /** Names the leader of a partition, or takes it away (-1); either starts a new leader epoch. Resolves when it is in effect. */
  changeLeader(target: TopicPartition, leader: number): Promise<ItemResult> {
    return this.#parts.controller.changeLeader(target, leader);
  }

  /**
   * Removes a member from its group, classic or of KIP-848, as if its session had ended; its next request is answered with
   * UNKNOWN_MEMBER_ID. Rejects with a CoordinatorError: GROUP_ID_NOT_FOUND, UNKNOWN_MEMBER_ID.
   */
  async expireMember(groupId: string, memberId: string): Promise<void> {
    const { groups } = this.#parts;
    const [consumerGroup] = await groups.describeConsumerGroups([groupId]);
    if (consumerGroup?.members.some((member) => member.memberId === memberId) === true) {
      await groups.consumerHeartbeat(
        { ...NOTHING_NEW, type: 'consumer-heartbeat', groupId, memberId, memberEpoch: LEAVES },
        1,
      );
      return;
    }
    const { members } = await groups.leave({ groupId, members: [{ memberId, groupInstanceId: null }] });
    const errorCode = members[0]?.errorCode ?? ErrorCodes.NONE;
    if (errorCode !== ErrorCodes.NONE) throw new CoordinatorError(errorCode);
  }

  /** Cuts every client connection; returns how many there were. */
  dropConnections(): number {
    return this.#parts.server.dropConnections();
  }
}

/** Member epoch of a member that leaves for good (KIP-848). */
const LEAVES = -1;

/** A ConsumerGroupHeartbeat that says nothing. */
const NOTHING_NEW = {
  instanceId: null,
  rackId: null,
  rebalanceTimeoutMs: -1,
  subscribedTopicNames: null,
  subscribedTopicRegex: null,
  serverAssignor: null,
  topicPartitions: null,
  clientId: '',
  clientHost: '',
} as const;
