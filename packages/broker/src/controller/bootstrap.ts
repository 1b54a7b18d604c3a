import type { Disk } from '@ottla/platform';
import { decodeMetadataRecord, encodeMetadataRecord, metadataRecord } from '../metadata/records.ts';
import type { MetadataRecord } from '../metadata/records.ts';
import { BOOTSTRAP_FEATURES } from './features.ts';
import {
  encodeMetadataBatch,
  MetadataBatchReader,
  snapshotFooter,
  snapshotHeader,
} from './metadata-batches.ts';

/** The records of `bootstrap.checkpoint`: the feature levels that the directory was formatted with. */
function bootstrapRecords(): MetadataRecord[] {
  return BOOTSTRAP_FEATURES.map(([name, featureLevel]) =>
    metadataRecord('FeatureLevelRecord', { name, featureLevel }),
  );
}

/**
 * The first records of a new metadata log, as one metadata transaction (KIP-868): the bootstrap records and, because
 * eligible leader replicas are on, the cluster-wide `min.insync.replicas` that Kafka pins with them (KIP-966).
 */
export function firstRecords(
  bootstrap: readonly MetadataRecord[],
  minInSyncReplicas: number,
): MetadataRecord[] {
  const withElr = bootstrap.some(
    (record) =>
      record.type === 'FeatureLevelRecord' &&
      record.data.name === 'eligible.leader.replicas.version' &&
      record.data.featureLevel > 0,
  );
  const records = [metadataRecord('BeginTransactionRecord', { name: 'Bootstrap records' }), ...bootstrap];
  if (withElr) {
    records.push(
      metadataRecord('ConfigRecord', {
        resourceType: 4,
        resourceName: '',
        name: 'min.insync.replicas',
        value: String(minInSyncReplicas),
      }),
    );
  }
  records.push(metadataRecord('EndTransactionRecord', {}));
  return records;
}

/** The file beside the metadata log that says what the cluster was formatted with. */
const BOOTSTRAP_CHECKPOINT = 'bootstrap.checkpoint';

/**
 * Reads `bootstrap.checkpoint` of a log directory, or writes the one that `kafka-storage format` would have written.
 * Throws when the file is damaged.
 */
export function ensureBootstrapCheckpoint(disk: Disk, logDir: string, nowMs: number): MetadataRecord[] {
  const path = `${logDir}/${BOOTSTRAP_CHECKPOINT}`;
  if (disk.existsSync(path)) {
    const reader = new MetadataBatchReader(disk.readFileSync(path));
    const records: MetadataRecord[] = [];
    for (let batch = reader.next(); batch !== null; batch = reader.next()) {
      for (const value of batch.values) records.push(decodeMetadataRecord(value));
    }
    if (reader.problem === null) return records;
    throw new Error(
      `Bootstrap snapshot "${path}" is damaged at position ${reader.position}: ${reader.problem}`,
    );
  }
  const records = bootstrapRecords();
  const about = { epoch: 0, timestampMs: nowMs };
  const content = Buffer.concat([
    encodeMetadataBatch({ ...about, baseOffset: 0 }, { control: [snapshotHeader(0)] }),
    encodeMetadataBatch({ ...about, baseOffset: 1 }, { values: records.map(encodeMetadataRecord) }),
    encodeMetadataBatch({ ...about, baseOffset: 1 + records.length }, { control: [snapshotFooter()] }),
  ]);
  disk.replaceFileSync(path, content);
  return records;
}
