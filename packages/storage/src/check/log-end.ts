import type { ProducerEntry } from '../producers/producer-entry.ts';
import type { ProblemList } from './log-problem.ts';
import type { OffsetOrder } from './offset-order.ts';
import type { PartitionFiles } from './partition-files.ts';
import { RESTORE, type KnownOffsets } from './start-outlook.ts';

export interface LogEnd {
  readonly files: PartitionFiles;
  readonly known: KnownOffsets;
  /** Where the log ends, as the next start will have it. */
  readonly endOffset: number;
  /** It ends after a whole batch: no damage at the end has been told of. */
  readonly isEndKnown: boolean;
  readonly order: OffsetOrder;
  readonly openTransactions: readonly ProducerEntry[];
}

/** What can be said when a log has been read to its end: gaps, the checkpoints that name it, transactions that are open. */
export function checkLogEnd(problems: ProblemList, end: LogEnd): void {
  checkGaps(problems, end);
  if (end.isEndKnown) checkLostEnd(problems, end);
  checkLogStart(problems, end);
  const { endOffset, known } = end;
  if (known.cleanerOffset !== null && end.isEndKnown && known.cleanerOffset > endOffset)
    problems.remark(
      'cleaner-offset',
      { offset: known.cleanerOffset },
      {
        problem: `The log was compacted up to offset ${known.cleanerOffset}, behind its end at ${endOffset}`,
        remedy: 'The cleaner begins anew with the beginning of the log',
      },
    );
  for (const { producerId, producerEpoch, currentTxnFirstOffset } of end.openTransactions)
    problems.remark(
      'transaction',
      { offset: currentTxnFirstOffset },
      {
        problem: `Producer ${producerId} (epoch ${producerEpoch}) has a transaction open since offset ${currentTxnFirstOffset}`,
        remedy:
          'Consumers of committed records wait there until its coordinator ends it; `ottla transactions find-hanging` ' +
          'shows whether one still knows of it',
      },
    );
}

/** Compaction leaves gaps everywhere; where segments have none inside, one between two of them is a loss. */
function checkGaps(problems: ProblemList, { order, known }: LogEnd): void {
  if (order.hasInnerGaps || known.cleanerOffset !== null) return;
  for (const { from, to } of order.gaps)
    problems.problem(
      'offsets',
      { offset: from },
      {
        problem: `Offsets ${from} to ${to - 1} are missing between two segments, and the log was not compacted`,
        remedy: `A start does not come across it; consumers jump over the gap. ${RESTORE}`,
      },
    );
}

/** The end itself looks whole: only the checkpoints know that there was more. */
function checkLostEnd(problems: ProblemList, { known, endOffset }: LogEnd): void {
  const { recoveryPoint, highWatermark } = known;
  if (recoveryPoint !== null && recoveryPoint > endOffset)
    problems.problem(
      'recovery-point',
      { offset: endOffset },
      {
        problem: `The log ends with offset ${endOffset}, and was durable up to ${recoveryPoint}: its end is missing`,
        remedy: `A start takes the log as it is and gives the offsets to new records. ${RESTORE}`,
      },
    );
  else if (highWatermark !== null && highWatermark > endOffset)
    problems.problem(
      'high-watermark',
      { offset: endOffset },
      {
        problem: `The log ends with offset ${endOffset}, and was committed up to ${highWatermark}: its end is missing`,
        remedy: `A start takes the log as it is and gives the offsets to new records. ${RESTORE}`,
      },
    );
}

function checkLogStart(problems: ProblemList, { known, endOffset, isEndKnown }: LogEnd): void {
  const { logStartOffset, highWatermark } = known;
  if (logStartOffset === null || logStartOffset <= endOffset || !isEndKnown) return;
  const isPossible = logStartOffset <= (highWatermark ?? 0);
  const text = {
    problem: `The log begins with offset ${logStartOffset} by the checkpoint, and ends with ${endOffset}`,
    remedy: isPossible
      ? `The next start removes what is there: the log begins anew with offset ${logStartOffset}`
      : `Nothing behind the high watermark ${highWatermark ?? 0} can have been deleted: the next start keeps the partition offline ` +
        '(Kafka removes what is there). Correct the offset, or remove its line and its count',
  };
  if (known.hadCleanShutdown || !isPossible) problems.problem('log-start', { offset: logStartOffset }, text);
  else problems.remark('log-start', { offset: logStartOffset }, text);
}
