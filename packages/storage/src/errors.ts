/**
 * The errors of the log. `errorCode` is Kafka's code for the response; `message` may go to the client.
 */
export class LogError extends Error {
  override readonly name: string = 'LogError';
  readonly errorCode: number;
  constructor(errorCode: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.errorCode = errorCode;
  }
}

/** A batch refused because of single records (KIP-467): INVALID_RECORD or INVALID_TIMESTAMP. */
export class RecordValidationError extends LogError {
  override readonly name = 'RecordValidationError';
  readonly recordErrors: readonly { readonly batchIndex: number; readonly message: string }[];
  constructor(
    errorCode: number,
    message: string,
    recordErrors: readonly { readonly batchIndex: number; readonly message: string }[],
  ) {
    super(errorCode, message);
    this.recordErrors = recordErrors;
  }
}

/** OFFSET_OUT_OF_RANGE: a reader asks for what the log does not have any more, or not yet. */
export class OffsetOutOfRangeError extends LogError {
  override readonly name = 'OffsetOutOfRangeError';
  constructor(offset: number, log: { name: string; logStartOffset: number; logEndOffset: number }) {
    super(
      1,
      `Received request for offset ${offset} for partition ${log.name}, but we only have log segments upto ` +
        `${log.logEndOffset} with starting offset ${log.logStartOffset}`,
    );
  }
}

/** KAFKA_STORAGE_ERROR: the log directory is offline after a failed write, sync or read; `cause` has the system's error. */
export class LogDirOfflineError extends LogError {
  override readonly name = 'LogDirOfflineError';
  readonly dir: string;
  constructor(dir: string, cause: unknown) {
    super(56, `Log directory "${dir}" is offline after an error: ${reasonOf(cause)}`, { cause });
    this.dir = dir;
  }
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const isLimit = (cause as NodeJS.ErrnoException).code === 'EMFILE';
  return isLimit ? `${cause.message} (raise the limit of open files, ulimit -n, and restart)` : cause.message;
}

/** KAFKA_STORAGE_ERROR: a file of one log holds what it cannot hold; that log stays offline and as it is. */
export class DamagedLogError extends LogError {
  override readonly name: string = 'DamagedLogError';
  readonly file: string;
  /** `message` ends with the remedy. */
  constructor(file: string, message: string) {
    super(56, message);
    this.file = file;
  }
}

/** A batch that had been durable (it lies below the recovery point) fails its checks: data was damaged on disk. */
export class CorruptLogError extends DamagedLogError {
  override readonly name = 'CorruptLogError';
  readonly position: number;
  readonly offset: number;
  constructor(file: string, where: { position: number; offset: number; reason: string }) {
    super(
      file,
      `Log file "${file}" is damaged at position ${where.position} (offset ${where.offset}), below the recovery point: ` +
        `${where.reason}. Restore the file from a copy, or remove the partition's folder if a replica holds its data`,
    );
    this.position = where.position;
    this.offset = where.offset;
  }
}

/** A log directory cannot be used at all: locked, foreign, not writable. The message is the one line the user sees. */
export class LogDirUnusableError extends Error {
  override readonly name = 'LogDirUnusableError';
  readonly dir: string;
  constructor(dir: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.dir = dir;
  }
}
