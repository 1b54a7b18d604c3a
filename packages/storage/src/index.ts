export { DEFAULT_LOG_CONFIG, type LogConfig } from './log-config.ts';
export * from './errors.ts';
export type * from './types.ts';
export { Log } from './log.ts';
export {
  LogManager,
  type CleanerOptions,
  type LoadProgress,
  type LogDirInfo,
  type LogManagerOptions,
} from './log-manager.ts';
export type { CleanError } from './cleaner/clean-error.ts';
export type { LogCleanerSettings } from './cleaner/log-cleaner.ts';
export { ThreadCleanRunner } from './cleaner/clean-runners.ts';
export { cleanerThreadUrl } from './cleaner/cleaner-thread-url.ts';
export type { VerificationGuard } from './verification-guards.ts';
