import { ErrorCodes } from '@ottla/protocol';
import { DeliveryState } from '../coordinator/share/share-state-types.ts';
import type { InFlightRuns, Target } from './in-flight-runs.ts';
import { AcknowledgeType, type AcknowledgementBatch, type ShareRefusal } from './share-partition-types.ts';

/** Where an acknowledgement leads; a release too many gives the record up. */
export function targetOf(type: number, deliveryCount: number, deliveryCountLimit: number): Target {
  switch (type) {
    case AcknowledgeType.accept:
      return { state: DeliveryState.acknowledged, deliveryCount };
    case AcknowledgeType.release:
      return {
        state: deliveryCount >= deliveryCountLimit ? DeliveryState.archived : DeliveryState.available,
        deliveryCount,
      };
    default:
      return { state: DeliveryState.archived, deliveryCount };
  }
}

/**
 * Whether the form of a partition's acknowledgements is right: ascending, not overlapping, and of types that exist; the
 * renewal only in requests that say so.
 */
export function checkForm(
  batches: readonly AcknowledgementBatch[],
  isRenewAllowed: boolean,
): ShareRefusal | null {
  let previousEnd = -1;
  for (const { firstOffset, lastOffset, acknowledgeTypes } of batches) {
    if (firstOffset > lastOffset || firstOffset < previousEnd || firstOffset < 0) return INVALID_REQUEST;
    if (acknowledgeTypes.length === 0) return INVALID_REQUEST;
    if (acknowledgeTypes.length > 1 && acknowledgeTypes.length !== lastOffset - firstOffset + 1)
      return INVALID_REQUEST;
    const highest = isRenewAllowed ? AcknowledgeType.renew : AcknowledgeType.reject;
    if (acknowledgeTypes.some((type) => type < AcknowledgeType.gap || type > highest)) return INVALID_REQUEST;
    previousEnd = lastOffset;
  }
  return null;
}

const INVALID_REQUEST: ShareRefusal = {
  errorCode: ErrorCodes.INVALID_REQUEST,
  errorMessage: null,
};

/** Whether all these offsets are locked by this member; those below the start offset are done with and count as right. */
export function checkAcknowledgements(
  runs: InFlightRuns,
  {
    memberId,
    batches,
    startOffset,
  }: {
    readonly memberId: string;
    readonly batches: readonly AcknowledgementBatch[];
    readonly startOffset: number;
  },
): ShareRefusal | null {
  const lastRun = runs.at(runs.length - 1);
  let previousEnd = -1;
  for (const { firstOffset, lastOffset } of batches) {
    if (firstOffset <= previousEnd) return wrongState(NOT_ACQUIRED);
    previousEnd = lastOffset;
    if (lastOffset < startOffset) continue;
    if (lastRun === undefined) return wrongState(NOT_IN_CACHE);
    if (firstOffset > lastRun.lastOffset)
      return invalid('Batch record not found. The first offset in request is past acquired records.');
    if (lastOffset > lastRun.lastOffset)
      return invalid('Batch record not found. The last offset in request is past acquired records.');
    for (let index = runs.indexOf(Math.max(firstOffset, startOffset)); ; index++) {
      const run = runs.at(index);
      if (run === undefined || run.firstOffset > lastOffset) break;
      if (run.state !== DeliveryState.acquired || run.transition !== null) return wrongState(NOT_ACQUIRED);
      if (run.memberId !== memberId) return wrongState('Member is not the owner of batch record');
    }
  }
  return null;
}

const NOT_IN_CACHE = 'Batch record not found. The request batch offsets are not found in the cache.';
const NOT_ACQUIRED = 'The offset cannot be acknowledged. The offset is not acquired.';

function wrongState(errorMessage: string): ShareRefusal {
  return { errorCode: ErrorCodes.INVALID_RECORD_STATE, errorMessage };
}

function invalid(errorMessage: string): ShareRefusal {
  return { errorCode: ErrorCodes.INVALID_REQUEST, errorMessage };
}
