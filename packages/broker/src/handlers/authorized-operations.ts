/** What Kafka says to whoever wants to change access rules where nothing would look at them. */
export const NO_AUTHORIZER = 'No Authorizer is configured.';

/** The bit field of a response whose request did not ask for it. */
export const OPERATIONS_NOT_REQUESTED = -2_147_483_648;

// Bit fields of KIP-430: bit N stands for Kafka's AclOperation N. Without an authorizer everybody may do everything that
// exists for the resource, and that is what Kafka answers.

/** Read, write, create, delete, alter, describe, describe configs, alter configs. */
export const ALL_TOPIC_OPERATIONS = bits([3, 4, 5, 6, 7, 8, 10, 11]);

/** Create, alter, describe, cluster action, describe configs, alter configs, idempotent write. */
export const ALL_CLUSTER_OPERATIONS = bits([5, 7, 8, 9, 10, 11, 12]);

/** Read, delete, describe, describe configs, alter configs. */
export const ALL_GROUP_OPERATIONS = bits([3, 6, 8, 10, 11]);

function bits(operations: readonly number[]): number {
  return operations.reduce((field, operation) => field | (1 << operation), 0);
}
