import type { Logger } from '@ottla/platform';
import { logLevel } from './constants.ts';

/** One line of the log, as kafkajs hands it to a log creator. */
export interface LogEntry {
  readonly namespace: string;
  readonly level: logLevel;
  readonly label: string;
  readonly log: { readonly timestamp: string; readonly message: string; readonly [key: string]: unknown };
}

export type logCreator = (level: logLevel) => (entry: LogEntry) => void;

/** The logger that `kafka.logger()` and the clients hand out. */
export interface KafkaJSLogger {
  info(message: string, extra?: object): void;
  error(message: string, extra?: object): void;
  warn(message: string, extra?: object): void;
  debug(message: string, extra?: object): void;
  namespace(namespace: string, level?: logLevel): KafkaJSLogger;
  setLogLevel(level: logLevel): void;
}

const LABELS: Readonly<Record<number, string>> = { 1: 'ERROR', 2: 'WARN', 4: 'INFO', 5: 'DEBUG' };

/** Lines of JSON, errors to the standard error: what kafkajs does when it is given no log creator. */
const printJson: logCreator = () => (entry) => {
  const { log, ...rest } = entry;
  const line = JSON.stringify({ level: rest.label, ...log, logger: `kafkajs${rest.namespace}` });
  if (entry.level === logLevel.ERROR) console.error(line);
  else if (entry.level === logLevel.WARN) console.warn(line);
  else console.log(line);
};

/** A kafkajs logger over a log creator. `timestamp` is the current time in ISO form. */
export function createLogger(options: {
  readonly level: logLevel;
  readonly create?: logCreator | undefined;
  readonly namespace?: string;
  readonly timestamp: () => string;
}): KafkaJSLogger {
  let level = options.level;
  const { namespace = '', timestamp } = options;
  const write = (options.create ?? printJson)(level);
  const at =
    (own: logLevel) =>
    (message: string, extra: object = {}): void => {
      if (own > level) return;
      write({
        namespace: namespace === '' ? '' : `[${namespace}]`,
        level: own,
        label: LABELS[own] ?? '',
        log: { timestamp: timestamp(), message, ...extra },
      });
    };
  return {
    error: at(logLevel.ERROR),
    warn: at(logLevel.WARN),
    info: at(logLevel.INFO),
    debug: at(logLevel.DEBUG),
    namespace: (inner, innerLevel) =>
      createLogger({
        ...options,
        level: innerLevel ?? level,
        namespace: namespace === '' ? inner : `${namespace}:${inner}`,
      }),
    setLogLevel: (next) => {
      level = next;
    },
  };
}

/** The client's own log lines, in the hands of a kafkajs logger. */
export function clientLogger(logger: KafkaJSLogger): Logger {
  return {
    debug: (fields, message) => logger.debug(message, fields),
    info: (fields, message) => logger.info(message, fields),
    warn: (fields, message) => logger.warn(message, fields),
    error: (fields, message) => logger.error(message, fields),
  };
}
