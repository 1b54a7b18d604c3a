/**
 * The logging port: facts as fields, one message for people. Pino's own call shape, so that the real logger needs no adapter.
 * Never pass record contents, passwords or whole requests.
 */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

const ignore = (): void => {};

/** For tests and for parts that run without a logger. */
export const SILENT_LOGGER: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };
