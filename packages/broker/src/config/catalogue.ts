import { brokerKeys as generalKeys } from './catalogue/broker.ts';
import { clientMetricsKeys } from './catalogue/client-metrics-keys.ts';
import { controllerKeys } from './catalogue/controller.ts';
import { groupCoordinatorKeys } from './catalogue/group-coordinator.ts';
import { groupKeys } from './catalogue/group-keys.ts';
import { logKeys } from './catalogue/log.ts';
import { metricsAndQuotasKeys } from './catalogue/metrics-and-quotas.ts';
import { networkKeys } from './catalogue/network.ts';
import { ottlaBrokerKeys, ottlaTopicKeys } from './catalogue/ottla-keys.ts';
import { remoteLogKeys } from './catalogue/remote-log.ts';
import { saslKeys } from './catalogue/sasl.ts';
import { securityKeys } from './catalogue/security.ts';
import { shareAndStreamsGroupsKeys } from './catalogue/share-and-streams-groups.ts';
import { topicKeys as kafkaTopicKeys } from './catalogue/topic-keys.ts';
import { transactionsKeys } from './catalogue/transactions.ts';
import type { ConfigKey, ConfigKeys, ConfigValuesOf } from './config-key.ts';

/** Every broker key of Kafka 4.3 and of Ottla. */
export const brokerKeys = {
  ...controllerKeys,
  ...networkKeys,
  ...logKeys,
  ...generalKeys,
  ...groupCoordinatorKeys,
  ...shareAndStreamsGroupsKeys,
  ...transactionsKeys,
  ...securityKeys,
  ...saslKeys,
  ...metricsAndQuotasKeys,
  ...remoteLogKeys,
  ...ottlaBrokerKeys,
} as const satisfies ConfigKeys;

/** Every topic key. */
export const topicKeys = { ...kafkaTopicKeys, ...ottlaTopicKeys } as const satisfies ConfigKeys;

export { clientMetricsKeys, groupKeys };

export type BrokerKeyName = keyof typeof brokerKeys;

/** The parsed broker configuration by key: `values['log.retention.ms']` is `number | null`. */
export type BrokerValues = ConfigValuesOf<typeof brokerKeys>;
export type TopicValues = ConfigValuesOf<typeof topicKeys>;
export type GroupValues = ConfigValuesOf<typeof groupKeys>;

/** Looks a declaration up by a name that may not exist. */
export function findKey(keys: ConfigKeys, name: string): ConfigKey | undefined {
  return Object.hasOwn(keys, name) ? keys[name] : undefined;
}

/** The declarations of a table as `[name, key]`, in the order of the table. */
export function keyEntries(keys: ConfigKeys): [name: string, key: ConfigKey][] {
  return Object.entries(keys);
}
