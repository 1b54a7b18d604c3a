import { ErrorCodes, type BatchSummary } from '@ottla/protocol';
import { LogError } from '../errors.ts';
import type { AppendOrigin } from '../types.ts';
import { isNextSequence, type ProducerBatch, type ProducerEntry } from './producer-entry.ts';

/** The batch that this one repeats, among the last five of its producer; null when it is new. */
export function findDuplicate(entry: ProducerEntry, batch: BatchSummary): ProducerBatch | null {
  if (batch.producerEpoch !== entry.producerEpoch) return null;
  for (const kept of entry.batches) {
    if (kept.firstSequence === batch.baseSequence && kept.lastSequence === batch.lastSequence) return kept;
  }
  return null;
}

/** @throws LogError INVALID_PRODUCER_EPOCH for a producer that a newer one with its id has replaced */
export function checkProducerEpoch(entry: ProducerEntry, producerEpoch: number, origin: AppendOrigin): void {
  if (origin === 'replication' || producerEpoch >= entry.producerEpoch) return;
  throw new LogError(
    ErrorCodes.INVALID_PRODUCER_EPOCH,
    `Epoch "${producerEpoch}" of producer "${entry.producerId}" is smaller than the last seen epoch "${entry.producerEpoch}"`,
  );
}

/** @throws LogError OUT_OF_ORDER_SEQUENCE_NUMBER when batches are missing before this one */
export function checkSequence(entry: ProducerEntry, producerEpoch: number, firstSequence: number): void {
  if (producerEpoch !== entry.producerEpoch) {
    // A new epoch begins at 0; a producer that is not known at all (its records may be gone by retention) begins anywhere.
    if (firstSequence === 0 || entry.producerEpoch === -1) return;
    throw new LogError(
      ErrorCodes.OUT_OF_ORDER_SEQUENCE_NUMBER,
      `Sequence number "${firstSequence}" for the new epoch "${producerEpoch}" of producer "${entry.producerId}" is invalid: ` +
        `a new epoch begins with 0 (current epoch "${entry.producerEpoch}")`,
    );
  }
  const last = entry.batches.at(-1)?.lastSequence ?? -1;
  if (isNextSequence(last, firstSequence)) return;
  throw new LogError(
    ErrorCodes.OUT_OF_ORDER_SEQUENCE_NUMBER,
    `Out of order sequence number for producer "${entry.producerId}": "${firstSequence}" (incoming), "${last}" (current end)`,
  );
}

/** @throws LogError INVALID_TXN_STATE when an open transaction is joined by a plain batch */
export function checkTransactional(entry: ProducerEntry, isTransactional: boolean): void {
  if (isTransactional || entry.currentTxnFirstOffset < 0) return;
  throw new LogError(
    ErrorCodes.INVALID_TXN_STATE,
    `Expected a transactional write from producer "${entry.producerId}", which has an open transaction since offset ` +
      `"${entry.currentTxnFirstOffset}"`,
  );
}

/** @throws LogError TRANSACTION_COORDINATOR_FENCED for a marker of a coordinator that was replaced */
export function checkCoordinatorEpoch(
  entry: ProducerEntry,
  coordinatorEpoch: number,
  origin: AppendOrigin,
): void {
  if (origin === 'replication' || entry.coordinatorEpoch <= coordinatorEpoch) return;
  throw new LogError(
    ErrorCodes.TRANSACTION_COORDINATOR_FENCED,
    `Coordinator epoch "${coordinatorEpoch}" for producer "${entry.producerId}" is smaller than the current "${entry.coordinatorEpoch}"`,
  );
}
