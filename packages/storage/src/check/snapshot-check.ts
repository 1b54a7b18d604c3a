import type { Disk } from '@ottla/platform';
import type { ProducerEntry } from '../producers/producer-entry.ts';
import { decodeProducerSnapshot } from '../producers/producer-snapshot.ts';
import { contentProblem, type ProblemList } from './log-problem.ts';
import type { ProducerCheck } from './producer-check.ts';

interface SnapshotFile {
  readonly offset: number;
  readonly path: string;
}

export interface SnapshotCheckOptions {
  readonly problems: ProblemList;
  /** Whether a snapshot at that offset had been durable when the last run ended. */
  readonly isTrusted: (offset: number) => boolean;
}

/** Larger than any snapshot becomes: what is, is something else. */
const MAX_BYTES = 256 * 1024 * 1024;

/** Compares the snapshots of a log with its producers, each when the batches have come to its offset. */
export class SnapshotCheck {
  readonly #disk: Disk;
  readonly #options: SnapshotCheckOptions;
  readonly #files: readonly SnapshotFile[];
  #at = 0;

  /** `files` rise by their offsets. */
  constructor(disk: Disk, files: readonly SnapshotFile[], options: SnapshotCheckOptions) {
    this.#disk = disk;
    this.#files = files;
    this.#options = options;
  }

  /** The producers at the beginning of the log; null when no snapshot tells. Older ones are of no use to anybody. */
  begin(beginOffset: number): readonly ProducerEntry[] | null {
    while ((this.#files[this.#at]?.offset ?? Infinity) < beginOffset) this.#at++;
    const first = this.#files[this.#at];
    if (first?.offset !== beginOffset) return null;
    this.#at++;
    return this.#read(first);
  }

  /** The next batch begins with this offset. */
  before(offset: number, producers: ProducerCheck): void {
    for (let next = this.#files[this.#at]; next !== undefined && next.offset <= offset;) {
      this.#compare(next, producers);
      next = this.#files[++this.#at];
    }
  }

  /** The log ends before this offset. */
  end(offset: number, producers: ProducerCheck): void {
    this.before(offset, producers);
    const behind = this.#files[this.#at];
    if (behind === undefined) return;
    this.#options.problems.remark(
      'snapshot',
      { file: behind.path, offset: behind.offset },
      {
        problem: `The snapshot lies behind the end of the log, which is at offset ${offset}`,
        remedy: 'The next start removes it',
      },
    );
  }

  #compare(file: SnapshotFile, producers: ProducerCheck): void {
    const entries = this.#read(file);
    for (const problem of entries === null ? [] : producers.compare(file.offset, entries))
      this.#options.problems.problem(
        'snapshot',
        { file: file.path, offset: file.offset },
        {
          problem: `The snapshot of the producers differs from the log: ${problem}`,
          remedy:
            'A start that begins with it takes repetitions for new or new batches for wrong. Remove the file: ' +
            'a start goes back to the one before it',
        },
      );
  }

  #read({ offset, path }: SnapshotFile): readonly ProducerEntry[] | null {
    const { problems, isTrusted } = this.#options;
    try {
      const size = this.#disk.sizeSync(path);
      if (size > MAX_BYTES) throw new Error(`It has ${size} bytes, which no snapshot has`);
      return decodeProducerSnapshot(this.#disk.readFileSync(path));
    } catch (error) {
      const text = {
        problem: `The snapshot of the producers cannot be read: ${contentProblem(error)}`,
        remedy: 'A start that comes to it removes it and goes back to the one before it',
      };
      if (isTrusted(offset)) problems.problem('snapshot', { file: path, offset }, text);
      else problems.remark('snapshot', { file: path, offset }, text);
      return null;
    }
  }
}
