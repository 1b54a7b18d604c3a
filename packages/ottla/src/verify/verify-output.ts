import type { LogDirsReport, LogProblem, PartitionReport } from '@ottla/storage';
import { bytesText, type ProgressLine } from '../terminal/progress-line.ts';
import { RowStream } from '../terminal/row-stream.ts';
import type { OutputOptions } from '../cluster/run-on-cluster.ts';
import { counted } from '../terminal/counted.ts';

/** Prints findings as they are made, and a line for each partition. */
export class VerifyOutput {
  readonly #isForPeople: boolean;
  readonly #isQuiet: boolean;
  readonly #out: RowStream;
  readonly #progress: ProgressLine;
  /** What was handed out is written in this order, whenever there is room for it. */
  #written: Promise<void> = Promise.resolve();

  constructor(options: OutputOptions & { readonly quiet?: boolean }, progress: ProgressLine) {
    this.#isForPeople = options.json !== true && options.jsonl !== true;
    this.#isQuiet = options.quiet === true;
    this.#out = new RowStream(options);
    this.#progress = progress;
  }

  problem(found: LogProblem): void {
    if (this.#isQuiet && found.severity === 'remark') return;
    this.#row({ type: found.severity, ...found, severity: undefined }, inWords(found));
  }

  partition(report: PartitionReport): void {
    const { partition, problemCount, remarkCount, segmentCount, batchCount, recordCount, sizeInBytes } =
      report;
    if (this.#isQuiet && problemCount === 0) return;
    const state =
      problemCount > 0
        ? `${counted(problemCount, 'problem')}`
        : remarkCount > 0
          ? 'sound, see above'
          : 'sound';
    const size = `${counted(segmentCount, 'segment')}, ${counted(batchCount, 'batch')}, ${counted(recordCount, 'record')}, ${bytesText(sizeInBytes)}`;
    const range = `offsets ${report.logStartOffset} to ${report.logEndOffset}`;
    this.#row({ type: 'partition', ...report }, `${partition}: ${state}; ${size}, ${range}`);
  }

  async end(report: LogDirsReport): Promise<void> {
    this.#progress.clear();
    const { problemCount, remarkCount, partitionCount, recordCount, sizeInBytes } = report;
    const what = `${counted(partitionCount, 'partition')}, ${counted(recordCount, 'record')}, ${bytesText(sizeInBytes)}`;
    this.#row(
      { type: 'summary', ...report },
      `${problemCount === 0 ? 'Sound' : 'DAMAGED'}: ${what}; ${counted(problemCount, 'problem')}, ${counted(remarkCount, 'remark')}`,
    );
    await this.#written;
    await this.#out.end();
  }

  #row(row: Readonly<Record<string, unknown>>, text: string): void {
    this.#progress.clear();
    this.#written = this.#written.then(() =>
      this.#isForPeople ? this.#out.section(text) : this.#out.row(row),
    );
  }
}

/** A finding as people read it: where, what, and what follows. */
function inWords(found: LogProblem): string {
  const { dir, partition, file, position, offset } = found;
  const place = [
    ...(offset === null ? [] : [`offset ${offset}`]),
    ...(position === null ? [] : [`position ${position}`]),
  ];
  const where = `${file ?? (partition === null ? dir : `${dir}/${partition}`)}${place.length > 0 ? ` (${place.join(', ')})` : ''}`;
  const word = found.severity === 'problem' ? 'PROBLEM' : 'remark';
  return `${word} ${where}: ${found.problem}\n    ${found.remedy}`;
}
