import type { BatchSummary } from '@ottla/protocol';
import { expect, test } from 'vitest';
import { CleanedTransactions } from '../../src/cleaner/cleaned-transactions.ts';
import type { AbortedTxn } from '../../src/indexes/transaction-index.ts';

const MANY = 200_000;

test('very many aborted transactions are followed in little time', () => {
  const aborted = Array.from({ length: MANY }, (_, producerId) => ({
    producerId,
    firstOffset: 2 * producerId,
  }));
  const kept: AbortedTxn[] = [];
  const transactions = new CleanedTransactions(aborted as AbortedTxn[], (txn) => kept.push(txn));
  const batch = (producerId: number, lastOffset: number) =>
    ({ producerId, lastOffset, isTransactional: true }) as BatchSummary;
  let gone = 0;
  const begin = performance.now();
  for (let producerId = 0; producerId < MANY; producerId++) {
    if (transactions.isAborted(batch(producerId, 2 * producerId))) gone++;
    transactions.endsEmpty(batch(producerId, 2 * producerId + 1), true);
  }
  expect(performance.now() - begin).toBeLessThan(3000);
  expect([gone, kept.length]).toEqual([MANY, MANY]);
}, 120_000);
