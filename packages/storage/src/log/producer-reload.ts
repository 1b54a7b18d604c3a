import type { ProducerSnapshots } from '../producers/producer-snapshots.ts';
import type { ProducerState } from '../producers/producer-state.ts';
import { readTransactionMarker } from '../producers/transaction-marker.ts';
import type { SegmentList } from '../segments/segment-list.ts';
import { walkSegmentSync } from '../segments/segment-walk.ts';

/** Sets the producers to what they were at `endOffset`: the newest snapshot below it, and the batches after that. */
export function reloadProducers(
  producers: ProducerState,
  files: { segments: SegmentList; snapshots: ProducerSnapshots },
  range: { logStartOffset: number; endOffset: number },
): void {
  const snapshot = files.snapshots.loadLatest(files.segments.first.baseOffset, range.endOffset);
  const from = snapshot?.offset ?? range.logStartOffset;
  producers.reset(from, snapshot?.entries ?? []);
  for (let slot = Math.max(0, files.segments.floorSlot(from)); slot < files.segments.length; slot++) {
    const segment = files.segments.at(slot)!;
    walkSegmentSync(segment, segment.offsetIndex.lookup(from).position, (batch, buffer) => {
      if (batch.baseOffset >= from) producers.apply(batch, readTransactionMarker(buffer, batch));
      return true;
    });
  }
  producers.mapEndOffset = range.endOffset;
}
