import {
  ApiKeys,
  type DescribeTransactionsRequest,
  describeTransactionsRequest,
  type DescribeTransactionsResponse,
  describeTransactionsResponse,
  ErrorCodes,
} from '@ottla/protocol';
import { errorCodeOf } from '../coordinator/runtime/coordinator-error.ts';
import type { TransactionCoordinator } from '../coordinator/transaction/transaction-coordinator.ts';
import { stateName } from '../coordinator/transaction/transaction-queries.ts';
import type { ApiHandler } from './handler.ts';
import { withoutRepeats } from './without-repeats.ts';

type State = DescribeTransactionsResponse['transactionStates'][number];

/** DescribeTransactions 0 (KIP-664): what the coordinator knows of transactional ids. */
export function describeTransactionsHandler(deps: {
  readonly transactions: TransactionCoordinator;
}): ApiHandler<DescribeTransactionsRequest, DescribeTransactionsResponse> {
  return {
    apiKey: ApiKeys.DescribeTransactions,
    minVersion: 0,
    maxVersion: 0,
    request: describeTransactionsRequest,
    response: describeTransactionsResponse,

    handle({ transactionalIds }) {
      const { distinct, spread } = withoutRepeats(transactionalIds);
      return { throttleTimeMs: 0, transactionStates: spread(distinct.map(describe)) };
    },

    errorResponse: (request, errorCode) => ({
      throttleTimeMs: 0,
      transactionStates: request.transactionalIds.map((id) => refusal(id, errorCode)),
    }),
  };

  function describe(transactionalId: string): State {
    try {
      const metadata = deps.transactions.describe(transactionalId);
      return {
        ...refusal(transactionalId, ErrorCodes.NONE),
        transactionState: stateName(metadata.state),
        transactionTimeoutMs: metadata.timeoutMs,
        transactionStartTimeMs: metadata.startTimestampMs,
        producerId: metadata.producerId,
        producerEpoch: metadata.producerEpoch,
        topics: Array.from(metadata.partitions, ([topic, partitions]) => ({
          topic,
          partitions: [...partitions],
        })),
      };
    } catch (failure) {
      return refusal(transactionalId, errorCodeOf(failure));
    }
  }
}

function refusal(transactionalId: string, errorCode: number): State {
  return {
    errorCode,
    transactionalId,
    transactionState: '',
    transactionTimeoutMs: 0,
    transactionStartTimeMs: 0,
    producerId: 0,
    producerEpoch: 0,
    topics: [],
  };
}
