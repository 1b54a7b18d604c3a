import { encodeBatch, ErrorCodes, errorName, type ErrorName } from '@ottla/protocol';
import { expect, test } from 'vitest';
import { CoordinatorError } from '../../src/coordinator/runtime/coordinator-error.ts';
import { TransactionVerification } from '../../src/handlers/transaction-verification.ts';

const RECORDS = encodeBatch({
  records: [{ key: null, value: Buffer.from('v'), timestamp: 0, headers: [] }],
  producerId: 7,
  producerEpoch: 0,
  baseSequence: 0,
  isTransactional: true,
});

/** What a producer is told when the coordinator answers with `code` at whatever it is asked. */
async function answerTo(code: number, apiVersion: number): Promise<{ error: string; hasText: boolean }> {
  const verification = new TransactionVerification({
    replicaManager: { startVerification: () => ({}) },
    transactions: {
      addPartitionsWhenFree: () => Promise.reject(new CoordinatorError(code)),
      verifyPartitions: () => [code],
    },
    isEnabled: () => true,
  } as never);
  const requests = [{ topic: 't', partition: 0, records: RECORDS }];
  const [result] = await verification.begin('id', requests, { apiVersion } as never);
  if (result === undefined || !('errorCode' in result)) throw new Error('Expected a refusal');
  return { error: errorName(result.errorCode), hasText: result.errorMessage !== null };
}

// Version 12 adds its partitions by itself (transactions of version 2): those clients know what is concurrent.
test.each<readonly [coordinator: ErrorName, apiVersion: number, producer: ErrorName, hasText: boolean]>([
  ['CONCURRENT_TRANSACTIONS', 11, 'NOT_ENOUGH_REPLICAS', true],
  ['CONCURRENT_TRANSACTIONS', 12, 'CONCURRENT_TRANSACTIONS', false],
  ['COORDINATOR_LOAD_IN_PROGRESS', 12, 'NOT_ENOUGH_REPLICAS', true],
  ['COORDINATOR_NOT_AVAILABLE', 12, 'NOT_ENOUGH_REPLICAS', true],
  ['NOT_COORDINATOR', 12, 'NOT_ENOUGH_REPLICAS', true],
  ['INVALID_TXN_STATE', 12, 'INVALID_TXN_STATE', true],
  ['PRODUCER_FENCED', 12, 'INVALID_PRODUCER_EPOCH', false],
])(
  '%s of the coordinator is told to a producer of version %d as %s',
  async (code, version, error, hasText) => {
    expect(await answerTo(ErrorCodes[code], version)).toEqual({ error, hasText });
  },
);
