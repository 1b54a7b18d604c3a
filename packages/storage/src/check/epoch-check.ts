import type { Disk } from '@ottla/platform';
import type { BatchSummary } from '@ottla/protocol';
import { LEADER_EPOCH_FILE } from '../files/log-files.ts';
import { parseCheckpoint } from '../files/offset-checkpoint.ts';
import { contentProblem, type ProblemList } from './log-problem.ts';

export interface EpochStart {
  readonly epoch: number;
  readonly startOffset: number;
}

/** The first entry of `leader-epoch-checkpoint` that does not rise with both columns; null when all do. */
export function disorderOf(entries: readonly EpochStart[]): string | null {
  for (const [index, entry] of entries.entries()) {
    const previous = entries[index - 1];
    if (previous === undefined) continue;
    if (entry.epoch <= previous.epoch || entry.startOffset <= previous.startOffset)
      return (
        `epoch ${entry.epoch} from offset ${entry.startOffset} on follows ` +
        `epoch ${previous.epoch} from offset ${previous.startOffset} on`
      );
  }
  return null;
}

/** Compares the leader epochs of batches, which come in the order of their offsets, with `leader-epoch-checkpoint`. */
export class EpochCheck {
  readonly #entries: readonly EpochStart[];
  #at = -1;
  #reported: string | null = null;

  constructor(entries: readonly EpochStart[]) {
    this.#entries = entries;
  }

  /** Takes in the next batch; returns what is wrong with its epoch, each thing once. */
  visit(batch: BatchSummary): EpochFault | null {
    const { partitionLeaderEpoch: epoch, baseOffset } = batch;
    if (epoch < 0) return null;
    while ((this.#entries[this.#at + 1]?.startOffset ?? Infinity) <= baseOffset) this.#at++;
    const entry = this.#entries[this.#at];
    if (entry?.epoch === epoch) return null;
    const isBefore = entry === undefined && this.#entries.length > 0;
    const problem =
      entry === undefined
        ? `no epoch stands for offset ${baseOffset}, whose batch has epoch ${epoch}`
        : `epoch ${entry.epoch} stands for offset ${baseOffset}, whose batch has epoch ${epoch}`;
    const key = `${entry?.epoch ?? 'none'} ${epoch}`;
    if (key === this.#reported) return null;
    this.#reported = key;
    return { problem, isBefore };
  }
}

export interface EpochFault {
  readonly problem: string;
  /** The batch is older than all that the file knows: deleted records, whose epochs go first. */
  readonly isBefore: boolean;
}

/** Reads `leader-epoch-checkpoint`; null, with the problem told of, when it makes no sense. */
export function readEpochs(disk: Disk, folder: string, problems: ProblemList): EpochCheck | null {
  const file = `${folder}/${LEADER_EPOCH_FILE}`;
  const tell = (problem: string, remedy: string): null => {
    problems.problem('leader-epoch', { file }, { problem, remedy });
    return null;
  };
  try {
    const lines = disk.existsSync(file)
      ? parseCheckpoint(file, disk.readFileSync(file).toString('utf8'), 2)
      : [];
    const entries = lines.map(([epoch, startOffset]) => ({
      epoch: Number(epoch),
      startOffset: Number(startOffset),
    }));
    const disorder = disorderOf(entries);
    if (disorder === null) return new EpochCheck(entries);
    return tell(
      `The leader epochs do not rise: ${disorder}`,
      'A start leaves out what contradicts a later entry',
    );
  } catch (error) {
    return tell(
      contentProblem(error),
      'A start keeps the partition offline and untouched (Kafka takes the directory offline). Remove the file if no other broker has a replica',
    );
  }
}
