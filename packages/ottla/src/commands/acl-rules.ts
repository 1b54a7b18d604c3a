import type { AclBinding, AclFilter, AclOperation, AclPatternType, AclResourceType } from '@ottla/client';
import { UsageError, type ClusterOptions } from '../cluster/run-on-cluster.ts';

/** What `ottla acls` takes, in the words of kafka-acls.sh. */
export interface AclOptions extends ClusterOptions {
  readonly topic: readonly string[];
  readonly group: readonly string[];
  readonly transactionalId: readonly string[];
  readonly delegationToken: readonly string[];
  readonly userPrincipal: readonly string[];
  readonly cluster?: boolean;
  readonly resourcePatternType?: string;
  readonly allowPrincipal: readonly string[];
  readonly denyPrincipal: readonly string[];
  readonly allowHost: readonly string[];
  readonly denyHost: readonly string[];
  readonly operation: readonly string[];
  readonly producer?: boolean;
  readonly idempotent?: boolean;
  readonly consumer?: boolean;
}

interface Resource {
  readonly resourceType: AclResourceType;
  readonly resourceName: string;
}

type Holder = Pick<AclBinding, 'principal' | 'host' | 'permission'>;

/** The one resource of type CLUSTER. */
const CLUSTER_NAME = 'kafka-cluster';

/** What can be done with a resource; an access rule for anything else would never be asked for. */
const OPERATIONS: Readonly<Partial<Record<AclResourceType, readonly AclOperation[]>>> = {
  TOPIC: ['READ', 'WRITE', 'CREATE', 'DELETE', 'ALTER', 'DESCRIBE', 'DESCRIBE_CONFIGS', 'ALTER_CONFIGS'],
  GROUP: ['READ', 'DESCRIBE', 'DELETE', 'DESCRIBE_CONFIGS', 'ALTER_CONFIGS'],
  CLUSTER: [
    'CREATE',
    'CLUSTER_ACTION',
    'DESCRIBE_CONFIGS',
    'ALTER_CONFIGS',
    'IDEMPOTENT_WRITE',
    'ALTER',
    'DESCRIBE',
  ],
  TRANSACTIONAL_ID: ['DESCRIBE', 'WRITE', 'TWO_PHASE_COMMIT'],
  DELEGATION_TOKEN: ['DESCRIBE'],
  USER: ['CREATE_TOKENS', 'DESCRIBE_TOKENS'],
};

/** The bindings that `acls add` makes. @throws UsageError for what makes no sense together */
export function bindingsOf(options: AclOptions): AclBinding[] {
  const patternType = patternTypeOf(options, 'LITERAL');
  if (patternType !== 'LITERAL' && patternType !== 'PREFIXED')
    throw new UsageError(
      `Pattern type "${patternType}" only finds; add with --resource-pattern-type literal or prefixed`,
    );
  const holders = holdersOf(options);
  if (holders.length === 0)
    throw new UsageError('Nobody is named: give --allow-principal or --deny-principal, as in User:alice');
  return rulesOf(options, holders, patternType);
}

function rulesOf(options: AclOptions, holders: readonly Holder[], patternType: AclPatternType): AclBinding[] {
  return grantsOf(options).flatMap(({ resource, operations }) =>
    operations.flatMap((operation) =>
      holders.map((holder) => ({
        ...resource,
        ...holder,
        operation,
        patternType: patternFor(resource, patternType),
      })),
    ),
  );
}

/** There is one cluster: no prefix of its name. */
function patternFor({ resourceType }: Resource, patternType: AclPatternType): AclPatternType {
  return resourceType === 'CLUSTER' ? 'LITERAL' : patternType;
}

/**
 * What `acls remove` looks for: everything of the resources, or what `acls add` with the same options adds.
 * @throws UsageError
 */
export function removalsOf(options: AclOptions): AclFilter[] {
  const patternType = patternTypeOf(options, 'LITERAL');
  const holders = holdersOf(options);
  const namesOperations =
    options.operation.length > 0 || options.producer === true || options.consumer === true;
  if (holders.length === 0 && namesOperations)
    throw new UsageError('Say whose: operations are removed with --allow-principal or --deny-principal');
  if (holders.length === 0)
    return resourcesOf(options).map((resource) => ({
      ...resource,
      patternType: patternFor(resource, patternType),
    }));
  return rulesOf(options, holders, patternType);
}

/** What `acls list` looks for: one filter for each resource and principal. */
export function filtersOf(options: AclOptions & { readonly principal: readonly string[] }): AclFilter[] {
  const found = resourcesIn(options);
  const patternType = patternTypeOf(options, found.length === 0 ? 'ANY' : 'LITERAL');
  const resources: readonly Partial<Resource>[] = found.length === 0 ? [{}] : found;
  const principals: readonly { principal?: string }[] =
    options.principal.length === 0 ? [{}] : options.principal.map((principal) => ({ principal }));
  return resources.flatMap((resource) =>
    principals.map((principal) => ({ ...resource, ...principal, patternType })),
  );
}

function holdersOf(options: AclOptions): Holder[] {
  const { allowPrincipal, denyPrincipal, allowHost, denyHost } = options;
  if (denyPrincipal.length > 0 && (options.producer === true || options.consumer === true))
    throw new UsageError('--producer and --consumer only allow: deny operations by --operation');
  for (const principal of [...allowPrincipal, ...denyPrincipal])
    if (!/^[^:]+:./.test(principal))
      throw new UsageError(`Principal "${principal}" has no type; write it as User:${principal}`);
  const of = (principals: readonly string[], hosts: readonly string[], permission: 'ALLOW' | 'DENY') =>
    principals.flatMap((principal) =>
      (hosts.length === 0 ? ['*'] : hosts).map((host) => ({ principal, host, permission })),
    );
  return [...of(allowPrincipal, allowHost, 'ALLOW'), ...of(denyPrincipal, denyHost, 'DENY')];
}

interface Grant {
  readonly resource: Resource;
  readonly operations: readonly AclOperation[];
}

function grantsOf(options: AclOptions): Grant[] {
  if (options.producer !== true && options.consumer !== true) {
    const asked = options.operation.length === 0 ? (['ALL'] as const) : options.operation.map(operationOf);
    return resourcesOf(options).map((resource) => ({
      resource,
      operations: asked.map((operation) => checked(operation, resource)),
    }));
  }
  if (options.operation.length > 0)
    throw new UsageError('--producer and --consumer name the operations; leave out --operation');
  return [
    ...(options.producer === true ? producerGrants(options) : []),
    ...(options.consumer === true ? consumerGrants(options) : []),
  ];
}

function producerGrants(options: AclOptions): Grant[] {
  if (options.topic.length === 0) throw new UsageError('--producer needs --topic');
  return [
    ...grants('TOPIC', options.topic, ['WRITE', 'DESCRIBE', 'CREATE']),
    ...grants('TRANSACTIONAL_ID', options.transactionalId, ['WRITE', 'DESCRIBE']),
    ...(options.idempotent === true ? grants('CLUSTER', [CLUSTER_NAME], ['IDEMPOTENT_WRITE']) : []),
  ];
}

function consumerGrants(options: AclOptions): Grant[] {
  if (options.topic.length === 0 || options.group.length === 0)
    throw new UsageError('--consumer needs --topic and --group');
  return [
    ...grants('TOPIC', options.topic, ['READ', 'DESCRIBE']),
    ...grants('GROUP', options.group, ['READ']),
  ];
}

function grants(
  resourceType: AclResourceType,
  names: readonly string[],
  operations: readonly AclOperation[],
): Grant[] {
  return names.map((resourceName) => ({ resource: { resourceType, resourceName }, operations }));
}

function resourcesOf(options: AclOptions): Resource[] {
  const resources = resourcesIn(options);
  if (resources.length === 0)
    throw new UsageError(
      'No resource is named: give --topic, --group, --cluster, --transactional-id, --delegation-token or --user-principal',
    );
  return resources;
}

function resourcesIn(options: AclOptions): Resource[] {
  const named = (resourceType: AclResourceType, names: readonly string[]) =>
    names.map((resourceName) => ({ resourceType, resourceName }));
  return [
    ...named('TOPIC', options.topic),
    ...named('GROUP', options.group),
    ...named('CLUSTER', options.cluster === true ? [CLUSTER_NAME] : []),
    ...named('TRANSACTIONAL_ID', options.transactionalId),
    ...named('DELEGATION_TOKEN', options.delegationToken),
    ...named('USER', options.userPrincipal),
  ];
}

/** Kafka's tool writes `DescribeConfigs`, the protocol `DESCRIBE_CONFIGS`; both are taken. */
function operationOf(text: string): AclOperation {
  const plain = text.replaceAll('_', '').toUpperCase();
  const known: readonly AclOperation[] = ['ALL', ...new Set(Object.values(OPERATIONS).flat())];
  const operation = known.find((each) => each.replaceAll('_', '') === plain);
  if (operation === undefined)
    throw new UsageError(`Operation "${text}" is unknown; there are ${known.join(', ')}`);
  return operation;
}

function checked(operation: AclOperation, { resourceType }: Resource): AclOperation {
  const possible = OPERATIONS[resourceType] ?? [];
  if (operation !== 'ALL' && !possible.includes(operation))
    throw new UsageError(
      `Operation ${operation} is none of a ${resourceType}; there are ALL, ${possible.join(', ')}`,
    );
  return operation;
}

function patternTypeOf(options: AclOptions, otherwise: AclPatternType): AclPatternType {
  const text = options.resourcePatternType;
  if (text === undefined) return otherwise;
  const known = (['ANY', 'MATCH', 'LITERAL', 'PREFIXED'] as const).find(
    (each) => each === text.toUpperCase(),
  );
  if (known === undefined)
    throw new UsageError(`Pattern type "${text}" is none of any, match, literal, prefixed`);
  return known;
}
