import type { LogCleanerSettings } from '@ottla/storage';
import type { BrokerConfig } from './broker-config.ts';

/** The log cleaner's part of the configuration; all of it may change while the broker runs. */
export function cleanerSettings(config: BrokerConfig): LogCleanerSettings {
  return {
    backoffMs: config.get('log.cleaner.backoff.ms'),
    threads: config.get('log.cleaner.threads'),
    dedupeBufferBytes: config.get('log.cleaner.dedupe.buffer.size'),
    loadFactor: config.get('log.cleaner.io.buffer.load.factor'),
    maxBytesPerSecond: config.get('log.cleaner.io.max.bytes.per.second'),
  };
}
