/**
 * The numbers of access control on the wire and their names, Kafka's own.
 */
export const ACL_OPERATIONS = [
  'UNKNOWN',
  'ANY',
  'ALL',
  'READ',
  'WRITE',
  'CREATE',
  'DELETE',
  'ALTER',
  'DESCRIBE',
  'CLUSTER_ACTION',
  'DESCRIBE_CONFIGS',
  'ALTER_CONFIGS',
  'IDEMPOTENT_WRITE',
  'CREATE_TOKENS',
  'DESCRIBE_TOKENS',
  'TWO_PHASE_COMMIT',
] as const;

export const ACL_RESOURCE_TYPES = [
  'UNKNOWN',
  'ANY',
  'TOPIC',
  'GROUP',
  'CLUSTER',
  'TRANSACTIONAL_ID',
  'DELEGATION_TOKEN',
  'USER',
] as const;

export const ACL_PATTERN_TYPES = ['UNKNOWN', 'ANY', 'MATCH', 'LITERAL', 'PREFIXED'] as const;

export const ACL_PERMISSIONS = ['UNKNOWN', 'ANY', 'DENY', 'ALLOW'] as const;

/** What a rule allows or denies, by Kafka's names. */
export type AclOperation = (typeof ACL_OPERATIONS)[number];
/** What a rule is about, by Kafka's names. */
export type AclResourceType = (typeof ACL_RESOURCE_TYPES)[number];
/** How the name in a rule or filter is compared with that of a resource (KIP-290). */
export type AclPatternType = (typeof ACL_PATTERN_TYPES)[number];
/** Whether a rule allows or denies. */
export type AclPermission = (typeof ACL_PERMISSIONS)[number];

/** What brokers answer when nobody asked for operations. */
const NOT_ASKED = -2_147_483_648;

/** The operations in a bit field; undefined when they were not asked for. */
export function operationsOf(bits: number): AclOperation[] | undefined {
  if (bits === NOT_ASKED) return undefined;
  return ACL_OPERATIONS.filter((_, number) => number > 2 && (bits & (1 << number)) !== 0);
}

/** The name at a number; UNKNOWN for one that is newer than this client. */
export function nameAt<N extends string>(names: readonly N[], number: number): N {
  return names[number] ?? names[0]!;
}
