import type { EntityQuotas, QuotaEntity } from '../metadata/client-quotas-image.ts';

/**
 * Kafka lists the parts of an entity and its quotas as they lie in its hash tables. Programs compare whole answers, so ours
 * stand in the same order; that of quotas depends on how many there are. (Two that fall into the same place stand in the
 * order in which they were set, which is not imitated.)
 */
const partOrder = ['client-id', 'user', 'ip'];
const fewQuotas = [
  'connection_creation_rate',
  'consumer_byte_rate',
  'controller_mutation_rate',
  'request_percentage',
  'producer_byte_rate',
];
const manyQuotas = [
  'connection_creation_rate',
  'producer_byte_rate',
  'consumer_byte_rate',
  'controller_mutation_rate',
  'request_percentage',
];
/** More than so many lie in a table of eight places, fewer in one of four. */
const FEW = 3;

/** The parts of an entity as an answer lists them. */
export function listedEntity(entity: QuotaEntity): { entityType: string; entityName: string | null }[] {
  return inOrder(entity, partOrder).map(([entityType, entityName]) => ({ entityType, entityName }));
}

/** The quotas of an entity as an answer lists them. */
export function listedValues(values: EntityQuotas['values']): { key: string; value: number }[] {
  return inOrder(values, values.size > FEW ? manyQuotas : fewQuotas).map(([key, value]) => ({ key, value }));
}

function inOrder<T>(entries: ReadonlyMap<string, T>, order: readonly string[]): [string, T][] {
  return [...entries].toSorted(([left], [right]) => order.indexOf(left) - order.indexOf(right));
}
