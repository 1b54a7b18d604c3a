import type { MetadataRecord, MetadataRecordData } from './records.ts';
import { metadataRecord } from './records.ts';

/** Whom a quota is for: names by entity type (`user`, `client-id`, `ip`); null stands for all without one of their own. */
export type QuotaEntity = ReadonlyMap<string, string | null>;

/** The quotas of one entity by key, such as `producer_byte_rate`. */
export interface EntityQuotas {
  readonly entity: QuotaEntity;
  readonly values: ReadonlyMap<string, number>;
}

/** Quotas by {@link quotaEntityKey}. An entity without quotas is not in here. */
export type ClientQuotas = ReadonlyMap<string, EntityQuotas>;

/** An entity as one text, the same for the same parts in any order. */
export function quotaEntityKey(entity: QuotaEntity): string {
  return JSON.stringify([...entity].toSorted(([left], [right]) => (left < right ? -1 : 1)));
}

/** Installs a record in quotas that nobody else has; what they hold of an entity is replaced, never changed. */
export function changeQuotas(
  quotas: Map<string, EntityQuotas>,
  data: MetadataRecordData<'ClientQuotaRecord'>,
): void {
  const entity = new Map(data.entity.map(({ entityType, entityName }) => [entityType, entityName]));
  const key = quotaEntityKey(entity);
  const values = new Map(quotas.get(key)?.values);
  if (data.remove) values.delete(data.key);
  else values.set(data.key, data.value);
  if (values.size > 0) quotas.set(key, { entity, values });
  else quotas.delete(key);
}

/** The records that rebuild the quotas from nothing. */
export function* quotaRecords(quotas: ClientQuotas): Iterable<MetadataRecord> {
  for (const { entity, values } of quotas.values()) {
    for (const [key, value] of values) yield quotaRecord(entity, key, value);
  }
}

/** The record that sets a quota, or with null takes it away. */
export function quotaRecord(entity: QuotaEntity, key: string, value: number | null): MetadataRecord {
  return metadataRecord('ClientQuotaRecord', {
    entity: Array.from(entity, ([entityType, entityName]) => ({ entityType, entityName })),
    key,
    value: value ?? 0,
    remove: value === null,
  });
}
