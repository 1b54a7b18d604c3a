/** File names inside `__cluster_metadata-0`. */

/** The folder of the metadata log inside its log directory. */
export const METADATA_FOLDER = '__cluster_metadata-0';

/** `00000000000000000042.log`: a segment by its first offset. */
export function segmentName(baseOffset: number): string {
  return `${String(baseOffset).padStart(20, '0')}.log`;
}

/** First offset of a segment file, null for other names. */
export function parseSegmentName(name: string): number | null {
  const match = /^(\d{20})\.log$/.exec(name);
  return match === null ? null : Number(match[1]);
}

/** What a snapshot contains: every record below `endOffset`, the last of them written in `epoch`. */
export interface SnapshotId {
  readonly endOffset: number;
  readonly epoch: number;
}

/** `00000000000000000042-0000000003.checkpoint`. */
export function snapshotName({ endOffset, epoch }: SnapshotId): string {
  return `${String(endOffset).padStart(20, '0')}-${String(epoch).padStart(10, '0')}.checkpoint`;
}

/** The identity of a snapshot file, null for other names (`.checkpoint.part`, `.checkpoint.deleted`). */
export function parseSnapshotName(name: string): SnapshotId | null {
  const match = /^(\d{20})-(\d{10})\.checkpoint$/.exec(name);
  return match === null ? null : { endOffset: Number(match[1]), epoch: Number(match[2]) };
}
