import { SeededRandom, SimClock, SimDisk } from '@ottla/platform';
import { encodeTransactionMarker, ErrorCodes } from '@ottla/protocol';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Log, LogManager } from '../../src/index.ts';
import { batchOf, client, logConfig, openManager, TP } from '../support/fixtures.ts';

const PRODUCER_ID = 7;
const coordinator = { leaderEpoch: 0, origin: 'coordinator' } as const;

const batch = (baseSequence: number, producerEpoch = 0): Buffer =>
  batchOf(1, { producerId: PRODUCER_ID, producerEpoch, baseSequence, isTransactional: true });
const marker = (type: 'commit' | 'abort', producerEpoch = 0): Buffer =>
  encodeTransactionMarker({
    type,
    producerId: PRODUCER_ID,
    producerEpoch,
    coordinatorEpoch: 0,
    timestampMs: 1,
  });

let disk: SimDisk;
let manager: LogManager;
let log: Log;

async function open(): Promise<void> {
  manager = await openManager(['/logs'], { disk, clock: new SimClock(), random: new SeededRandom(3) });
  log = manager.getOrCreate(TP, null, logConfig());
}

beforeEach(async () => {
  disk = new SimDisk({ random: new SeededRandom(2) });
  await open();
});

describe('a batch that opens a transaction (KIP-890)', () => {
  const refused = expect.objectContaining({ errorCode: ErrorCodes.INVALID_TXN_STATE });

  test('is refused without the guard of its verification, and taken with it', () => {
    expect(() => log.append(batch(0), { ...client, verificationGuard: null })).toThrow(refused);
    const guard = log.transactions.startVerification(PRODUCER_ID, 0);
    log.append(batch(0), { ...client, verificationGuard: guard });
    // The transaction is open now: nothing more to verify.
    expect(log.transactions.startVerification(PRODUCER_ID, 0)).toBeNull();
    log.append(batch(1), { ...client, verificationGuard: null });
    expect(log.logEndOffset).toBe(2);
  });

  test('is refused when the transaction ended after it was verified', () => {
    const guard = log.transactions.startVerification(PRODUCER_ID, 0);
    log.append(marker('abort'), coordinator);
    expect(() => log.append(batch(0), { ...client, verificationGuard: guard })).toThrow(refused);
    expect(log.logEndOffset).toBe(1);
  });

  test('is refused when its verification is long over, so that producers which never wrote cost nothing', () => {
    const guard = log.transactions.startVerification(PRODUCER_ID, 0);
    log.removeExpiredProducers();
    expect(log.transactions.startVerification(PRODUCER_ID, 0)).toBe(guard);
    log.removeExpiredProducers();
    expect(log.transactions.startVerification(PRODUCER_ID, 0)).not.toBe(guard);
    expect(() => log.append(batch(0), { ...client, verificationGuard: guard })).toThrow(refused);
  });

  test('is verified anew after a new epoch', () => {
    log.append(batch(0), {
      ...client,
      verificationGuard: log.transactions.startVerification(PRODUCER_ID, 0),
    });
    expect(log.transactions.startVerification(PRODUCER_ID, 1)).not.toBeNull();
  });
});

test('the end of a transaction is known by its epoch, and only once it is there', () => {
  expect(log.transactions.isEnded(PRODUCER_ID, 1)).toBe(false);
  log.append(batch(0), client);
  expect(log.transactions.isEnded(PRODUCER_ID, 0)).toBe(false);
  log.append(marker('commit', 1), coordinator);
  expect([0, 1, 2].map((epoch) => log.transactions.isEnded(PRODUCER_ID, epoch))).toEqual([
    false,
    true,
    false,
  ]);
});

test.each(['crash', 'clean stop'])(
  'a transaction that is open holds the last stable offset after a %s',
  async (how) => {
    log.append(batch(0), client);
    log.append(batchOf(2), client);
    await log.flush();
    if (how === 'crash') disk.crash();
    else await manager.close();
    await open();
    log.updateHighWatermark(log.logEndOffset);
    expect(log.lastStableOffset).toBe(0);
    log.append(marker('abort', 1), coordinator);
    log.updateHighWatermark(log.logEndOffset);
    expect(log.lastStableOffset).toBe(4);
    expect(log.transactions.collectAborted(0, 4)).toEqual([{ producerId: PRODUCER_ID, firstOffset: 0 }]);
  },
);
