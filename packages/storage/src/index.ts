export { DEFAULT_LOG_CONFIG, type LogConfig } from './log-config.ts';
export * from './errors.ts';
export type * from './types.ts';
export { Log } from './log.ts';
export { LogManager, type LoadProgress, type LogDirInfo, type LogManagerOptions } from './log-manager.ts';
