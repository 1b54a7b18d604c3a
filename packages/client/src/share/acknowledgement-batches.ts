/** How a delivery ended, by KIP-932's names; `renew` keeps the record for longer (KIP-1222). */
export type AcknowledgeType = 'accept' | 'release' | 'reject' | 'renew';

/** Their numbers on the wire; a gap is an offset without a record. */
export const ACKNOWLEDGE_TYPES = { gap: 0, accept: 1, release: 2, reject: 3, renew: 4 } as const;

/** Consecutive offsets: one type for all of them, or one for each. */
export interface AcknowledgementBatch {
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly acknowledgeTypes: readonly number[];
}

/** Joins acknowledged offsets into runs, as few as possible. */
export function acknowledgementBatches(offsets: ReadonlyMap<number, number>): AcknowledgementBatch[] {
  const sorted = [...offsets].sort(([a], [b]) => a - b);
  const batches: { firstOffset: number; lastOffset: number; acknowledgeTypes: number[] }[] = [];
  for (const [offset, type] of sorted) {
    const last = batches.at(-1);
    if (last !== undefined && last.lastOffset + 1 === offset) {
      last.lastOffset = offset;
      last.acknowledgeTypes.push(type);
    } else batches.push({ firstOffset: offset, lastOffset: offset, acknowledgeTypes: [type] });
  }
  return batches.map(({ acknowledgeTypes, ...range }) => {
    const isUniform = acknowledgeTypes.every((type) => type === acknowledgeTypes[0]);
    return { ...range, acknowledgeTypes: isUniform ? acknowledgeTypes.slice(0, 1) : acknowledgeTypes };
  });
}
