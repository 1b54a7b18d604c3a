import {
  type AddOffsetsToTxnRequest,
  addOffsetsToTxnRequest,
  type AddOffsetsToTxnResponse,
  addOffsetsToTxnResponse,
  ApiKeys,
  ErrorCodes,
} from '@ottla/protocol';
import type { GroupCoordinator } from '../coordinator/group/group-coordinator.ts';
import { errorCodeOf } from '../coordinator/runtime/coordinator-error.ts';
import type { TransactionCoordinator } from '../coordinator/transaction/transaction-coordinator.ts';
import type { ApiHandler } from './handler.ts';
import { fencedErrorFor } from './transaction-errors.ts';
import { GROUP_METADATA_TOPIC } from '../controller/topic-names.ts';

/** The first version whose clients know PRODUCER_FENCED. */
const FENCED_VERSION = 2;

/**
 * AddOffsetsToTxn 0 to 4 (2: PRODUCER_FENCED; 4: TRANSACTION_ABORTABLE): adds the partition of `__consumer_offsets` that
 * a group belongs to. Transactions of version 2 do without it: TxnOffsetCommit adds the partition itself.
 */
export function addOffsetsToTxnHandler(deps: {
  readonly transactions: TransactionCoordinator;
  readonly groups: GroupCoordinator;
}): ApiHandler<AddOffsetsToTxnRequest, AddOffsetsToTxnResponse> {
  return {
    apiKey: ApiKeys.AddOffsetsToTxn,
    minVersion: 0,
    maxVersion: 4,
    request: addOffsetsToTxnRequest,
    response: addOffsetsToTxnResponse,

    async handle({ transactionalId, producerId, producerEpoch, groupId }, { apiVersion }) {
      const partitions = [{ topic: GROUP_METADATA_TOPIC, partition: deps.groups.partitionFor(groupId) }];
      const producer = { transactionalId, producerId, producerEpoch };
      try {
        await deps.transactions.addPartitions({ ...producer, partitions, clientVersion: 0 });
        return { throttleTimeMs: 0, errorCode: ErrorCodes.NONE };
      } catch (failure) {
        const errorCode = fencedErrorFor(errorCodeOf(failure), apiVersion >= FENCED_VERSION);
        return { throttleTimeMs: 0, errorCode };
      }
    },

    errorResponse: (_request, errorCode) => ({ throttleTimeMs: 0, errorCode }),
  };
}
