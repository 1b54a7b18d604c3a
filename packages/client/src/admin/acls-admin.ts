import { ErrorCodes } from '@ottla/protocol';
import type { CallLimits } from '../cluster/limits.ts';
import type { KafkaError } from '../errors/kafka-error.ts';
import { brokerError, throwIfError, errorOf } from '../errors/kafka-error.ts';
import { apis } from '../network/apis.ts';
import {
  ACL_OPERATIONS,
  ACL_PATTERN_TYPES,
  ACL_PERMISSIONS,
  ACL_RESOURCE_TYPES,
  nameAt,
  type AclOperation,
  type AclPatternType,
  type AclPermission,
  type AclResourceType,
} from './acl-names.ts';
import type { AdminRequests } from './admin-requests.ts';
import { valuesOrThrow, type PerItem } from './per-item.ts';

/** Who may (or may not) do what with what, from where. */
export interface AclBinding {
  readonly resourceType: AclResourceType;
  readonly resourceName: string;
  /** `PREFIXED` covers all names that begin with `resourceName`. */
  readonly patternType: AclPatternType;
  /** `User:alice`; `User:*` for everybody. */
  readonly principal: string;
  /** An address, or `*`. */
  readonly host: string;
  readonly operation: AclOperation;
  readonly permission: AclPermission;
}

/** What to look for: a member that is absent matches everything. */
export interface AclFilter {
  readonly resourceType?: AclResourceType;
  readonly resourceName?: string;
  /** `MATCH` finds everything that applies to the name: literal, prefixed and wildcard. Default: ANY. */
  readonly patternType?: AclPatternType;
  readonly principal?: string;
  readonly host?: string;
  readonly operation?: AclOperation;
  readonly permission?: AclPermission;
}

/** Access control lists. */
export class AclsAdmin {
  readonly #requests: AdminRequests;

  constructor(requests: AdminRequests) {
    this.#requests = requests;
  }

  /** The bindings that match. Throws SECURITY_DISABLED when the cluster has no authorizer. */
  describe(filter: AclFilter = {}, options: CallLimits = {}): Promise<AclBinding[]> {
    const request = { api: apis.describeAcls, body: filterBody(filter) };
    return this.#requests.ask('any', request, options, (answer) => {
      throwIfError(answer.errorCode, answer.errorMessage);
      return answer.resources.flatMap(({ resourceType, resourceName, patternType, acls }) =>
        acls.map((acl) => bindingOf({ resourceType, resourceName, patternType, ...acl })),
      );
    });
  }

  /** Creates bindings; throws the first error there is. Bindings that exist already are left alone. */
  async create(bindings: readonly AclBinding[], options: CallLimits = {}): Promise<void> {
    const results = await this.#requests.toController<AclBinding, undefined>(
      'Creating ACLs',
      bindings,
      options,
      async (pending, attempt) => {
        const body = {
          creations: pending.map((binding) => ({
            resourceType: ACL_RESOURCE_TYPES.indexOf(binding.resourceType),
            resourceName: binding.resourceName,
            resourcePatternType: ACL_PATTERN_TYPES.indexOf(binding.patternType),
            principal: binding.principal,
            host: binding.host,
            operation: ACL_OPERATIONS.indexOf(binding.operation),
            permissionType: ACL_PERMISSIONS.indexOf(binding.permission),
          })),
        };
        const answer = await this.#requests.send('controller', { api: apis.createAcls, body }, attempt);
        // Results come in the order of the question.
        return answer.results.map(({ errorCode, errorMessage }, index) => [
          pending[index]!,
          errorOf(errorCode, errorMessage, describeBinding(pending[index]!)),
        ]);
      },
    );
    valuesOrThrow(results);
  }

  /** Deletes the bindings that match each filter: an outcome for each filter, the bindings that are gone. */
  delete(filters: readonly AclFilter[], options: CallLimits = {}): Promise<PerItem<AclBinding[], AclFilter>> {
    return this.#requests.toController('Deleting ACLs', filters, options, async (pending, attempt) => {
      const body = { filters: pending.map(filterBody) };
      const answer = await this.#requests.send('controller', { api: apis.deleteAcls, body }, attempt);
      return answer.filterResults.map(({ errorCode, errorMessage, matchingAcls }, index) => {
        const failed = [{ errorCode, errorMessage }, ...matchingAcls].find(
          (each) => each.errorCode !== ErrorCodes.NONE,
        );
        const outcome: AclBinding[] | KafkaError =
          failed === undefined
            ? matchingAcls.map(bindingOf)
            : brokerError(failed.errorCode, failed.errorMessage);
        return [pending[index]!, outcome] as const;
      });
    });
  }
}

function describeBinding({
  principal,
  permission,
  operation,
  resourceType,
  resourceName,
}: AclBinding): string {
  return `${permission} ${operation} on ${resourceType} "${resourceName}" for ${principal}`;
}

interface BindingAnswer {
  readonly resourceType: number;
  readonly resourceName: string;
  readonly patternType: number;
  readonly principal: string;
  readonly host: string;
  readonly operation: number;
  readonly permissionType: number;
}

function bindingOf(answer: BindingAnswer): AclBinding {
  return {
    resourceType: nameAt(ACL_RESOURCE_TYPES, answer.resourceType),
    resourceName: answer.resourceName,
    patternType: nameAt(ACL_PATTERN_TYPES, answer.patternType),
    principal: answer.principal,
    host: answer.host,
    operation: nameAt(ACL_OPERATIONS, answer.operation),
    permission: nameAt(ACL_PERMISSIONS, answer.permissionType),
  };
}

function filterBody(filter: AclFilter): {
  resourceTypeFilter: number;
  resourceNameFilter: string | null;
  patternTypeFilter: number;
  principalFilter: string | null;
  hostFilter: string | null;
  operation: number;
  permissionType: number;
} {
  return {
    resourceTypeFilter: ACL_RESOURCE_TYPES.indexOf(filter.resourceType ?? 'ANY'),
    resourceNameFilter: filter.resourceName ?? null,
    patternTypeFilter: ACL_PATTERN_TYPES.indexOf(filter.patternType ?? 'ANY'),
    principalFilter: filter.principal ?? null,
    hostFilter: filter.host ?? null,
    operation: ACL_OPERATIONS.indexOf(filter.operation ?? 'ANY'),
    permissionType: ACL_PERMISSIONS.indexOf(filter.permission ?? 'ANY'),
  };
}
