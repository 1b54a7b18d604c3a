import {
  ApiKeys,
  ErrorCodes,
  type ListTransactionsRequest,
  listTransactionsRequest,
  type ListTransactionsResponse,
  listTransactionsResponse,
} from '@ottla/protocol';
import { errorCodeOf } from '../coordinator/runtime/coordinator-error.ts';
import { type IdPattern, idPattern } from '../coordinator/transaction/id-pattern.ts';
import type { TransactionCoordinator } from '../coordinator/transaction/transaction-coordinator.ts';
import { unknownStates } from '../coordinator/transaction/transaction-queries.ts';
import type { ApiHandler } from './handler.ts';

/** ListTransactions 0 to 2 (KIP-664; 1: how long a transaction has been running, KIP-994; 2: a pattern of ids, KIP-1152). */
export function listTransactionsHandler(deps: {
  readonly transactions: TransactionCoordinator;
}): ApiHandler<ListTransactionsRequest, ListTransactionsResponse> {
  return {
    apiKey: ApiKeys.ListTransactions,
    minVersion: 0,
    maxVersion: 2,
    request: listTransactionsRequest,
    response: listTransactionsResponse,

    handle(request) {
      const pattern = patternOf(request.transactionalIdPattern);
      if (pattern === undefined) return refusal(ErrorCodes.INVALID_REGULAR_EXPRESSION);
      try {
        const transactionStates = deps.transactions.list({
          states: request.stateFilters,
          producerIds: request.producerIdFilters,
          durationMs: request.durationFilter,
          idPattern: pattern,
        });
        const unknownStateFilters = unknownStates(request.stateFilters);
        return { throttleTimeMs: 0, errorCode: ErrorCodes.NONE, unknownStateFilters, transactionStates };
      } catch (failure) {
        return refusal(errorCodeOf(failure));
      }
    },

    errorResponse: (_request, errorCode) => refusal(errorCode),
  };
}

/** Undefined for what is no regular expression; the empty one does not filter. */
function patternOf(text: string | null): IdPattern | null | undefined {
  if (text === null || text === '') return null;
  try {
    return idPattern(text);
  } catch {
    return undefined;
  }
}

function refusal(errorCode: number): ListTransactionsResponse {
  return { throttleTimeMs: 0, errorCode, unknownStateFilters: [], transactionStates: [] };
}
