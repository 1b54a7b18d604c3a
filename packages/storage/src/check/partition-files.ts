import type { Disk } from '@ottla/platform';
import { planTidying, withoutSwap } from '../files/leftover-files.ts';
import {
  INDEX_SUFFIX,
  LOG_SUFFIX,
  offsetFromName,
  offsetName,
  SNAPSHOT_SUFFIX,
  TIME_INDEX_SUFFIX,
  TXN_INDEX_SUFFIX,
} from '../files/log-files.ts';

/** The files of a segment, by the names that they have now. */
export interface SegmentFiles {
  readonly baseOffset: number;
  readonly log: string;
  readonly sizeInBytes: number;
  readonly offsetIndex: string;
  readonly timeIndex: string;
  readonly txnIndex: string;
}

/** What a start will find in the folder of a partition, after it has put in order what the last run left behind. */
export interface PartitionFiles {
  readonly segments: readonly SegmentFiles[];
  readonly snapshots: readonly { readonly offset: number; readonly path: string }[];
  /** Names that the start removes. */
  readonly removed: readonly string[];
  /** Names that it renames, in the place of some of those. */
  readonly swapped: readonly string[];
}

/** Lists the files of a partition as the next start will see them; nothing is changed. */
export function partitionFiles(disk: Disk, folder: string): PartitionFiles {
  const plan = planTidying(disk, folder);
  const gone = new Set([...plan.removed, ...plan.swapped]);
  const paths = new Map<string, string>();
  for (const name of disk.listSync(folder)) if (!gone.has(name)) paths.set(name, `${folder}/${name}`);
  for (const name of plan.swapped) paths.set(withoutSwap(name), `${folder}/${name}`);
  const offsetsOf = (suffix: string): number[] =>
    [...paths.keys()]
      .filter((name) => name.endsWith(suffix) && name.length === 20 + suffix.length)
      .map(offsetFromName)
      .filter((offset) => offset !== null)
      .toSorted((left, right) => left - right);
  const pathOf = (offset: number, suffix: string): string => {
    const name = offsetName(offset) + suffix;
    return paths.get(name) ?? `${folder}/${name}`;
  };
  return {
    segments: offsetsOf(LOG_SUFFIX).map((baseOffset) => {
      const log = pathOf(baseOffset, LOG_SUFFIX);
      return {
        baseOffset,
        log,
        sizeInBytes: disk.sizeSync(log),
        offsetIndex: pathOf(baseOffset, INDEX_SUFFIX),
        timeIndex: pathOf(baseOffset, TIME_INDEX_SUFFIX),
        txnIndex: pathOf(baseOffset, TXN_INDEX_SUFFIX),
      };
    }),
    snapshots: offsetsOf(SNAPSHOT_SUFFIX).map((offset) => ({
      offset,
      path: pathOf(offset, SNAPSHOT_SUFFIX),
    })),
    removed: plan.removed,
    swapped: plan.swapped,
  };
}
