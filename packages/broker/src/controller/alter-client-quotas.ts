import { ErrorCodes, errorMessage } from '@ottla/protocol';
import { quotaEntityKey, quotaRecord, type QuotaEntity } from '../metadata/client-quotas-image.ts';
import type { MetadataRecord } from '../metadata/records.ts';
import { bounded, OK, type CommandResult, type CommandState } from './command.ts';
import type { AlterQuotasCommand, ItemResult, QuotaOperation, QuotaResult } from './controller.ts';

/** Kafka's types of entities. */
export const QuotaEntityType = { user: 'user', clientId: 'client-id', ip: 'ip' } as const;

const entityTypes: ReadonlySet<string> = new Set(Object.values(QuotaEntityType));

type NumberType = 'long' | 'int' | 'double';

/** The keys of quotas of users and clients. */
const userKeys: ReadonlyMap<string, NumberType> = new Map([
  ['producer_byte_rate', 'long'],
  ['consumer_byte_rate', 'long'],
  ['request_percentage', 'double'],
  ['controller_mutation_rate', 'double'],
]);

/** The keys of quotas of addresses. */
const ipKeys: ReadonlyMap<string, NumberType> = new Map([['connection_creation_rate', 'int']]);

const MAX_INT = 2 ** 31 - 1;
const MAX_LONG = 2 ** 63;

/** How far from a whole number Kafka takes a value for one. */
const EPSILON = 1e-6;

/** AlterClientQuotas (KIP-546): each entity succeeds or fails alone, with all of its keys. */
export function alterClientQuotas(
  state: CommandState,
  command: AlterQuotasCommand,
): CommandResult<QuotaResult[]> {
  const records: MetadataRecord[] = [];
  const results = new Map<string, QuotaResult>();
  for (const { entity, operations } of command.entries) {
    const key = quotaEntityKey(entity);
    const isTwice = new Set(operations.map((operation) => operation.key)).size < operations.length;
    if (results.has(key) || isTwice) {
      // What the first of them did stays done, as in Kafka.
      results.set(key, { entity, ...invalid(`Ignoring duplicate entity ${entityText(entity)}`) });
      continue;
    }
    const refusal = entityRefusal(entity, command.unresolvable) ?? operationsRefusal(entity, operations);
    results.set(key, { entity, ...(refusal ?? OK) });
    if (refusal !== null) continue;
    const current = state.image.clientQuotas.get(key)?.values;
    for (const operation of operations) {
      const before = current?.get(operation.key) ?? null;
      if (Object.is(before, operation.value)) continue;
      records.push(quotaRecord(entity, operation.key, operation.value));
    }
  }
  const errorCode = ErrorCodes.POLICY_VIOLATION;
  const tooMany = { errorCode, errorMessage: errorMessage(errorCode) };
  const reply = [...results.values()];
  return bounded(
    { records, reply },
    () => reply.map(({ entity }) => ({ entity, ...tooMany })),
    command.validateOnly,
  );
}

function entityRefusal(entity: QuotaEntity, unresolvable: ReadonlySet<string>): ItemResult | null {
  if (entity.size === 0) return invalid('Invalid empty client quota entity');
  for (const [type, name] of entity) {
    if (!entityTypes.has(type)) return invalid(`Unhandled client quota entity type: ${type}`);
    if (name === '') return invalid(`Empty ${type} not supported`);
  }
  const ip = entity.get(QuotaEntityType.ip);
  if (ip === undefined) return null;
  if (entity.size > 1) {
    return invalid('Invalid quota entity combination, IP entity shouldnot be combined with User or ClientId');
  }
  if (ip === null || !unresolvable.has(ip)) return null;
  return invalid(`${ip} is not a valid IP or resolvable host.`);
}

function operationsRefusal(entity: QuotaEntity, operations: readonly QuotaOperation[]): ItemResult | null {
  const keys = entity.has(QuotaEntityType.ip) ? ipKeys : userKeys;
  for (const { key, value } of operations) {
    if (value === null) continue;
    const problem = valueProblem(keys.get(key), key, value);
    if (problem !== null) return invalid(problem);
  }
  return null;
}

function valueProblem(type: NumberType | undefined, key: string, value: number): string | null {
  if (type === undefined) return `Invalid configuration key ${key}`;
  if (value <= 0) return `Quota ${key} must be greater than 0`;
  if (type === 'double') return null;
  if (value > (type === 'int' ? MAX_INT : MAX_LONG)) {
    return `Proposed value for ${key} is too large for ${type === 'int' ? 'an INT' : 'a LONG'}.`;
  }
  const isFractional = Math.abs(Math.trunc(value + EPSILON) - value) > EPSILON;
  return isFractional ? `${key} cannot be a fractional value.` : null;
}

function entityText(entity: QuotaEntity): string {
  const parts = Array.from(entity, ([type, name]) => `${type}=${name ?? 'null'}`);
  return `ClientQuotaEntity(entries={${parts.join(', ')}})`;
}

function invalid(message: string): ItemResult {
  return { errorCode: ErrorCodes.INVALID_REQUEST, errorMessage: message };
}
