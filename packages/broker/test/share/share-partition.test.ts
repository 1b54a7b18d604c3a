import { SimClock } from '@ottla/platform';
import { ErrorCodes, ZERO_UUID } from '@ottla/protocol';
import { LogError } from '@ottla/storage';
import { expect, test } from 'vitest';
import type { Partition } from '../../src/replica/partition.ts';
import { SharePartition } from '../../src/share/share-partition.ts';
import { SETTINGS } from './share-settings.ts';

/** A share partition of a group that begins an hour back, and its log as it stands. */
function setUp() {
  const partition = {
    leaderEpoch: 0,
    highWatermark: 10,
    log: { logStartOffset: 0 } as object | null,
    lookup: () => Promise.resolve({ offset: 4 }),
    offsetForTimestamp: (): Promise<{ offset: number }> => partition.lookup(),
  };
  const persisted = { errorCode: 0, errorMessage: null };
  const share = new SharePartition(
    { groupId: 'g', topicId: ZERO_UUID, partition: 0 },
    partition as unknown as Partition,
    {
      persister: {
        read: () => Promise.resolve({ ...persisted, stateEpoch: 0, startOffset: -1, stateBatches: [] }),
        write: () => Promise.resolve(persisted),
      },
      clock: new SimClock(),
      settings: () => ({ ...SETTINGS, autoOffsetReset: 'by_duration:PT1H' }),
      onFenced: () => undefined,
    },
  );
  return { partition, share };
}

test.each([
  [new LogError(ErrorCodes.KAFKA_STORAGE_ERROR, 'The disk is gone'), ErrorCodes.KAFKA_STORAGE_ERROR],
  [new Error('Nobody foresaw this'), ErrorCodes.UNKNOWN_SERVER_ERROR],
])(
  'a log that cannot be looked into is the refusal of one fetch, not of all after it: %s',
  async (error, code) => {
    const { partition, share } = setUp();
    const lookup = partition.lookup;
    partition.lookup = () => Promise.reject(error);
    expect(await share.initialize()).toMatchObject({ errorCode: code });
    partition.lookup = lookup;
    expect(await share.initialize()).toMatchObject({ errorCode: ErrorCodes.NONE });
    expect(share.state?.startOffset).toBe(4);
  },
);

test('a log that is offline is a storage error', async () => {
  const { partition, share } = setUp();
  partition.log = null;
  expect(await share.initialize()).toMatchObject({ errorCode: ErrorCodes.KAFKA_STORAGE_ERROR });
});
