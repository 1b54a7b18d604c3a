import { ErrorCodes, type OffsetForLeaderEpochResponse } from '@ottla/protocol';
import type { GroupOffsets } from '../admin/group-offsets.ts';
import type { OffsetsAdmin } from '../admin/offsets-admin.ts';
import { groupBy } from '../admin/per-item.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { isRetriableError, KafkaError } from '../errors/kafka-error.ts';
import { apis } from '../network/apis.ts';
import { LogTruncationError, noOffset, outOfRange } from './consumer-errors.ts';
import type { ResolvedConsumerOptions } from './consumer-options.ts';
import type { PartitionState, ResetTarget } from './partition-state.ts';

export interface PositionsParts {
  readonly cluster: Cluster;
  readonly options: ResolvedConsumerOptions;
  readonly offsets: OffsetsAdmin;
  readonly groupOffsets: GroupOffsets;
  readonly signal: AbortSignal;
  /** A partition is ready, or has got an error. */
  readonly onSettled: (state: PartitionState) => void;
}

type EpochAnswer = OffsetForLeaderEpochResponse['topics'][number]['partitions'][number];

/** Finds where reading begins: the committed offset, an end, a time; and whether that is still in the log after a change of leader. */
export class Positions {
  readonly #parts: PositionsParts;
  readonly #waiting = new Set<PartitionState>();
  #isScheduled = false;

  constructor(parts: PositionsParts) {
    this.#parts = parts;
  }

  /** Takes care of a partition whose phase is `unknown` or `validating`, together with others of the same turn. */
  settle(state: PartitionState): void {
    this.#waiting.add(state);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      const states = [...this.#waiting].filter(({ isGone }) => !isGone);
      this.#waiting.clear();
      // What is buffered is handed out first: an offset that is out of range lies behind it.
      const unknown = states.filter(
        ({ phase, reader, chunks }) => phase === 'unknown' && reader === null && chunks.length === 0,
      );
      for (const each of unknown) each.phase = 'looking-up';
      if (unknown.length > 0) void this.#find(unknown);
      const validating = states.filter(({ phase }) => phase === 'validating');
      if (validating.length > 0) void this.#validate(validating);
    });
  }

  async #find(states: readonly PartitionState[]): Promise<void> {
    const versions = new Map(states.map((state) => [state, state.version]));
    const isCurrent = (state: PartitionState): boolean =>
      !state.isGone && state.phase === 'looking-up' && state.version === versions.get(state);
    try {
      await this.#useCommitted(
        states.filter(({ needsReset }) => !needsReset),
        isCurrent,
      );
      const targets = new Map<PartitionState, ResetTarget>();
      for (const state of states.filter(isCurrent)) {
        const target = state.resetTo ?? this.#defaultTarget();
        if (target === null) this.#fail(state, this.#noTarget(state));
        else targets.set(state, target);
      }
      await this.#reset(targets, isCurrent);
    } catch (error) {
      for (const state of states.filter(isCurrent)) this.#retryOrFail(state, error);
    }
  }

  /** Where to go without an offset; null when that is an error. */
  #defaultTarget(): ResetTarget | null {
    const { from } = this.#parts.options;
    if (from === 'none') return null;
    if (typeof from === 'string') return from;
    return { timestampMs: this.#parts.cluster.options.clock.nowMs() - from.durationMs };
  }

  #noTarget(state: PartitionState): KafkaError {
    const { topic, partition, position } = state;
    return position >= 0
      ? outOfRange({ topic, partition, offset: state.fetchOffset })
      : noOffset(state, this.#parts.options.group);
  }

  async #useCommitted(
    states: readonly PartitionState[],
    isCurrent: (state: PartitionState) => boolean,
  ): Promise<void> {
    const { options, groupOffsets, signal } = this.#parts;
    if (options.group === null || states.length === 0) return;
    const byId = new Map(states.map((state) => [state.id, state]));
    const found = await groupOffsets.list(options.group, {
      partitions: states,
      requireStable: options.isReadCommitted,
      signal,
    });
    for (const each of found) {
      const state = byId.get(`${each.topic}-${each.partition}`);
      if (state === undefined || !isCurrent(state)) continue;
      if (each.error !== null) {
        this.#retryOrFail(state, each.error);
      } else if (each.offset >= 0) {
        state.committedOffset = each.offset;
        state.moveTo(each.offset, each.leaderEpoch);
        this.#parts.onSettled(state);
      }
    }
  }

  async #reset(
    targets: ReadonlyMap<PartitionState, ResetTarget>,
    isCurrent: (state: PartitionState) => boolean,
  ): Promise<void> {
    if (targets.size === 0) return;
    const { offsets, options, signal } = this.#parts;
    const isolationLevel = options.isReadCommitted ? 'read_committed' : 'read_uncommitted';
    const wanted = [...targets].map(([{ topic, partition }, spec]) => ({ topic, partition, spec }));
    const found = await offsets.listPartitions(wanted, { isolationLevel, signal });
    // Nothing was written since: the end, as in Java.
    const isAfterEnd = (each: (typeof found)[number]): boolean => each.error === null && each.offset < 0;
    const late = found
      .filter(isAfterEnd)
      .map(({ topic, partition }) => ({ topic, partition, spec: 'latest' as const }));
    const ends = late.length === 0 ? [] : await offsets.listPartitions(late, { isolationLevel, signal });
    const byId = new Map([...targets.keys()].map((state) => [state.id, state]));
    for (const each of [...found.filter((one) => !isAfterEnd(one)), ...ends]) {
      const state = byId.get(`${each.topic}-${each.partition}`);
      if (state === undefined || !isCurrent(state)) continue;
      if (each.error !== null) this.#retryOrFail(state, each.error);
      else {
        state.moveTo(each.offset, each.leaderEpoch);
        this.#parts.onSettled(state);
      }
    }
  }

  /** Asks each leader how far the epoch reached that we read last: when not as far as we are, the log was cut (KIP-320). */
  async #validate(states: readonly PartitionState[]): Promise<void> {
    const { cluster } = this.#parts;
    const byLeader = groupBy(
      states,
      ({ topic, partition }) => cluster.partition(topic, partition)?.leaderId ?? -1,
    );
    await Promise.all(
      [...byLeader].map(async ([leaderId, own]) => {
        const versions = new Map(own.map((state) => [state, state.version]));
        const isCurrent = (state: PartitionState): boolean =>
          !state.isGone && state.phase === 'validating' && state.version === versions.get(state);
        try {
          const answer = await this.#askEpochs(leaderId, own);
          const byId = new Map<string, EpochAnswer>(
            answer.topics.flatMap(({ topic, partitions }) =>
              partitions.map((each) => [`${topic}-${each.partition}`, each] as const),
            ),
          );
          for (const state of own.filter(isCurrent)) this.#applyEpoch(state, byId.get(state.id));
        } catch (error) {
          for (const state of own.filter(isCurrent)) this.#retryOrFail(state, error);
        }
      }),
    );
  }

  #askEpochs(leaderId: number, states: readonly PartitionState[]): Promise<OffsetForLeaderEpochResponse> {
    const { cluster, signal } = this.#parts;
    const topics = [...groupBy(states, ({ topic }) => topic)].map(([topic, members]) => ({
      topic,
      partitions: members.map(({ partition, fetchEpoch }) => ({
        partition,
        currentLeaderEpoch: cluster.partition(topic, partition)?.leaderEpoch ?? -1,
        leaderEpoch: fetchEpoch,
      })),
    }));
    return cluster.request(leaderId, apis.offsetForLeaderEpoch, { replicaId: -1, topics }, { signal });
  }

  #applyEpoch(state: PartitionState, answer: EpochAnswer | undefined): void {
    const { cluster, options } = this.#parts;
    if (answer === undefined || answer.errorCode !== ErrorCodes.NONE) {
      const isAuthorization = answer?.errorCode === ErrorCodes.TOPIC_AUTHORIZATION_FAILED;
      // What is readable decides the fetch itself; everything else is cured by newer metadata.
      if (isAuthorization) this.#validated(state);
      else this.#retryOrFail(state, new KafkaError('UNKNOWN_SERVER_ERROR', 'No answer', { retriable: true }));
      return;
    }
    const { endOffset, leaderEpoch } = answer;
    const isUnknown = endOffset < 0 || leaderEpoch < 0;
    if (!isUnknown && endOffset >= state.fetchOffset) {
      this.#validated(state);
      return;
    }
    const { topic, partition, fetchOffset } = state;
    if (options.from === 'none') {
      const divergent = isUnknown ? null : endOffset;
      this.#fail(state, new LogTruncationError({ topic, partition, offset: fetchOffset }, divergent));
    } else if (isUnknown) {
      state.resetPosition(null);
      this.settle(state);
    } else {
      cluster.options.logger.warn(
        { topic, partition, offset: fetchOffset, endOffset },
        'The log was truncated below the position: going back',
      );
      state.moveTo(endOffset, leaderEpoch);
      this.#validated(state);
    }
  }

  #validated(state: PartitionState): void {
    state.phase = 'ready';
    state.validatedEpoch =
      this.#parts.cluster.partition(state.topic, state.partition)?.leaderEpoch ?? state.validatedEpoch;
    this.#parts.onSettled(state);
  }

  #retryOrFail(state: PartitionState, error: unknown): void {
    const { cluster, signal } = this.#parts;
    if (signal.aborted) return;
    if (!isRetriableError(error)) {
      this.#fail(
        state,
        error instanceof KafkaError ? error : new KafkaError('UNKNOWN_SERVER_ERROR', String(error)),
      );
      return;
    }
    cluster.requestMetadataUpdate();
    // `ready` lets the fetcher find again that the epoch has to be checked.
    state.phase = state.phase === 'validating' ? 'ready' : 'unknown';
    state.retryAtMs = cluster.options.clock.monotonicMs() + cluster.options.retryBackoffMs;
    this.#parts.onSettled(state);
  }

  #fail(state: PartitionState, error: KafkaError): void {
    state.phase = 'unknown';
    state.error = error;
    this.#parts.onSettled(state);
  }
}
