import { ErrorCodes } from '@ottla/protocol';
import { NO_ASSIGNMENT, metadataFor, type ClassicMember } from './classic/classic-group.ts';
import type { DescribedGroup, DescribedMember, ListedGroup, ListFilters } from './group-query-types.ts';
import type { GroupState } from './group-state.ts';

/** The groups of a shard, of every kind, that pass both filters. */
export function listGroups(state: GroupState, filters: ListFilters): ListedGroup[] {
  // Kafka finds streams groups that are not ready by "not_ready" alone, and lists them as "NotReady": both find them here.
  const states = new Set(
    filters.states.map((name) =>
      name
        .toLowerCase()
        .trim()
        .replace(/^not_ready$/, 'notready'),
    ),
  );
  const types = new Set(filters.types.map((name) => name.toLowerCase()));
  const listed: ListedGroup[] = [];
  for (const groupId of state.groupIds()) {
    const group = state.view(groupId);
    if (group === undefined) continue;
    const { kind, stateName, protocolType } = group;
    if (states.size > 0 && !states.has(stateName.toLowerCase())) continue;
    if (types.size > 0 && !types.has(kind)) continue;
    listed.push({ groupId, protocolType, groupState: stateName, groupType: kind });
  }
  return listed;
}

/** A classic group with its members; subscriptions and the protocol only while it is stable. Any other is Dead. */
export function describeGroup(state: GroupState, groupId: string): DescribedGroup {
  const group = state.classicGroup(groupId);
  if (group === undefined) {
    return {
      ...describedError(groupId, ErrorCodes.GROUP_ID_NOT_FOUND),
      errorMessage: `Group ${groupId} ${state.kindOf(groupId) === undefined ? 'not found' : 'is not a classic group'}.`,
      groupState: 'Dead',
    };
  }
  const protocolName = group.state === 'Stable' ? group.protocolName : null;
  return {
    ...describedError(groupId, ErrorCodes.NONE),
    groupState: group.state,
    protocolType: group.protocolType ?? '',
    protocolData: protocolName ?? '',
    members: Array.from(group.members.values(), (member) => describeMember(member, protocolName)),
  };
}

/** What DescribeGroups says of a group that could not be looked up. */
export function describedError(groupId: string, errorCode: number): DescribedGroup {
  return {
    errorCode,
    errorMessage: null,
    groupId,
    groupState: '',
    protocolType: '',
    protocolData: '',
    members: [],
  };
}

function describeMember(member: ClassicMember, protocolName: string | null): DescribedMember {
  const { memberId, groupInstanceId, clientId, clientHost, assignment } = member;
  return {
    memberId,
    groupInstanceId,
    clientId,
    clientHost,
    memberMetadata: (protocolName === null ? undefined : metadataFor(member, protocolName)) ?? NO_ASSIGNMENT,
    memberAssignment: assignment,
  };
}
