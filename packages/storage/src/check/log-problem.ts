/** What a finding is about. */
export type ProblemKind =
  /** A batch that cannot be read: its CRC, its header, or where it ends. */
  | 'batch'
  /** Records that do not agree with the header of their batch, or cannot be read. */
  | 'records'
  /** Offsets that do not rise, lie in another segment, or are missing. */
  | 'offsets'
  /** The end of a log that a start cuts off. */
  | 'tail'
  | 'offset-index'
  | 'time-index'
  | 'transaction-index'
  /** The order of what an idempotent producer wrote. */
  | 'sequence'
  | 'snapshot'
  | 'transaction'
  | 'leader-epoch'
  | 'recovery-point'
  | 'high-watermark'
  | 'log-start'
  | 'cleaner-offset'
  | 'checkpoint'
  | 'topic-id'
  | 'meta-properties'
  | 'metadata-log'
  /** Files and folders that a run left behind. */
  | 'leftover'
  | 'folder'
  /** The disk refused to read. */
  | 'disk';

/** Something that a check of log directories has found. */
export interface LogProblem {
  /** A remark says what is unusual and harms nobody; everything else is damage, or leads to it. */
  readonly severity: 'problem' | 'remark';
  readonly kind: ProblemKind;
  readonly dir: string;
  /** Folder of the partition; null for what concerns the directory. */
  readonly partition: string | null;
  /** The file, with its folder; null where several or none are meant. */
  readonly file: string | null;
  /** Byte in the file. */
  readonly position: number | null;
  readonly offset: number | null;
  readonly problem: string;
  /** What happens at the next start, or what to do. */
  readonly remedy: string;
}

/** Where something was found. */
export interface ProblemPlace {
  readonly file?: string;
  readonly position?: number;
  readonly offset?: number;
}

/** What was found, and what follows. */
export interface ProblemText {
  readonly problem: string;
  readonly remedy: string;
}

/** So many of a kind are told of for each partition: more say nothing new, and a file of noise would give a million. */
const MAX_OF_A_KIND = 20;

/** Takes the findings of one partition, or of a directory as such. */
export class ProblemList {
  readonly dir: string;
  readonly partition: string | null;
  problemCount = 0;
  remarkCount = 0;
  readonly #report: (problem: LogProblem) => void;
  readonly #countOfKind = new Map<string, number>();

  constructor(
    { dir, partition }: { readonly dir: string; readonly partition: string | null },
    report: (problem: LogProblem) => void,
  ) {
    this.dir = dir;
    this.partition = partition;
    this.#report = report;
  }

  problem(kind: ProblemKind, place: ProblemPlace, text: ProblemText): void {
    this.problemCount++;
    this.#add({ severity: 'problem', kind, ...this.#placed(place), ...text });
  }

  remark(kind: ProblemKind, place: ProblemPlace, text: ProblemText): void {
    this.remarkCount++;
    this.#add({ severity: 'remark', kind, ...this.#placed(place), ...text });
  }

  #placed({ file, position, offset }: ProblemPlace) {
    return {
      dir: this.dir,
      partition: this.partition,
      file: file ?? null,
      position: position ?? null,
      offset: offset ?? null,
    };
  }

  #add(problem: LogProblem): void {
    const key = `${problem.severity} ${problem.kind}`;
    const count = (this.#countOfKind.get(key) ?? 0) + 1;
    this.#countOfKind.set(key, count);
    if (count <= MAX_OF_A_KIND) this.#report(problem);
  }
}

/** What is wrong with the content of a file, by the error of its reader. @throws the error when it is the disk's */
export function contentProblem(error: unknown): string {
  if (!(error instanceof Error) || typeof (error as NodeJS.ErrnoException).code === 'string') throw error;
  return error.message;
}
