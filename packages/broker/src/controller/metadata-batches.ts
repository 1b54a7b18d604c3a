import {
  batchSizeAt,
  ControlRecordType,
  controlRecordKey,
  controlRecordType,
  decodeMessage,
  decodeRecords,
  encodeBatch,
  encodeMessage,
  kRaftVersionRecord,
  leaderChangeMessage,
  ProtocolError,
  readBatchSummary,
  snapshotFooterRecord,
  snapshotHeaderRecord,
  validateBatchCrc,
  votersRecord,
} from '@ottla/protocol';

/** A control record of the Raft layer: its type and its value, which stays bytes. */
export interface ControlRecord {
  readonly type: number;
  readonly value: Buffer;
}

/** Where and when a batch is written. */
export interface BatchContext {
  readonly baseOffset: number;
  readonly epoch: number;
  readonly timestampMs: number;
}

/** A batch holds either metadata records (their values; they have no keys) or control records. */
export type BatchContent =
  | { readonly values: readonly Buffer[]; readonly control?: never }
  | { readonly control: readonly ControlRecord[]; readonly values?: never };

/** The record that opens an epoch: who leads it, by whose votes. */
export function leaderChange(leaderId: number): ControlRecord {
  const voters = [{ voterId: leaderId }];
  const value = encodeMessage(leaderChangeMessage, 0, {
    version: 0,
    leaderId,
    voters,
    grantingVoters: voters,
  });
  return { type: ControlRecordType.leaderChange, value };
}

/** The one voter of a single node: itself. */
export interface Voter {
  readonly voterId: number;
  /** Uuid of the log directory that holds the metadata log. */
  readonly directoryId: string;
  readonly endpoints: readonly { readonly name: string; readonly host: string; readonly port: number }[];
}

/** The records that make a quorum dynamic (KIP-853): from then on its voters stand in the log. */
export function dynamicQuorum({ voterId, directoryId, endpoints }: Voter): ControlRecord[] {
  const voter = {
    voterId,
    voterDirectoryId: directoryId,
    endpoints: endpoints.map((endpoint) => ({ ...endpoint })),
    kRaftVersionFeature: { minSupportedVersion: 0, maxSupportedVersion: DYNAMIC_KRAFT_VERSION },
  };
  return [
    {
      type: ControlRecordType.kraftVersion,
      value: encodeMessage(kRaftVersionRecord, 0, { version: 0, kRaftVersion: DYNAMIC_KRAFT_VERSION }),
    },
    {
      type: ControlRecordType.kraftVoters,
      value: encodeMessage(votersRecord, 0, { version: 0, voters: [voter] }),
    },
  ];
}

/** The voters that stand in the log, newest set last; none in a log of a static quorum. */
export function votersOf(control: readonly ControlRecord[]): readonly Voter[] {
  const newest = control.findLast(({ type }) => type === ControlRecordType.kraftVoters);
  if (newest === undefined) return [];
  return decodeMessage(votersRecord, 0, newest.value).voters.map(
    ({ voterId, voterDirectoryId, endpoints }) => ({ voterId, directoryId: voterDirectoryId, endpoints }),
  );
}

const DYNAMIC_KRAFT_VERSION = 1;

/** Whether a control record says that the quorum is dynamic. */
export function isDynamicQuorum({ type, value }: ControlRecord): boolean {
  if (type !== ControlRecordType.kraftVersion) return false;
  return decodeMessage(kRaftVersionRecord, 0, value).kRaftVersion >= DYNAMIC_KRAFT_VERSION;
}

/** The first record of a snapshot. */
export function snapshotHeader(lastContainedLogTimestamp: number): ControlRecord {
  const value = encodeMessage(snapshotHeaderRecord, 0, { version: 0, lastContainedLogTimestamp });
  return { type: ControlRecordType.snapshotHeader, value };
}

/** The last record of a snapshot: without it the file is incomplete. */
export function snapshotFooter(): ControlRecord {
  return {
    type: ControlRecordType.snapshotFooter,
    value: encodeMessage(snapshotFooterRecord, 0, { version: 0 }),
  };
}

/** One batch of the metadata log or of a snapshot, as KRaft writes it. */
export function encodeMetadataBatch(context: BatchContext, content: BatchContent): Buffer {
  const timestamp = context.timestampMs;
  const records =
    content.control === undefined
      ? content.values.map((value) => ({ timestamp, value }))
      : content.control.map(({ type, value }) => ({ timestamp, key: controlRecordKey(type), value }));
  return encodeBatch({
    records,
    baseOffset: context.baseOffset,
    partitionLeaderEpoch: context.epoch,
    isControl: content.control !== undefined,
  });
}

/** A decoded batch: metadata record values, or control records. */
export interface MetadataBatch {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly epoch: number;
  readonly sizeInBytes: number;
  readonly values: readonly Buffer[];
  readonly control: readonly ControlRecord[];
}

/** Steps through the batches of a segment or snapshot, and stops at the first one that is not whole and intact. */
export class MetadataBatchReader {
  readonly #content: Buffer;
  /** Where the next batch begins; after `next` returned null, where the trouble begins if there is any. */
  position = 0;
  /** Why reading stopped before the end; null when it did not. */
  problem: string | null = null;

  constructor(content: Buffer) {
    this.#content = content;
  }

  /** The next batch, or null at the end and at the first damaged batch. */
  next(): MetadataBatch | null {
    const content = this.#content;
    if (this.problem !== null || this.position >= content.length) return null;
    const batch = readBatch(content, this.position);
    if (typeof batch === 'string') {
      this.problem = batch;
      return null;
    }
    this.position += batch.sizeInBytes;
    return batch;
  }

  /** Whether an intact batch lies somewhere behind the damaged one: then it was not merely torn at the end. */
  hasValidBatchBehind(): boolean {
    const content = this.#content;
    for (let position = this.position + 1; position < content.length; position += 1) {
      const size = batchSizeAt(content, position);
      if (size < 0) continue;
      if (position + size <= content.length && typeof readBatch(content, position) !== 'string') return true;
    }
    return false;
  }
}

/** The batch at `position`, or what is wrong with it. */
function readBatch(content: Buffer, position: number): MetadataBatch | string {
  try {
    const summary = readBatchSummary(content, position);
    if (!validateBatchCrc(content, position)) return 'its checksum does not match';
    const records = decodeRecords(content, position);
    const { baseOffset, lastOffset, partitionLeaderEpoch: epoch, sizeInBytes } = summary;
    if (summary.isControl) {
      const control = records.map(({ key, value }) => ({
        type: controlRecordType(key),
        value: value ?? Buffer.alloc(0),
      }));
      return { baseOffset, lastOffset, epoch, sizeInBytes, values: [], control };
    }
    const values = records.map((record) => record.value ?? Buffer.alloc(0));
    return { baseOffset, lastOffset, epoch, sizeInBytes, values, control: [] };
  } catch (error) {
    if (error instanceof ProtocolError) return error.message;
    throw error;
  }
}
