/** Kafka's acknowledgement types on the wire (KIP-932; 4: KIP-1222). */
export const AcknowledgeType = { gap: 0, accept: 1, release: 2, reject: 3, renew: 4 } as const;

/** Acknowledges the offsets from first to last: by one type for all, or by one for each. */
export interface AcknowledgementBatch {
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly acknowledgeTypes: readonly number[];
}

/** Offsets that a member may process until its lock ends, with how often they were delivered, this time included. */
export interface AcquiredRecords {
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly deliveryCount: number;
}

/** How records are handed out (KIP-1206). */
export const ShareAcquireMode = {
  /** Whole batches, even when that exceeds the number asked for. */
  batchOptimized: 0,
  /** Never more records than asked for. */
  recordLimit: 1,
} as const;

/** What applies to the share partitions of a group: its own configs over the broker's. */
export interface SharePartitionSettings {
  /** `share.record.lock.duration.ms`. */
  readonly recordLockDurationMs: number;
  /** `share.delivery.count.limit`. */
  readonly deliveryCountLimit: number;
  /** `share.partition.max.record.locks`. */
  readonly maxRecordLocks: number;
  /** `share.auto.offset.reset`: `latest`, `earliest` or `by_duration:` and a duration. */
  readonly autoOffsetReset: string;
  /** `share.isolation.level` is `read_committed`. */
  readonly isReadCommitted: boolean;
  /** `share.renew.acknowledge.enable`. */
  readonly isRenewEnabled: boolean;
}

/** What a member wants of one share partition. */
export interface AcquireRequest {
  readonly memberId: string;
  /** The batches that were read, in offset order; never empty. */
  readonly batches: readonly { readonly baseOffset: number; readonly lastOffset: number }[];
  /** Where the reading began. */
  readonly fetchOffset: number;
  readonly maxRecords: number;
  /** How many records an entry of the answer should have. */
  readonly batchSize: number;
  readonly mode: number;
}

/** A refusal with Kafka's code and text. */
export interface ShareRefusal {
  readonly errorCode: number;
  readonly errorMessage: string | null;
}
