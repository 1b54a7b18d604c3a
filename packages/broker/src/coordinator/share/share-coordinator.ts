import type { Clock, Logger, TimerHandle } from '@ottla/platform';
import { ErrorCodes, errorMessage } from '@ottla/protocol';
import type { MetadataDelta, MetadataImage, MetadataListener, MetadataStore } from '../../metadata/image.ts';
import type { CoordinatorLogAccess } from '../../replica/replica-manager.ts';
import { errorCodeOf } from '../runtime/coordinator-error.ts';
import { coordinatorPartition } from '../runtime/coordinator-partition.ts';
import { CoordinatorRuntime } from '../runtime/coordinator-runtime.ts';
import { Leadership } from '../runtime/leadership.ts';
import { KeyedQueue } from './keyed-queue.ts';
import type { ShareCoordinatorConfig } from './share-coordinator-config.ts';
import type { ShareStateTypes } from './share-state-bundle.ts';
import { ShareStateMachine } from './share-state-machine.ts';
import { shareStateRecordSerde } from './share-state-records.ts';
import type {
  InitializeStateCommand,
  ReadStateResult,
  ReadStateSummaryResult,
  SharePartitionKey,
  ShareStateCommand,
  ShareStateResult,
  WriteStateCommand,
} from './share-state-types.ts';
import { mapKey } from './share-states.ts';
import { SHARE_GROUP_STATE_TOPIC } from '../../controller/topic-names.ts';

/** Deletes what lies before an offset of a partition; resolves or not, nobody waits for it. */
export interface StateLog extends CoordinatorLogAccess {
  trim(topic: string, partition: number, beforeOffset: number): void;
}

/** What the share coordinator needs of the broker. */
export interface ShareCoordinatorDeps {
  readonly nodeId: number;
  readonly config: ShareCoordinatorConfig;
  readonly log: StateLog;
  readonly metadata: MetadataStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** End of the event loop's turn; `setImmediate` when absent. Simulations put their own scheduler here. */
  readonly defer?: (callback: () => void) => void;
}

/** Largest batch that is written to the topic: Kafka's default `max.message.bytes`, without the batch header. */
const MAX_BATCH_BYTES = 1_048_588 - 61;

type KeyedStateCommand = Extract<ShareStateCommand, SharePartitionKey>;
type WithoutImage<C> = C extends unknown ? Omit<C, 'isKnown'> : never;

/**
 * The state of share partitions on this broker, as the handlers and the share partitions see it: one method for each
 * share-state API of KIP-932, for one share partition. Nothing rejects: failures are error codes.
 */
export class ShareCoordinator implements MetadataListener {
  readonly #deps: ShareCoordinatorDeps;
  readonly #runtime: CoordinatorRuntime<ShareStateTypes, ShareStateMachine>;
  readonly #leadership: Leadership<ShareStateTypes, ShareStateMachine>;
  readonly #order = new KeyedQueue();
  #pruneTimer: TimerHandle | null = null;
  #coldTimer: TimerHandle | null = null;
  #closed = false;

  constructor(deps: ShareCoordinatorDeps) {
    const { config, log, clock, logger } = deps;
    this.#deps = deps;
    this.#runtime = new CoordinatorRuntime(
      {
        topic: SHARE_GROUP_STATE_TOPIC,
        serde: shareStateRecordSerde,
        createMachine: () => new ShareStateMachine(config),
      },
      {
        log,
        clock,
        settings: {
          writeTimeoutMs: config.writeTimeoutMs,
          lingerMs: config.appendLingerMs,
          maxBatchBytes: MAX_BATCH_BYTES,
          defer: deps.defer ?? ((callback) => void setImmediate(callback)),
        },
        onProblem: (message, cause) => logger.error({ err: cause }, message),
      },
    );
    const { nodeId } = deps;
    this.#leadership = new Leadership({ topic: SHARE_GROUP_STATE_TOPIC, nodeId, runtime: this.#runtime });
  }

  /** Takes up the partitions that the image gives to this broker. Call once, after the replica manager has started. */
  start(image: MetadataImage): void {
    this.#leadership.start(image);
    this.#schedulePruning();
    this.#scheduleColdSnapshots();
  }

  /** Follows leadership of the topic, and forgets the states of deleted topics. */
  onMetadataChange(delta: MetadataDelta, image: MetadataImage): void {
    this.#leadership.onMetadataChange(delta, image);
    const deleted: string[] = [];
    for (const { name, id } of delta.deletedTopics.values()) {
      if (name !== SHARE_GROUP_STATE_TOPIC) deleted.push(id);
    }
    if (deleted.length > 0) this.#toAll({ type: 'topics-deleted', topicIds: deleted });
  }

  /** The partition of the topic that a share partition belongs to; its key has the form `group:topicId:partition`. */
  partitionFor(key: string): number {
    const topic = this.#deps.metadata.current().topics.byName.get(SHARE_GROUP_STATE_TOPIC);
    return coordinatorPartition(key, topic?.partitions.length ?? this.#deps.config.stateTopicPartitions);
  }

  initialize(command: Omit<InitializeStateCommand, 'type' | 'isKnown'>): Promise<ShareStateResult> {
    return this.#submit({ type: 'initialize-state', ...command });
  }

  async read(key: SharePartitionKey, leaderEpoch: number): Promise<ReadStateResult> {
    const result = await this.#submit({ type: 'read-state', ...key, leaderEpoch });
    return { stateEpoch: 0, startOffset: 0, stateBatches: [], ...result };
  }

  write(command: Omit<WriteStateCommand, 'type' | 'isKnown'>): Promise<ShareStateResult> {
    return this.#submit({ type: 'write-state', ...command });
  }

  delete(key: SharePartitionKey): Promise<ShareStateResult> {
    return this.#submit({ type: 'delete-state', ...key });
  }

  async readSummary(key: SharePartitionKey, leaderEpoch: number): Promise<ReadStateSummaryResult> {
    const result = await this.#submit({ type: 'read-state-summary', ...key, leaderEpoch });
    return { stateEpoch: 0, leaderEpoch: 0, startOffset: 0, deliveryCompleteCount: -1, ...result };
  }

  /** Looks into one partition's state, for metrics and tests; undefined while it is not served here. */
  inspect<R>(partition: number, query: (machine: ShareStateMachine) => R): R | undefined {
    try {
      return this.#runtime.read(partition, query);
    } catch {
      return undefined;
    }
  }

  /** Finishes what is being written and refuses the rest. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#pruneTimer?.cancel();
    this.#coldTimer?.cancel();
    await this.#runtime.close();
  }

  async #submit(command: WithoutImage<KeyedStateCommand>): Promise<ShareStateResult> {
    if (this.#closed) return failed(ErrorCodes.COORDINATOR_NOT_AVAILABLE);
    const name = mapKey(command);
    try {
      return await this.#order.run(name, () => {
        const { topics } = this.#deps.metadata.current();
        const isKnown = topics.byId.get(command.topicId)?.partitions[command.partition] !== undefined;
        return this.#runtime.submit(this.partitionFor(name), { ...command, isKnown });
      });
    } catch (failure) {
      return failed(errorCodeOf(failure));
    }
  }

  #toAll(command: ShareStateCommand): void {
    for (const partition of this.#runtime.partitions()) {
      this.#runtime.submit(partition, command).catch((err: unknown) => {
        const { type } = command;
        this.#deps.logger.debug({ partition, type, err }, 'A partition of the share state was not at hand');
      });
    }
  }

  #schedulePruning(): void {
    this.#pruneTimer = this.#deps.clock.setTimer(this.#deps.config.pruneIntervalMs, () => {
      this.prune();
      this.#schedulePruning();
    });
  }

  #scheduleColdSnapshots(): void {
    this.#coldTimer = this.#deps.clock.setTimer(this.#deps.config.coldPartitionSnapshotIntervalMs, () => {
      this.#toAll({ type: 'snapshot-cold' });
      this.#scheduleColdSnapshots();
    });
  }

  /** Deletes the records that no share partition needs any more; done every `share.coordinator.state.topic.prune.interval.ms`. */
  prune(): void {
    for (const partition of this.#runtime.partitions()) {
      try {
        const offset = this.#runtime.read(partition, ({ states }) => states.lastRedundantOffset());
        if (offset !== null) this.#deps.log.trim(SHARE_GROUP_STATE_TOPIC, partition, offset);
      } catch (err) {
        this.#deps.logger.debug(
          { partition, err },
          'A partition of the share state is not loaded: not pruned',
        );
      }
    }
  }
}

function failed(errorCode: number): ShareStateResult {
  return { errorCode, errorMessage: errorMessage(errorCode) ?? null };
}
