import type { SharePartitionSettings } from '../../src/share/share-partition-types.ts';

/** A share group that reads from the beginning, with Kafka's lock duration and limit of deliveries. */
export const SETTINGS: SharePartitionSettings = {
  recordLockDurationMs: 30_000,
  deliveryCountLimit: 5,
  maxRecordLocks: 200,
  autoOffsetReset: 'earliest',
  isReadCommitted: false,
  isRenewEnabled: true,
};
