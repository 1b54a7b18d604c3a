import type { Clock, Logger, Random } from '@ottla/platform';
import { ErrorCodes } from '@ottla/protocol';
import type { MetadataDelta, MetadataImage, MetadataListener, MetadataStore } from '../../metadata/image.ts';
import type { CoordinatorLogAccess } from '../../replica/replica-manager.ts';
import { CoordinatorError, errorCodeOf } from '../runtime/coordinator-error.ts';
import { coordinatorPartition } from '../runtime/coordinator-partition.ts';
import { CoordinatorRuntime } from '../runtime/coordinator-runtime.ts';
import { Leadership } from '../runtime/leadership.ts';
import type { ReplyTo } from '../runtime/state-machine.ts';
import {
  DEFAULT_CONSUMER_GROUP_TIMINGS,
  type ConsumerGroupTimings,
} from './consumer/consumer-group-config.ts';
import type {
  ConsumerHeartbeatCommand,
  ConsumerHeartbeatReply,
  DescribedConsumerGroup,
} from './consumer/consumer-types.ts';
import { consumerGroupError } from './consumer/describe-consumer-group.ts';
import { requireValidHeartbeat } from './consumer/heartbeat-validation.ts';
import type { GroupCoordinatorConfig } from './group-coordinator-config.ts';
import { GroupMachine } from './group-machine.ts';
import { describedError } from './group-queries.ts';
import type { DescribedGroup, ListedGroup, ListFilters } from './group-query-types.ts';
import { groupRecordSerde } from './group-records.ts';
import {
  UNKNOWN_MEMBER_ID,
  type HeartbeatCommand,
  type JoinCommand,
  type JoinReply,
  type LeaveCommand,
  type LeaveReply,
  type SyncCommand,
  type SyncReply,
} from './classic/classic-types.ts';
import type { GroupCommand, GroupTypes } from './group-types.ts';
import type {
  CommitCommand,
  DeleteOffsetsCommand,
  FetchedTopic,
  FetchOffsetsQuery,
  TopicErrors,
} from './offsets/offset-types.ts';
import { fetchGroupOffsets } from './offsets/offset-queries.ts';
import { GROUP_METADATA_TOPIC } from '../../controller/topic-names.ts';

/** What the group coordinator needs of the broker. */
export interface GroupCoordinatorDeps {
  readonly nodeId: number;
  readonly config: GroupCoordinatorConfig;
  readonly log: CoordinatorLogAccess;
  readonly metadata: MetadataStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** What is configured for one consumer group; Kafka's defaults when absent. */
  readonly consumerTimings?: (groupId: string) => ConsumerGroupTimings;
  /** End of the event loop's turn; `setImmediate` when absent. Simulations put their own scheduler here. */
  readonly defer?: (callback: () => void) => void;
}

/** Largest batch that is written to `__consumer_offsets`: Kafka's default `max.message.bytes`, without the batch header. */
const MAX_BATCH_BYTES = 1_048_588 - 61;

/**
 * The consumer groups of this broker, as the handlers see them: one method for each API, requests in, replies out, errors
 * as `CoordinatorError`. Behind it, `GroupMachine` decides and `CoordinatorRuntime` keeps.
 */
export class GroupCoordinator implements MetadataListener {
  readonly #deps: GroupCoordinatorDeps;
  readonly #runtime: CoordinatorRuntime<GroupTypes, GroupMachine>;
  readonly #leadership: Leadership<GroupTypes, GroupMachine>;
  /** Offset of the last image in which topics were created. */
  #newTopicsVersion = -1;
  #closed = false;

  constructor(deps: GroupCoordinatorDeps) {
    const { config, log, clock, logger } = deps;
    this.#deps = deps;
    const surroundings = {
      config,
      image: () => deps.metadata.current(),
      newTopicsVersion: () => this.#newTopicsVersion,
      consumerTimings: deps.consumerTimings ?? (() => DEFAULT_CONSUMER_GROUP_TIMINGS),
    };
    this.#runtime = new CoordinatorRuntime(
      {
        topic: GROUP_METADATA_TOPIC,
        serde: groupRecordSerde,
        createMachine: () => new GroupMachine(surroundings),
      },
      {
        log,
        clock,
        settings: {
          writeTimeoutMs: config.offsetsCommitTimeoutMs,
          lingerMs: config.appendLingerMs,
          maxBatchBytes: MAX_BATCH_BYTES,
          defer: deps.defer ?? ((callback) => void setImmediate(callback)),
        },
        onProblem: (message, cause) => logger.error({ err: cause }, message),
      },
    );
    const { nodeId } = deps;
    this.#leadership = new Leadership({ topic: GROUP_METADATA_TOPIC, nodeId, runtime: this.#runtime });
  }

  /** Takes up the partitions that the image gives to this broker. Call once, after the replica manager has started. */
  start(image: MetadataImage): void {
    this.#newTopicsVersion = image.offset;
    this.#leadership.start(image);
  }

  /** Follows leadership of `__consumer_offsets`, and forgets the offsets of deleted topics. */
  onMetadataChange(delta: MetadataDelta, image: MetadataImage): void {
    for (const topicId of delta.changedTopicIds) {
      if (!delta.previous.topics.byId.has(topicId)) this.#newTopicsVersion = image.offset;
    }
    this.#leadership.onMetadataChange(delta, image);
    const deleted: { name: string; topicId: string }[] = [];
    for (const { name, id } of delta.deletedTopics.values()) {
      if (name !== GROUP_METADATA_TOPIC) deleted.push({ name, topicId: id });
    }
    if (deleted.length > 0) this.#forgetTopics(deleted);
  }

  /** The partition of `__consumer_offsets` that a group belongs to. */
  partitionFor(groupId: string): number {
    const topic = this.#deps.metadata.current().topics.byName.get(GROUP_METADATA_TOPIC);
    return coordinatorPartition(
      groupId,
      topic?.partitions.length ?? this.#deps.config.offsetsTopicPartitions,
    );
  }

  /** JoinGroup; answered when the rebalance that it leads to is over. A caller without member id gets one made here. */
  async join(command: Omit<JoinCommand, 'type' | 'newMemberId'>): Promise<JoinReply> {
    const { minSessionTimeoutMs, maxSessionTimeoutMs } = this.#deps.config;
    const { sessionTimeoutMs } = command;
    requireGroupId(command.groupId);
    if (sessionTimeoutMs < minSessionTimeoutMs || sessionTimeoutMs > maxSessionTimeoutMs) {
      throw new CoordinatorError(ErrorCodes.INVALID_SESSION_TIMEOUT);
    }
    const newMemberId = command.memberId === UNKNOWN_MEMBER_ID ? this.#newMemberId(command) : '';
    return this.#submit({ type: 'join', ...command, newMemberId });
  }

  /** SyncGroup; answered when the leader's assignment is in the log. */
  async sync(command: Omit<SyncCommand, 'type'>): Promise<SyncReply> {
    requireGroupId(command.groupId);
    return this.#submit({ type: 'sync', ...command });
  }

  /** Heartbeat; resolves to the error code to answer. */
  async heartbeat(command: Omit<HeartbeatCommand, 'type'>): Promise<number> {
    requireGroupId(command.groupId);
    return this.#submit({ type: 'heartbeat', ...command });
  }

  async leave(command: Omit<LeaveCommand, 'type'>): Promise<LeaveReply> {
    requireGroupId(command.groupId);
    return this.#submit({ type: 'leave', ...command });
  }

  /**
   * ConsumerGroupHeartbeat (KIP-848); `apiVersion` because members of version 0 get their id here.
   * @throws CoordinatorError with Kafka's error code and message
   */
  async consumerHeartbeat(
    command: ConsumerHeartbeatCommand,
    apiVersion: number,
  ): Promise<ConsumerHeartbeatReply> {
    requireValidHeartbeat(command, { apiVersion, assignors: this.#deps.config.consumer.assignors });
    if (command.memberId !== '') return this.#submit(command);
    return this.#submit({ ...command, memberId: this.#deps.random.uuid() });
  }

  /** ConsumerGroupDescribe; in the order asked; what is wrong with a group stands in its result. */
  describeConsumerGroups(groupIds: readonly string[]): Promise<DescribedConsumerGroup[]> {
    return Promise.all(
      groupIds.map(async (groupId) => {
        try {
          requireGroupId(groupId);
          return await this.#submit({ type: 'describe-consumer-group', groupId });
        } catch (failure) {
          return consumerGroupError(groupId, errorCodeOf(failure));
        }
      }),
    );
  }

  /** OffsetCommit for topics that exist. The empty group id is allowed, as it always was. */
  async commitOffsets(command: Omit<CommitCommand, 'type'>): Promise<readonly TopicErrors[]> {
    return this.#submit({ type: 'commit-offsets', ...command });
  }

  /** Writes the end of a transaction that committed offsets, in the order of the other records; resolves to an error code. */
  completeTransaction(
    partition: number,
    records: Buffer,
    { producerId, committed }: { readonly producerId: number; readonly committed: boolean },
  ): Promise<number> {
    return this.#runtime.endTransaction(partition, { records, producerId, committed });
  }

  /** OffsetFetch for one group; `requireStable` waits for writes under way and refuses offsets of open transactions. */
  async fetchOffsets(query: FetchOffsetsQuery, requireStable: boolean): Promise<readonly FetchedTopic[]> {
    this.#requireOpen();
    if (requireStable) return this.#submit({ type: 'fetch-stable-offsets', ...query });
    return this.#runtime.read(this.partitionFor(query.groupId), ({ state }) =>
      fetchGroupOffsets(state, query, false),
    );
  }

  async deleteOffsets(command: Omit<DeleteOffsetsCommand, 'type'>): Promise<readonly TopicErrors[]> {
    requireGroupId(command.groupId);
    return this.#submit({ type: 'delete-offsets', ...command });
  }

  /** DeleteGroups; groups of one partition go together, each with its own result. Never rejects. */
  async deleteGroups(groupIds: readonly string[]): Promise<{ groupId: string; errorCode: number }[]> {
    const results = Array.from(this.#byPartition(groupIds), async ([partition, ids]) => {
      try {
        this.#requireOpen();
        return await this.#runtime.submit(partition, { type: 'delete-groups', groupIds: ids });
      } catch (failure) {
        return ids.map((groupId) => ({ groupId, errorCode: errorCodeOf(failure) }));
      }
    });
    return (await Promise.all(results)).flat();
  }

  /** DescribeGroups, in the order asked. A group that does not exist has GROUP_ID_NOT_FOUND and the state Dead. */
  describeGroups(groupIds: readonly string[]): Promise<DescribedGroup[]> {
    return Promise.all(
      groupIds.map((groupId) =>
        this.#submit({ type: 'describe-group', groupId }).catch((failure: unknown) =>
          describedError(groupId, errorCodeOf(failure)),
        ),
      ),
    );
  }

  /** ListGroups over all partitions led here; rejects with COORDINATOR_LOAD_IN_PROGRESS while one of them is loading. */
  async listGroups(filters: ListFilters): Promise<ListedGroup[]> {
    this.#requireOpen();
    const listed = this.#runtime.partitions().map(async (partition) => {
      try {
        return await this.#runtime.submit(partition, { type: 'list-groups', filters });
      } catch (failure) {
        // A partition that has just moved away has its groups listed elsewhere.
        if (errorCodeOf(failure) === ErrorCodes.NOT_COORDINATOR) return [];
        throw failure;
      }
    });
    return (await Promise.all(listed)).flat();
  }

  /** Hands a command to the shard of its group; rejects with a `CoordinatorError`. For the services of the newer kinds of groups. */
  submit<C extends GroupCommand & { readonly groupId: string }>(command: C): Promise<ReplyTo<GroupTypes, C>> {
    return this.#submit(command);
  }

  /** Looks into one partition's state, for metrics and tests; undefined while it is not served here. */
  inspect<R>(partition: number, query: (machine: GroupMachine) => R): R | undefined {
    try {
      return this.#runtime.read(partition, query);
    } catch {
      return undefined;
    }
  }

  /** Finishes what is being written and refuses the rest. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#runtime.close();
  }

  #forgetTopics(topics: readonly { name: string; topicId: string }[]): void {
    for (const partition of this.#runtime.partitions()) {
      this.#runtime.submit(partition, { type: 'topics-deleted', topics }).catch((err: unknown) => {
        this.#deps.logger.warn({ partition, err }, 'Offsets of deleted topics could not be removed');
      });
      const topicIds = topics.map(({ topicId }) => topicId);
      this.#runtime.submit(partition, { type: 'share-topics-deleted', topicIds }).catch((err: unknown) => {
        this.#deps.logger.warn({ partition, err }, 'Share groups could not forget deleted topics');
      });
    }
  }

  async #submit<C extends GroupCommand & { readonly groupId: string }>(
    command: C,
  ): Promise<ReplyTo<GroupTypes, C>> {
    this.#requireOpen();
    return this.#runtime.submit(this.partitionFor(command.groupId), command);
  }

  #requireOpen(): void {
    if (this.#closed) throw new CoordinatorError(ErrorCodes.COORDINATOR_NOT_AVAILABLE);
  }

  #byPartition(groupIds: readonly string[]): Map<number, string[]> {
    const byPartition = new Map<number, string[]>();
    for (const groupId of groupIds) {
      const partition = this.partitionFor(groupId);
      const ids = byPartition.get(partition);
      if (ids === undefined) byPartition.set(partition, [groupId]);
      else ids.push(groupId);
    }
    return byPartition;
  }

  /** Kafka's form: the client id, or the group instance id, and a uuid in its canonical spelling. */
  #newMemberId({ clientId, groupInstanceId }: { clientId: string; groupInstanceId: string | null }): string {
    const hex = Buffer.from(this.#deps.random.uuid(), 'base64url').toString('hex');
    const uuid = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    return `${groupInstanceId ?? clientId}-${uuid}`;
  }
}

function requireGroupId(groupId: string): void {
  if (groupId === '') throw new CoordinatorError(ErrorCodes.INVALID_GROUP_ID);
}
