import type { Clock, Disk, Logger, Random } from '@ottla/platform';
import { LogError, METADATA_FOLDER } from '@ottla/storage';
import { emptyImage, MetadataImageBuilder } from '../metadata/image-builder.ts';
import type { MetadataImage, MetadataStore } from '../metadata/image.ts';
import { PublishedMetadata } from '../metadata/metadata-store.ts';
import { metadataRecord } from '../metadata/records.ts';
import type { MetadataRecord } from '../metadata/records.ts';
import { snapshotRecords } from '../metadata/snapshot-records.ts';
import { alterClientQuotas } from './alter-client-quotas.ts';
import { alterScramCredentials } from './alter-scram-credentials.ts';
import { incrementalAlterConfigs, legacyAlterConfigs } from './alter-configs.ts';
import { ensureBootstrapCheckpoint, firstRecords } from './bootstrap.ts';
import { registerBroker, shutDownBroker, unregisterBroker } from './broker-registration.ts';
import type { BrokerRegistration } from './broker-registration.ts';
import { assignDirectory } from './assign-directory.ts';
import { changeLeader } from './change-leader.ts';
import type { Command, ControllerRules } from './command.ts';
import type {
  ConfigChange,
  ConfigReplacement,
  Controller,
  CreatePartitionsCommand,
  DirectoryAssignment,
  CreateTopicResult,
  CreateTopicsCommand,
  DeleteTopicResult,
  DeleteTopicsCommand,
  ElectLeadersCommand,
  ItemResult,
  QuorumDescription,
  ReassignmentCommand,
  TopicPartitionResults,
  AlterQuotasCommand,
  QuotaResult,
  ScramAlterations,
  UpdateFeaturesCommand,
  UserResult,
} from './controller.ts';
import { createPartitions } from './create-partitions.ts';
import { createTopics } from './create-topics.ts';
import { deleteTopics } from './delete-topics.ts';
import { electLeaders } from './elect-leaders.ts';
import { reassignPartitions } from './reassign-partitions.ts';
import { dynamicQuorum } from './metadata-batches.ts';
import type { Voter } from './metadata-batches.ts';
import { MetadataLog } from './metadata-log.ts';
import { allocateProducerIds } from './producer-ids.ts';
import { updateFeatures } from './update-features.ts';

export interface LocalControllerOptions {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** The log directory that holds `__cluster_metadata-0`; it must exist and be locked. */
  readonly logDir: string;
  readonly clusterId: string;
  readonly nodeId: number;
  /** The rules in force now; asked for by every command. */
  readonly rules: () => ControllerRules;
  /** The voter of a new metadata log; null: the properties name it (`controller.quorum.voters`). */
  readonly firstVoter: Voter | null;
  /** Uuid of `logDir`. */
  readonly directoryId: string;
  /** Who votes while the log names no voters. */
  readonly staticVoters: readonly Voter[];
  /** `min.insync.replicas` to pin when a new directory is formatted. */
  readonly minInSyncReplicas: number;
  /** `metadata.log.segment.bytes`. */
  readonly segmentBytes: number;
  /** `metadata.log.max.record.bytes.between.snapshots`. */
  readonly snapshotIntervalBytes: number;
  /** The metadata log cannot be written any more: the node must stop, as Kafka's does. */
  readonly onFailure: (error: unknown) => void;
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Records that go into one batch and one fdatasync, with those who wait for it. */
interface Round {
  readonly records: MetadataRecord[];
  readonly waiters: Waiter[];
}

/** No batch holds more records than this, except for one command that has more by itself. */
const MAX_RECORDS_PER_ROUND = 10_000;

/**
 * Runs the controller's state machine of a single node on its own metadata log.
 *
 * A command is decided at once against `#written`, the image with everything that earlier commands wrote; its records join
 * the round being collected. One round at a time is appended as one batch and synced; then its records are replayed into the
 * published image, listeners are told, and the callers get their replies. So whatever somebody was told is durable,
 * and however many commands arrive during a sync, they share the next one.
 */
export class LocalController implements Controller {
  readonly #options: LocalControllerOptions;
  readonly #log: MetadataLog;
  readonly #published: PublishedMetadata;
  #written: MetadataImage;
  #collecting: Round = { records: [], waiters: [] };
  /** Offset after the records of every round, collected ones included. */
  #nextOffset: number;
  #pumping: Promise<void> | null = null;
  #failure: { readonly error: unknown } | null = null;
  #closed = false;

  private constructor(options: LocalControllerOptions, log: MetadataLog, image: MetadataImage) {
    this.#options = options;
    this.#log = log;
    this.#written = image;
    this.#published = new PublishedMetadata(image, (error) =>
      options.logger.error({ err: error }, 'A part of the broker failed to follow a metadata change'),
    );
    this.#nextOffset = log.endOffset;
  }

  /** Opens or formats the metadata log, replays it and begins a new epoch. Synchronous, for the start. */
  static open(options: LocalControllerOptions): LocalController {
    const { disk, logDir, clusterId, nodeId, clock } = options;
    let image = emptyImage(clusterId, nodeId);
    const builder = new MetadataImageBuilder(image);
    const log = MetadataLog.open(
      {
        disk,
        folder: `${logDir}/${METADATA_FOLDER}`,
        segmentBytes: options.segmentBytes,
        ...(options.firstVoter && { firstVoters: dynamicQuorum(options.firstVoter) }),
      },
      {
        onSnapshotRecord: (record, snapshot) => builder.apply(record, snapshot.endOffset - 1),
        onRecord: (record, offset) => builder.apply(record, offset),
        onControlBatch: (lastOffset) => builder.advance(lastOffset),
      },
    );
    const formatted = log.isNew;
    const bootstrap = ensureBootstrapCheckpoint(disk, logDir, clock.nowMs());
    log.beginEpoch(nodeId, clock.nowMs());
    builder.advance(log.endOffset - 1);
    const { pendingTransaction } = builder;
    image = builder.build().image;
    const controller = new LocalController(options, log, image);
    if (pendingTransaction !== null) {
      const open = new MetadataImageBuilder(image, pendingTransaction);
      controller.#appendNow(
        [metadataRecord('AbortTransactionRecord', { reason: 'The controller restarted' })],
        open,
      );
    }
    if (controller.#written.features.size === 0) {
      controller.#appendNow(firstRecords(bootstrap, options.minInSyncReplicas));
    }
    if (formatted) options.logger.info({ logDir, clusterId }, 'Formatted the metadata log');
    return controller;
  }

  get metadata(): MetadataStore {
    return this.#published;
  }

  /** Registers the broker of this node and takes the lead of its partitions; the broker's new epoch. */
  async register(registration: BrokerRegistration): Promise<number> {
    const { brokerEpoch } = await this.#submit((state) => registerBroker(state, registration));
    return brokerEpoch;
  }

  createTopics(command: CreateTopicsCommand): Promise<CreateTopicResult[]> {
    return this.#submit((state) => createTopics(state, command));
  }

  deleteTopics(command: DeleteTopicsCommand): Promise<DeleteTopicResult[]> {
    return this.#submit((state) => deleteTopics(state, command));
  }

  createPartitions(command: CreatePartitionsCommand): Promise<ItemResult[]> {
    return this.#submit((state) => createPartitions(state, command));
  }

  incrementalAlterConfigs(changes: readonly ConfigChange[], validateOnly: boolean): Promise<ItemResult[]> {
    return this.#submit((state) => incrementalAlterConfigs(state, { changes, validateOnly }));
  }

  legacyAlterConfigs(
    replacements: readonly ConfigReplacement[],
    validateOnly: boolean,
  ): Promise<ItemResult[]> {
    return this.#submit((state) => legacyAlterConfigs(state, { replacements, validateOnly }));
  }

  changeLeader(
    partition: { readonly topic: string; readonly partition: number },
    leader: number,
  ): Promise<ItemResult> {
    return this.#submit((state) => changeLeader(state, { ...partition, leader }));
  }

  assignDirectory(assignment: DirectoryAssignment): Promise<ItemResult> {
    return this.#submit((state) => assignDirectory(state, assignment));
  }

  electLeaders(command: ElectLeadersCommand): Promise<TopicPartitionResults[]> {
    return this.#submit((state) => electLeaders(state, command));
  }

  reassignPartitions(command: ReassignmentCommand): Promise<TopicPartitionResults[]> {
    return this.#submit((state) => reassignPartitions(state, command));
  }

  unregisterBroker(brokerId: number): Promise<ItemResult> {
    return this.#submit((state) => unregisterBroker(state, brokerId));
  }

  async updateFeatures(command: UpdateFeaturesCommand): Promise<ItemResult> {
    const { kraftVersion } = this.describeQuorum();
    const { nodeId } = this.#options;
    const { result, upgradesQuorum } = await this.#submit((state) =>
      updateFeatures(state, { ...command, nodeId, kraftVersion }),
    );
    if (upgradesQuorum) await this.#makeQuorumDynamic();
    return result;
  }

  alterScramCredentials(alterations: ScramAlterations): Promise<UserResult[]> {
    return this.#submit((state) => alterScramCredentials(state, alterations));
  }

  alterClientQuotas(command: AlterQuotasCommand): Promise<QuotaResult[]> {
    return this.#submit((state) => alterClientQuotas(state, command));
  }

  describeQuorum(): QuorumDescription {
    const { voters } = this.#log;
    return {
      leaderId: this.#options.nodeId,
      leaderEpoch: this.#log.epoch,
      highWatermark: this.#published.current().offset + 1,
      logEndOffset: this.#log.endOffset,
      kraftVersion: voters.length > 0 ? 1 : 0,
      voters: voters.length > 0 ? voters : this.#options.staticVoters,
    };
  }

  allocateProducerIds(): Promise<{ first: number; length: number }> {
    return this.#submit((state) => allocateProducerIds(state, this.#options.nodeId));
  }

  /** From now on the voters stand in the log (KIP-853). Between two rounds, so that no offset is given away twice. */
  async #makeQuorumDynamic(): Promise<void> {
    while (this.#pumping !== null) await this.#pumping;
    if (this.#failure !== null) throw this.#failure.error;
    if (this.#closed || this.#log.voters.length > 0) return;
    const { clock, staticVoters, directoryId } = this.#options;
    const [voter] = staticVoters;
    if (voter === undefined) return;
    try {
      this.#log.appendVoters(dynamicQuorum({ ...voter, directoryId }), clock.nowMs());
    } catch (error) {
      if (!(error instanceof LogError)) this.#fail(error, this.#collecting);
      throw error;
    }
    const builder = new MetadataImageBuilder(this.#written);
    builder.advance(this.#log.endOffset - 1);
    const { image, delta } = builder.build();
    this.#written = image;
    this.#nextOffset = this.#log.endOffset;
    this.#published.publish(image, delta);
  }

  /**
   * Fences the broker in the metadata log, as the last act of a clean stop. Listeners are not told: the partitions stay as
   * they are until the process ends.
   */
  async shutDown(): Promise<void> {
    await this.#pumping;
    if (this.#failure !== null || this.#closed) return;
    const { records } = shutDownBroker(this.#state(), this.#options.nodeId);
    if (records.length > 0) {
      this.#log.append(records, this.#options.clock.nowMs());
      this.#log.syncSync();
    }
    this.#closed = true;
  }

  /** Closes the log; commands are refused from here on. */
  close(): void {
    this.#closed = true;
    this.#log.close();
  }

  #state(): Parameters<Command<unknown>>[0] {
    return {
      image: this.#written,
      nextOffset: this.#nextOffset,
      random: this.#options.random,
      rules: this.#options.rules(),
    };
  }

  /** Appends at start, when nobody listens yet: durable and applied on return. */
  #appendNow(records: readonly MetadataRecord[], builder = new MetadataImageBuilder(this.#written)): void {
    let offset = this.#log.append(records, this.#options.clock.nowMs());
    this.#log.syncSync();
    for (const record of records) builder.apply(record, offset++);
    const { image, delta } = builder.build();
    this.#written = image;
    this.#nextOffset = offset;
    this.#published.publish(image, delta);
  }

  async #submit<Reply>(command: Command<Reply>): Promise<Reply> {
    this.#requireOpen();
    while (this.#collecting.records.length >= MAX_RECORDS_PER_ROUND) {
      await this.#pumping;
      this.#requireOpen();
    }
    const { records, reply } = command(this.#state());
    if (records.length > 0) this.#collect(records);
    else if (this.#pumping === null) return reply;
    // A reply without records may rest on records of others that are not durable yet, so it waits with them.
    const done = new Promise<void>((resolve, reject) => this.#collecting.waiters.push({ resolve, reject }));
    this.#pumping ??= this.#pump();
    await done;
    return reply;
  }

  /** @throws what the log has failed with, or that the controller is shutting down */
  #requireOpen(): void {
    if (this.#failure !== null) throw this.#failure.error;
    if (this.#closed) throw new Error('The controller is shutting down');
  }

  /** Takes the records of a command into the round, and into what the next commands are decided by: both or neither. */
  #collect(records: readonly MetadataRecord[]): void {
    const builder = new MetadataImageBuilder(this.#written);
    let offset = this.#nextOffset;
    for (const record of records) builder.apply(record, offset++);
    this.#written = builder.build().image;
    this.#nextOffset = offset;
    for (const record of records) this.#collecting.records.push(record);
  }

  async #pump(): Promise<void> {
    // Everything that arrives in this turn of the loop shares the first round.
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (this.#collecting.waiters.length > 0 && this.#failure === null) {
      const round = this.#collecting;
      this.#collecting = { records: [], waiters: [] };
      try {
        if (round.records.length > 0) await this.#commit(round.records);
        for (const waiter of round.waiters) waiter.resolve();
      } catch (error) {
        if (error instanceof LogError) this.#refuse(error, round);
        else this.#fail(error, round);
      }
    }
    this.#pumping = null;
  }

  async #commit(records: readonly MetadataRecord[]): Promise<void> {
    let offset = this.#log.append(records, this.#options.clock.nowMs());
    await this.#log.sync();
    const builder = new MetadataImageBuilder(this.#published.current());
    for (const record of records) builder.apply(record, offset++);
    const { image, delta } = builder.build();
    this.#published.publish(image, delta);
    if (this.#log.bytesSinceSnapshot >= this.#options.snapshotIntervalBytes) await this.#snapshot(image);
  }

  /** A snapshot only shortens the next start: when the disk refuses it, the log goes on without. */
  async #snapshot(image: MetadataImage): Promise<void> {
    try {
      await this.#log.writeSnapshot(snapshotRecords(image));
    } catch (error) {
      this.#options.logger.warn({ err: error }, 'A metadata snapshot could not be written');
    }
  }

  /**
   * The disk took nothing of the round: those who wait are told, with everybody whose command was decided on top of it, and
   * the controller goes on from the last state that is durable.
   */
  #refuse(error: LogError, round: Round): void {
    this.#options.logger.error({ err: error }, 'Metadata changes were refused');
    const collected = this.#collecting;
    this.#collecting = { records: [], waiters: [] };
    this.#written = this.#published.current();
    this.#nextOffset = this.#log.endOffset;
    for (const waiter of [...round.waiters, ...collected.waiters]) waiter.reject(error);
  }

  /** After a failed sync nobody can tell what the disk holds: everything waiting fails, and the node must stop. */
  #fail(error: unknown, round: Round): void {
    this.#failure = { error };
    for (const waiter of round.waiters) waiter.reject(error);
    for (const waiter of this.#collecting.waiters) waiter.reject(error);
    this.#collecting = { records: [], waiters: [] };
    this.#options.onFailure(error);
  }
}
