import { ErrorCodes } from '@ottla/protocol';
import { NO_ASSIGNMENT, metadataFor, type ClassicMember } from './classic-group.ts';
import type { GroupState } from './group-state.ts';

/** A group as ListGroups shows it. */
export interface ListedGroup {
  readonly groupId: string;
  readonly protocolType: string;
  readonly groupState: string;
  readonly groupType: string;
}

/** A group as DescribeGroups shows it. */
export interface DescribedGroup {
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly groupId: string;
  readonly groupState: string;
  readonly protocolType: string;
  readonly protocolData: string;
  readonly members: readonly DescribedMember[];
}

export interface DescribedMember {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly memberMetadata: Buffer;
  readonly memberAssignment: Buffer;
}

const CLASSIC_TYPE = 'classic';

/** Filters are compared without regard to case; an empty one lets everything through. */
export interface ListFilters {
  readonly states: readonly string[];
  readonly types: readonly string[];
}

/** The groups of a shard that pass both filters. */
export function listGroups(state: GroupState, filters: ListFilters): ListedGroup[] {
  const states = new Set(filters.states.map((name) => name.toLowerCase().trim()));
  const typesPass =
    filters.types.length === 0 || filters.types.some((name) => name.toLowerCase() === CLASSIC_TYPE);
  const listed: ListedGroup[] = [];
  for (const groupId of typesPass ? state.groupIds() : []) {
    const group = state.group(groupId);
    if (group === undefined || (states.size > 0 && !states.has(group.state.toLowerCase()))) continue;
    listed.push({
      groupId,
      protocolType: group.protocolType ?? '',
      groupState: group.state,
      groupType: CLASSIC_TYPE,
    });
  }
  return listed;
}

/** A group with its members; subscriptions and the protocol only while it is stable. One that does not exist is Dead. */
export function describeGroup(state: GroupState, groupId: string): DescribedGroup {
  const group = state.group(groupId);
  if (group === undefined) {
    return {
      ...describedError(groupId, ErrorCodes.GROUP_ID_NOT_FOUND),
      errorMessage: `Group ${groupId} not found.`,
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
