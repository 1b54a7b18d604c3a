import { ErrorCodes } from '@ottla/protocol';
import { ConfigResourceType } from '../metadata/image.ts';
import { metadataRecord } from '../metadata/records.ts';
import type { MetadataRecord } from '../metadata/records.ts';
import { bounded, OK, TOO_MANY_RECORDS } from './command.ts';
import type { CommandResult, CommandState } from './command.ts';
import { AlterConfigOp } from './controller.ts';
import type { ConfigChange, ConfigReplacement, ItemResult } from './controller.ts';

interface Resource {
  readonly resourceType: number;
  readonly resourceName: string;
}

/** IncrementalAlterConfigs: sets, deletes, appends to or subtracts from single keys. */
export function incrementalAlterConfigs(
  state: CommandState,
  command: { readonly changes: readonly ConfigChange[]; readonly validateOnly: boolean },
): CommandResult<ItemResult[]> {
  const records: MetadataRecord[] = [];
  const reply = command.changes.map((change): ItemResult => {
    const current = state.image.configs.get(change.resourceType, change.resourceName);
    const altered = new Map<string, string | null>();
    for (const operation of change.operations) {
      const value = newValue(state, change, { ...operation, current: current.get(operation.name) ?? null });
      if (typeof value === 'object' && value !== null) return value;
      altered.set(operation.name, value);
    }
    return alter(state, { ...change, altered }, records);
  });
  return bounded({ records, reply }, () => reply.map(() => TOO_MANY_RECORDS), command.validateOnly);
}

/** AlterConfigs: what is not named is removed. */
export function legacyAlterConfigs(
  state: CommandState,
  command: { readonly replacements: readonly ConfigReplacement[]; readonly validateOnly: boolean },
): CommandResult<ItemResult[]> {
  const records: MetadataRecord[] = [];
  const reply = command.replacements.map((replacement): ItemResult => {
    const altered = new Map<string, string | null>();
    for (const { name, value } of replacement.configs) altered.set(name, value);
    for (const name of state.image.configs.get(replacement.resourceType, replacement.resourceName).keys()) {
      if (!altered.has(name)) altered.set(name, null);
    }
    return alter(state, { ...replacement, altered }, records);
  });
  return bounded({ records, reply }, () => reply.map(() => TOO_MANY_RECORDS), command.validateOnly);
}

/** The value of one key after one operation; null: no override; an object: the refusal. */
function newValue(
  state: CommandState,
  resource: Resource,
  change: { name: string; operation: number; value: string | null; current: string | null },
): string | null | ItemResult {
  const { name, operation, value, current } = change;
  if (operation === AlterConfigOp.set) return value;
  if (operation === AlterConfigOp.delete) return null;
  const { configs } = state.rules;
  const word = operation === AlterConfigOp.append ? 'APPEND' : 'SUBTRACT';
  if (!configs.isList(resource.resourceType, name)) {
    return {
      errorCode: ErrorCodes.INVALID_CONFIG,
      errorMessage: `Can't ${word} to key ${name} because its type is not LIST.`,
    };
  }
  const start = current ?? configs.inheritedValue(resource.resourceType, resource.resourceName, name) ?? '';
  const parts = start === '' ? [] : start.split(',');
  for (const part of (value ?? '').split(',')) {
    const index = parts.indexOf(part);
    if (operation === AlterConfigOp.append && index < 0) parts.push(part);
    if (operation === AlterConfigOp.subtract && index >= 0) parts.splice(index, 1);
  }
  return parts.join(',');
}

/** Checks the resource with the altered keys and adds the records for them. */
function alter(
  state: CommandState,
  change: Resource & { readonly altered: ReadonlyMap<string, string | null> },
  records: MetadataRecord[],
): ItemResult {
  const { resourceType, resourceName, altered } = change;
  const current = state.image.configs.get(resourceType, resourceName);
  const after = new Map(current);
  for (const [name, value] of altered) {
    if (value === null) after.delete(name);
    else after.set(name, value);
  }
  const refusal = state.rules.configs.validate(resourceType, resourceName, after);
  if (refusal !== null) return refusal;
  if (resourceType === ConfigResourceType.topic && !state.image.topics.byName.has(resourceName)) {
    return {
      errorCode: ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION,
      errorMessage: `The topic '${resourceName}' does not exist.`,
    };
  }
  for (const [name, value] of altered) {
    // An unchanged broker config is written all the same: it makes brokers reload files such as key stores (KAFKA-14136).
    const unchanged = (current.get(name) ?? null) === value;
    if (unchanged && resourceType !== ConfigResourceType.broker) continue;
    records.push(metadataRecord('ConfigRecord', { resourceType, resourceName, name, value }));
  }
  return OK;
}
