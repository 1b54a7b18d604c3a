export { DEFAULT_LOG_CONFIG, type LogConfig } from './log-config.ts';
export * from './errors.ts';
export type * from './types.ts';
export { Log } from './log/log.ts';
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
export type { RecordMemory, RecordRoom } from './memory/tail-cache.ts';
// The controller's log lies beside the partitions, and has files of its own.
export * from './files/metadata-files.ts';
export { formatQuorumState, parseQuorumState, type QuorumState } from './files/quorum-state.ts';
// For tools that look at the files of a log directory while nobody serves them.
export { scanSegment, type BadBatch, type BatchSource, type BatchVisit } from './segments/batch-scanner.ts';
export {
  META_PROPERTIES_FILE,
  CLEAN_SHUTDOWN_FILE,
  readMetaProperties,
  readPartitionMetadata,
} from './files/dir-files.ts';
export { FilePool } from './files/file-pool.ts';
export * from './files/log-files.ts';
export { parseCheckpoint } from './files/offset-checkpoint.ts';
export { OffsetIndex } from './indexes/offset-index.ts';
export { decodeProducerSnapshot } from './producers/producer-snapshot.ts';
export { TimeIndex } from './indexes/time-index.ts';
export { TransactionIndex } from './indexes/transaction-index.ts';
export {
  offsetIndexEntries,
  OffsetIndexCheck,
  timeIndexEntries,
  TimeIndexCheck,
  type IndexFault,
} from './check/index-checks.ts';
export {
  checkLogDirs,
  lockedDirs,
  type LogDirsCheckOptions,
  type LogDirsReport,
} from './check/check-log-dirs.ts';
export type { CheckProgress } from './check/check-log-dirs.ts';
export type { PartitionReport } from './check/check-partition.ts';
export type { LogProblem, ProblemKind } from './check/log-problem.ts';
