import { CLEANED_SUFFIX, SWAP_SUFFIX } from '../files/log-files.ts';
import type { LogConfig } from '../log-config.ts';
import { LogSegment } from '../segments/log-segment.ts';
import type { SegmentList } from '../segments/segment-list.ts';
import type { LogContext } from './log-context.ts';

/** What the swap needs of its log; see `CompactionOwner`. */
export interface SwapOwner {
  readonly folder: string;
  readonly context: LogContext;
  readonly segments: SegmentList;
  config(): LogConfig;
  isUsable(): boolean;
  remove(segments: readonly LogSegment[]): void;
  add(segment: LogSegment): void;
}

/**
 * Puts the segment that compaction made in the place of those it was made from. At each point a power cut leaves
 * either the old segments, or the new one with a name by which the next start finishes the swap (`tidyFolder`):
 *
 *     0.log 100.log  0.log.cleaned       made, durable
 *     0.log 100.log  0.log.swap          renamed; the folder is synced
 *     0.log.swap (read by consumers)     the old ones are out; the folder is synced
 *     0.log                              renamed
 *
 * False when the log has changed meanwhile (retention, deletion): what was made is thrown away.
 */
export async function swapSegments(owner: SwapOwner, replaced: readonly number[]): Promise<boolean> {
  const { disk, pool, dir } = owner.context;
  const baseOffset = replaced[0]!;
  // After a crash recovery reads from the recovery point on and takes a gap in the offsets for a loss.
  await dir.checkpoint();
  const made = new LogSegment(owner.context, { ...options(owner, baseOffset), suffix: CLEANED_SUFFIX });
  // The old segments never give way to a file that somebody has removed.
  const isThere = disk.existsSync(made.path);
  if (!isThere || !owner.isUsable() || findReplaced(owner, replaced) === null) {
    for (const path of made.ownPaths()) disk.unlinkSync(path);
    return false;
  }
  renameAll(owner, made, { from: CLEANED_SUFFIX, to: SWAP_SUFFIX });
  await disk.syncFolder(owner.folder);
  const swap = new LogSegment(owner.context, { ...options(owner, baseOffset), suffix: SWAP_SUFFIX });
  const old = owner.isUsable() ? findReplaced(owner, replaced) : null;
  if (old === null) {
    // In a folder that was renamed or went offline they are of no use, nor in anybody's way.
    for (const path of swap.ownPaths()) disk.unlinkSync(path);
    return false;
  }
  owner.remove(old);
  owner.add(swap);
  await disk.syncFolder(owner.folder);
  if (!owner.isUsable() || !owner.segments.all().includes(swap)) return true;
  renameAll(owner, swap, { from: SWAP_SUFFIX, to: '' });
  for (const path of swap.ownPaths()) pool.drop(path);
  owner.segments.remove(swap);
  owner.segments.add(new LogSegment(owner.context, options(owner, baseOffset)));
  return true;
}

function options(owner: SwapOwner, baseOffset: number) {
  const nowMs = owner.context.clock.nowMs();
  return { folder: owner.folder, baseOffset, config: owner.config(), nowMs, jitterMs: 0 };
}

/** The segments to be replaced, if they are all still there and neighbours. */
function findReplaced({ segments }: SwapOwner, replaced: readonly number[]): LogSegment[] | null {
  const first = segments.floorSlot(replaced[0]!);
  const found: LogSegment[] = [];
  for (const [index, baseOffset] of replaced.entries()) {
    const segment = segments.at(first + index);
    if (segment?.baseOffset !== baseOffset || segment === segments.active) return null;
    found.push(segment);
  }
  return found;
}

function renameAll(
  { context: { disk } }: SwapOwner,
  segment: LogSegment,
  suffix: { from: string; to: string },
): void {
  for (const path of segment.ownPaths()) {
    if (!disk.existsSync(path)) continue;
    disk.renameSync(path, path.slice(0, path.length - suffix.from.length) + suffix.to);
  }
}
