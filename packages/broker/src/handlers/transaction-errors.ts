import { ErrorCodes } from '@ottla/protocol';

/** Older clients do not know PRODUCER_FENCED; they were told INVALID_PRODUCER_EPOCH. */
export function fencedErrorFor(errorCode: number, knowsFenced: boolean): number {
  const isUnknown = errorCode === ErrorCodes.PRODUCER_FENCED && !knowsFenced;
  return isUnknown ? ErrorCodes.INVALID_PRODUCER_EPOCH : errorCode;
}
