import { ErrorCodes } from '@ottla/protocol';
import { describe, expect, test } from 'vitest';
import { DEFAULT_TRANSACTION_CONFIG } from '../../../src/coordinator/transaction/transaction-config.ts';
import { TransactionMachine } from '../../../src/coordinator/transaction/transaction-machine.ts';
import {
  newTransaction,
  TransactionState,
  type TransactionMetadata,
} from '../../../src/coordinator/transaction/transaction-state.ts';
import type {
  MarkerWork,
  TransactionCommand,
  TransactionOutcome,
} from '../../../src/coordinator/transaction/transaction-types.ts';

const NOW_MS = 1_700_000_000_000;
const CONFIG = { ...DEFAULT_TRANSACTION_CONFIG, idExpirationMs: 10_000 };

/** A machine whose records are committed as soon as they are written, unless a test says otherwise. */
class Driver {
  readonly machine = new TransactionMachine({ config: CONFIG, serverVersion: () => 2 });
  /** Work that was handed out to the ticket 99. */
  readonly work: MarkerWork[] = [];
  nowMs = NOW_MS;

  run(command: TransactionCommand, writeError: number = ErrorCodes.NONE): unknown {
    try {
      return this.#absorb(this.machine.handle(command, 1, this.nowMs), writeError);
    } catch (failure) {
      return (failure as { code: number }).code;
    }
  }

  takeMarkers(): void {
    this.#absorb(this.machine.handle({ type: 'take-markers' }, 99, this.nowMs), ErrorCodes.NONE);
  }

  load(metadata: TransactionMetadata): void {
    this.machine.replay({ transactionalId: metadata.transactionalId, metadata });
    this.#absorb(this.machine.loaded(), ErrorCodes.NONE);
  }

  state(id = 'id'): TransactionMetadata | undefined {
    return this.machine.store.get(id);
  }

  #absorb(outcome: TransactionOutcome, writeError: number): unknown {
    for (const change of outcome.changes) this.machine.apply(change);
    if (writeError === ErrorCodes.NONE) for (const record of outcome.records) this.machine.replay(record);
    let answer: unknown;
    for (const reply of outcome.replies) {
      const value = 'value' in reply ? reply.value : reply.errorCode;
      if (reply.ticket === 99) this.work.push(...(value as MarkerWork[]));
      else answer = writeError === ErrorCodes.NONE ? value : writeError;
    }
    if (outcome.followUp !== null)
      this.#absorb(this.machine.written(outcome.followUp, writeError), ErrorCodes.NONE);
    return answer;
  }
}

function metadata(fields: Partial<TransactionMetadata>): TransactionMetadata {
  return {
    ...newTransaction('id', { producerId: 7, timeoutMs: 1000 }, NOW_MS),
    producerEpoch: 0,
    ...fields,
  };
}

const ONGOING: Partial<TransactionMetadata> = {
  state: TransactionState.ongoing,
  startTimestampMs: NOW_MS,
  partitions: new Map([['t', new Set([0])]]),
  clientVersion: 2,
};

const init = (
  fields: Partial<Extract<TransactionCommand, { type: 'init-producer-id' }>> = {},
): TransactionCommand => ({
  type: 'init-producer-id',
  transactionalId: 'id',
  timeoutMs: 1000,
  expected: null,
  newProducerId: null,
  ...fields,
});
const end = (
  fields: Partial<Extract<TransactionCommand, { type: 'end-transaction' }>> = {},
): TransactionCommand => ({
  type: 'end-transaction',
  transactionalId: 'id',
  producerId: 7,
  producerEpoch: 0,
  committed: true,
  clientVersion: 2,
  newProducerId: null,
  ...fields,
});
const add = (producerEpoch: number): TransactionCommand => ({
  type: 'add-partitions',
  transactionalId: 'id',
  producerId: 7,
  producerEpoch,
  partitions: [{ topic: 't', partition: 0 }],
  clientVersion: 2,
});
const written = (producerEpoch: number): TransactionCommand => ({
  type: 'markers-written',
  transactionalId: 'id',
  producerId: 7,
  producerEpoch,
});

describe('the last epochs of a producer id', () => {
  test('InitProducerId after epoch 32766 gets a new producer id with epoch 0', () => {
    const driver = new Driver();
    driver.load(metadata({ producerEpoch: 32_766 }));
    expect(driver.run(init())).toBe('needs-producer-id');
    expect(driver.run(init({ newProducerId: 8 }))).toEqual({ producerId: 8, producerEpoch: 0 });
    // The answer was lost: the producer asks once more with its old identity.
    const expected = { producerId: 7, producerEpoch: 32_766 };
    expect(driver.run(init({ newProducerId: 9, expected }))).toBe(ErrorCodes.PRODUCER_FENCED);
  });

  test('a producer that goes on after epoch 32766 may repeat its request', () => {
    const driver = new Driver();
    driver.load(metadata({ producerEpoch: 32_766 }));
    const expected = { producerId: 7, producerEpoch: 32_766 };
    expect(driver.run(init({ newProducerId: 8, expected }))).toEqual({ producerId: 8, producerEpoch: 0 });
    expect(driver.run(init({ newProducerId: 9, expected }))).toEqual({ producerId: 8, producerEpoch: 0 });
  });

  test('an end at epoch 32766 writes its markers with 32767 and goes on with a new producer id', () => {
    const driver = new Driver();
    driver.load(metadata({ ...ONGOING, producerEpoch: 32_766 }));
    driver.takeMarkers();
    const last = end({ producerEpoch: 32_766 });
    expect(driver.run(last)).toBe('needs-producer-id');
    expect(driver.run({ ...last, newProducerId: 8 } as TransactionCommand)).toEqual({
      producerId: 8,
      producerEpoch: 0,
    });
    expect(driver.work).toMatchObject([{ producerId: 7, producerEpoch: 32_767, committed: true }]);
    driver.run(written(32_767));
    expect(driver.state()).toMatchObject({
      producerId: 8,
      producerEpoch: 0,
      state: TransactionState.completeCommit,
    });
    // A repetition by a producer that missed the answer.
    expect(driver.run(last)).toEqual({ producerId: 8, producerEpoch: 0 });
  });

  test('an open transaction at epoch 32766 can still be fenced', () => {
    const driver = new Driver();
    driver.load(metadata({ ...ONGOING, producerEpoch: 32_766 }));
    expect(driver.run(init())).toBe(ErrorCodes.CONCURRENT_TRANSACTIONS);
    expect(driver.state()).toMatchObject({ producerEpoch: 32_767, state: TransactionState.prepareAbort });
  });
});

describe('what is under way', () => {
  test('a decided transaction is handed out again after a restart, as one that may be done in part', () => {
    const driver = new Driver();
    driver.load(metadata({ ...ONGOING, state: TransactionState.prepareCommit, producerEpoch: 1 }));
    driver.takeMarkers();
    expect(driver.work).toMatchObject([
      { producerId: 7, producerEpoch: 1, committed: true, isRepeated: true },
    ]);
  });

  test('until the markers are written everything else is CONCURRENT_TRANSACTIONS', () => {
    const driver = new Driver();
    driver.load(metadata(ONGOING));
    expect(driver.run(end())).toEqual({ producerId: 7, producerEpoch: 1 });
    expect(driver.run(add(1))).toBe(ErrorCodes.CONCURRENT_TRANSACTIONS);
    expect(driver.run(init())).toBe(ErrorCodes.CONCURRENT_TRANSACTIONS);
    expect(driver.run(end())).toBe(ErrorCodes.CONCURRENT_TRANSACTIONS);
    expect(driver.run(end({ committed: false, producerEpoch: 1 }))).toBe(ErrorCodes.CONCURRENT_TRANSACTIONS);
    driver.run(written(1));
    expect(driver.run(end({ committed: false }))).toBe(ErrorCodes.INVALID_TXN_STATE);
    expect(driver.run(add(1))).toBeNull();
  });

  test('a decision that could not be written leaves the transaction open', () => {
    const driver = new Driver();
    driver.load(metadata(ONGOING));
    driver.takeMarkers();
    expect(driver.run(end(), ErrorCodes.COORDINATOR_NOT_AVAILABLE)).toBe(
      ErrorCodes.COORDINATOR_NOT_AVAILABLE,
    );
    expect(driver.state()?.state).toBe(TransactionState.ongoing);
    expect(driver.work).toEqual([]);
    expect(driver.run(end())).toEqual({ producerId: 7, producerEpoch: 1 });
  });

  test('a completion that could not be written is tried again', () => {
    const driver = new Driver();
    driver.load(metadata(ONGOING));
    driver.takeMarkers();
    driver.run(end());
    driver.takeMarkers();
    driver.run(written(1), ErrorCodes.COORDINATOR_NOT_AVAILABLE);
    expect(driver.work.map(({ isRepeated }) => isRepeated)).toEqual([false, true]);
    driver.run(written(1));
    expect(driver.state()?.state).toBe(TransactionState.completeCommit);
  });
});

describe('time', () => {
  test('a transaction that ran out of time is aborted with an epoch that its producer does not have', () => {
    const driver = new Driver();
    driver.load(metadata(ONGOING));
    driver.takeMarkers();
    driver.nowMs += 1000;
    driver.run({ type: 'abort-timed-out' });
    expect(driver.state()?.state).toBe(TransactionState.ongoing);
    driver.nowMs += 1;
    driver.run({ type: 'abort-timed-out' });
    expect(driver.work).toMatchObject([{ producerEpoch: 1, committed: false }]);
    driver.run(written(1));
    expect(driver.run(add(0))).toBe(ErrorCodes.PRODUCER_FENCED);
  });

  test('an id that nobody has used for its expiration time is forgotten, one with an open transaction is not', () => {
    const driver = new Driver();
    driver.load(metadata({}));
    driver.load(metadata({ ...ONGOING, transactionalId: 'open' }));
    driver.nowMs += CONFIG.idExpirationMs - 1;
    driver.run({ type: 'expire-transactional-ids' });
    expect(driver.state()).toBeDefined();
    driver.nowMs += 1;
    driver.run({ type: 'expire-transactional-ids' });
    expect(driver.state()).toBeUndefined();
    expect(driver.state('open')).toBeDefined();
  });
});
