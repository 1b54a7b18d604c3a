import { metadataRecord } from '../metadata/records.ts';
import type { MetadataRecord } from '../metadata/records.ts';
import { BOOTSTRAP_FEATURES } from './features.ts';

/** The records of `bootstrap.checkpoint`: the feature levels that the directory was formatted with. */
export function bootstrapRecords(): MetadataRecord[] {
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
