/** A failed compaction, as plain data that another thread can send. */
export interface CleanFailure {
  readonly message: string;
  /** The log holds what is no batch: trying again is no use. */
  readonly isDamage: boolean;
  /** Node's error code of a failed system call (`ENOSPC`, `EIO`, ...). */
  readonly code?: string;
}

/** A compaction ended early; the log is as it was. */
export class CleanError extends Error implements CleanFailure {
  override readonly name = 'CleanError';
  readonly isDamage: boolean;
  readonly code?: string;

  constructor(message: string, facts: { isDamage: boolean; code?: string }, options?: ErrorOptions) {
    super(message, options);
    this.isDamage = facts.isDamage;
    if (facts.code !== undefined) this.code = facts.code;
  }
}

/** What failed while segments were read and written: the system with its code, or the bytes in the log. */
export function cleanError(error: unknown): CleanError {
  if (error instanceof CleanError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const code = (error as NodeJS.ErrnoException | null)?.code;
  const facts = typeof code === 'string' ? { isDamage: false, code } : { isDamage: true };
  return new CleanError(message, facts, { cause: error });
}
