import type { Logger } from '@ottla/platform';

type Level = 'debug' | 'info' | 'warn' | 'error';
/** What `--log-level` may be, from the most talkative down. */
export const LOG_LEVELS: readonly string[] = ['debug', 'info', 'warn', 'error', 'silent'];

/** A logger whose lines reach stderr once pino is loaded. */
export interface DeferredLogger extends Logger {
  /** Loads pino and writes what was logged so far. Called when the broker is ready or has failed, so that it costs no start time. */
  attach(): Promise<void>;
}

/** Lines kept before pino is there; a start logs a handful. */
const MAX_DEFERRED_LINES = 1_000;

/** JSON lines on stderr, made readable on a terminal. */
export function createLogger(level: string): DeferredLogger {
  let target: Logger | null = null;
  let deferred: { level: Level; fields: object; message: string }[] = [];
  const log =
    (lineLevel: Level) =>
    (fields: object, message: string): void => {
      if (target !== null) target[lineLevel](fields, message);
      else if (deferred.length < MAX_DEFERRED_LINES) deferred.push({ level: lineLevel, fields, message });
    };
  return {
    debug: log('debug'),
    info: log('info'),
    warn: log('warn'),
    error: log('error'),
    async attach() {
      if (target !== null) return;
      target = (await openPino(level)).logger;
      for (const line of deferred) target[line.level](line.fields, line.message);
      deferred = [];
    },
  };
}

/** Wrapped, because pino's own type has an index signature and would pass for a promise. */
async function openPino(level: string): Promise<{ readonly logger: Logger }> {
  const { pino } = await import('pino');
  // The process's own facts would be the same on every line.
  const options = { level, base: null };
  if (!process.stderr.isTTY) return { logger: pino(options, process.stderr) };
  const { default: pretty } = await import('pino-pretty');
  const colorize = process.env['NO_COLOR'] === undefined;
  return { logger: pino(options, pretty({ destination: 2, colorize, sync: true })) };
}
