import { ErrorCodes, type FetchResponse } from '@ottla/protocol';
import { brokerError } from '../../errors/kafka-error.ts';
import type { PartitionState } from '../partition-state.ts';
import type { FetcherParts } from './fetcher-parts.ts';
import type { FetchSession } from './fetch-session.ts';
import { Chunk, FrameShare } from './fetched-chunk.ts';
import { scanBatches } from './scan-batches.ts';

type PartitionAnswer = FetchResponse['responses'][number]['partitions'][number];

/** Errors that newer metadata cures. */
const STALE_METADATA: ReadonlySet<number> = new Set([
  ErrorCodes.NOT_LEADER_OR_FOLLOWER,
  ErrorCodes.REPLICA_NOT_AVAILABLE,
  ErrorCodes.KAFKA_STORAGE_ERROR,
  ErrorCodes.FENCED_LEADER_EPOCH,
  ErrorCodes.OFFSET_NOT_AVAILABLE,
  ErrorCodes.UNKNOWN_LEADER_EPOCH,
  ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION,
  ErrorCodes.UNKNOWN_TOPIC_ID,
  ErrorCodes.INCONSISTENT_TOPIC_ID,
  ErrorCodes.LEADER_NOT_AVAILABLE,
]);

/** Puts what a Fetch answer brought to its partitions. */
export class FetchIntake {
  readonly #parts: FetcherParts & { readonly onFreed: () => void };
  #bufferedBytes = 0;

  constructor(parts: FetcherParts & { readonly onFreed: () => void }) {
    this.#parts = parts;
  }

  /** Bytes of answers that have not been handed out yet. */
  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  /** Takes an answer to a request for these partitions, as they were then; returns how many of them had something in it. */
  take(
    session: FetchSession,
    answer: FetchResponse,
    { asked, latencyMs }: { readonly asked: ReadonlyMap<PartitionState, number>; readonly latencyMs: number },
  ): number {
    const byId = new Map([...asked.keys()].map((state) => [state.id, state]));
    const withRecords: [PartitionState, PartitionAnswer][] = [];
    let bytes = 0;
    let count = 0;
    for (const topic of answer.responses) {
      const name = session.nameOf(topic);
      for (const partition of topic.partitions) {
        const state = byId.get(`${name}-${partition.partitionIndex}`);
        // A seek or a rebalance since then makes the answer worthless.
        if (state === undefined || state.isGone || state.version !== asked.get(state)) continue;
        count += 1;
        if (!this.#accepts(state, partition)) continue;
        if (partition.records === null || partition.records.length === 0) continue;
        bytes += partition.records.length;
        withRecords.push([state, partition]);
      }
    }
    this.#applyHints(session, answer);
    const { throttleTimeMs } = answer;
    this.#parts.counters.fetched({ latencyMs, sizeBytes: bytes, throttleTimeMs });
    if (withRecords.length > 0) this.#keep(withRecords, bytes);
    return count;
  }

  #keep(partitions: readonly [PartitionState, PartitionAnswer][], bytes: number): void {
    const frame = new FrameShare(bytes, (freed) => {
      this.#bufferedBytes -= freed;
      this.#parts.onFreed();
    });
    const arrived: PartitionState[] = [];
    // The first share is ours, so that chunks which come to nothing do not free the frame again and again.
    this.#bufferedBytes += bytes;
    frame.take();
    for (const [state, { records, abortedTransactions }] of partitions) {
      const scan = scanBatches(records!);
      // Something unreadable goes to the application too: it gets the error when it arrives there. As in Java so does the beginning of
      // a batch alone, which no broker gives since Fetch version 4 (KIP-74): asked again it would give the same, for ever.
      const isUnreadable = scan.isBroken || scan.endOffset < 0;
      const end = isUnreadable ? records!.length : scan.wholeBytes;
      const chunk = new Chunk(
        state,
        { records: records!.subarray(0, end), aborted: abortedTransactions ?? [] },
        frame,
      );
      state.chunks.push(chunk);
      state.bufferedBytes += end;
      if (scan.endOffset >= 0) {
        state.fetchOffset = Math.max(state.fetchOffset, scan.endOffset);
        state.fetchEpoch = scan.leaderEpoch;
      }
      arrived.push(state);
    }
    frame.release();
    if (arrived.length > 0) this.#parts.onRecords(arrived);
  }

  /** Notes what the answer says of the log; false when it says nothing but an error. */
  #accepts(state: PartitionState, partition: PartitionAnswer): boolean {
    if (partition.errorCode !== ErrorCodes.NONE) {
      this.#onError(state, partition.errorCode);
      return false;
    }
    state.highWatermark = partition.highWatermark;
    state.lastStableOffset = partition.lastStableOffset;
    state.logStartOffset = partition.logStartOffset;
    if (partition.preferredReadReplica >= 0) {
      const { clock, metadataMaxAgeMs } = this.#parts.cluster.options;
      state.preferredReplica = partition.preferredReadReplica;
      state.preferredUntilMs = clock.monotonicMs() + metadataMaxAgeMs;
    }
    return true;
  }

  #onError(state: PartitionState, errorCode: number): void {
    const { cluster, onTrouble } = this.#parts;
    const { clock, retryBackoffMs } = cluster.options;
    const wasReplica = state.preferredReplica >= 0;
    state.preferredReplica = -1;
    state.retryAtMs = clock.monotonicMs() + retryBackoffMs;
    if (errorCode === ErrorCodes.OFFSET_OUT_OF_RANGE) {
      // A replica may lag behind the leader, or be ahead with its deletions: the leader decides.
      if (wasReplica) return;
      state.phase = 'unknown';
      state.needsReset = true;
      state.resetTo = null;
      state.retryAtMs = 0;
      onTrouble(state);
    } else if (errorCode === ErrorCodes.UNKNOWN_SERVER_ERROR || STALE_METADATA.has(errorCode)) {
      cluster.requestMetadataUpdate();
    } else {
      state.error = brokerError(errorCode, null, `partition ${state.id}`);
      onTrouble(state);
    }
  }

  /** Leaders that errors tell of (KIP-951). */
  #applyHints(session: FetchSession, answer: FetchResponse): void {
    if (answer.nodeEndpoints.length === 0) return;
    const hints = answer.responses.flatMap((topic) =>
      topic.partitions
        .filter(({ currentLeader }) => currentLeader.leaderId >= 0)
        .map(({ partitionIndex, currentLeader }) => ({
          topic: session.nameOf(topic) ?? '',
          partition: partitionIndex,
          ...currentLeader,
        })),
    );
    this.#parts.cluster.applyLeaderHints(hints, answer.nodeEndpoints);
  }
}
