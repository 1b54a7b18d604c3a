import {
  ACL_OPERATIONS,
  ACL_PATTERN_TYPES,
  ACL_PERMISSIONS,
  ACL_RESOURCE_TYPES,
  nameAt,
} from '../admin/acl-names.ts';
import type { AclBinding, AclFilter as ClientAclFilter } from '../admin/acls-admin.ts';
import type { AclEntry, AclFilter } from './admin-types.ts';
import type {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  ResourcePatternTypes,
} from './constants.ts';

/** A rule by numbers, as kafkajs has it, in the client's names. */
export function bindingOf(entry: AclEntry): AclBinding {
  return {
    resourceType: nameAt(ACL_RESOURCE_TYPES, entry.resourceType),
    resourceName: entry.resourceName,
    patternType: nameAt(ACL_PATTERN_TYPES, entry.resourcePatternType),
    principal: entry.principal,
    host: entry.host,
    operation: nameAt(ACL_OPERATIONS, entry.operation),
    permission: nameAt(ACL_PERMISSIONS, entry.permissionType),
  };
}

/** The client's names as kafkajs's numbers. */
export function entryOf(binding: AclBinding): AclEntry {
  return {
    resourceType: ACL_RESOURCE_TYPES.indexOf(binding.resourceType) as AclResourceTypes,
    resourceName: binding.resourceName,
    resourcePatternType: ACL_PATTERN_TYPES.indexOf(binding.patternType) as ResourcePatternTypes,
    principal: binding.principal,
    host: binding.host,
    operation: ACL_OPERATIONS.indexOf(binding.operation) as AclOperationTypes,
    permissionType: ACL_PERMISSIONS.indexOf(binding.permission) as AclPermissionTypes,
  };
}

/** A filter by numbers in the client's names. */
export function filterOf(filter: AclFilter): ClientAclFilter {
  const { resourceName, principal, host } = filter;
  return {
    resourceType: nameAt(ACL_RESOURCE_TYPES, filter.resourceType),
    patternType: nameAt(ACL_PATTERN_TYPES, filter.resourcePatternType),
    operation: nameAt(ACL_OPERATIONS, filter.operation),
    permission: nameAt(ACL_PERMISSIONS, filter.permissionType),
    ...(resourceName !== undefined && { resourceName }),
    ...(principal !== undefined && { principal }),
    ...(host !== undefined && { host }),
  };
}
