import type { GroupMetadataValue } from '@ottla/protocol';
import {
  NO_ASSIGNMENT,
  emptyGroup,
  metadataFor,
  type ClassicGroup,
  type ClassicMember,
} from './classic-group.ts';
import type { ClassicGroupRecord } from './classic-records.ts';
import { computeSubscribedTopics } from './subscribed-topics.ts';

/** The record of a group with the assignments given; members that have none get an empty one. */
export function groupMetadataRecord(
  group: ClassicGroup,
  assignments: ReadonlyMap<string, Buffer>,
): ClassicGroupRecord {
  return {
    type: 'group-metadata',
    key: { group: group.groupId },
    value: {
      protocolType: group.protocolType ?? '',
      generation: group.generationId,
      protocol: group.protocolName,
      leader: group.leaderId,
      currentStateTimestamp: group.stateTimestampMs,
      members: Array.from(group.members.values(), (member) => ({
        memberId: member.memberId,
        groupInstanceId: member.groupInstanceId,
        clientId: member.clientId,
        clientHost: member.clientHost,
        rebalanceTimeout: member.rebalanceTimeoutMs,
        sessionTimeout: member.sessionTimeoutMs,
        subscription: metadataFor(member, group.protocolName ?? '') ?? NO_ASSIGNMENT,
        assignment: assignments.get(member.memberId) ?? NO_ASSIGNMENT,
      })),
    },
  };
}

/** The record that makes a new group known before it has a generation. */
export function newGroupRecord(groupId: string, stateTimestampMs: number): ClassicGroupRecord {
  return groupMetadataRecord(emptyGroup(groupId, stateTimestampMs), new Map());
}

/** The record that deletes a group. */
export function groupTombstone(groupId: string): ClassicGroupRecord {
  return { type: 'group-metadata', key: { group: groupId }, value: null };
}

/** A group as its record describes it: stable with the members it had, or empty. */
export function groupFromMetadata(groupId: string, value: GroupMetadataValue): ClassicGroup {
  const members = new Map<string, ClassicMember>();
  const staticMembers = new Map<string, string>();
  const protocolName = value.protocol;
  for (const member of value.members) {
    members.set(member.memberId, {
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      // Records from before 0.10.1 have no rebalance timeout.
      rebalanceTimeoutMs: member.rebalanceTimeout === -1 ? member.sessionTimeout : member.rebalanceTimeout,
      sessionTimeoutMs: member.sessionTimeout,
      protocols: [{ name: protocolName ?? '', metadata: member.subscription }],
      assignment: member.assignment,
      awaitingJoin: null,
      awaitingSync: null,
      isNew: false,
    });
    if (member.groupInstanceId !== null) staticMembers.set(member.groupInstanceId, member.memberId);
  }
  const group: ClassicGroup = {
    ...emptyGroup(groupId, value.currentStateTimestamp),
    state: members.size === 0 ? 'Empty' : 'Stable',
    generationId: value.generation,
    protocolType: value.protocolType === '' ? null : value.protocolType,
    protocolName,
    leaderId: value.leader,
    members,
    staticMembers,
    supportedProtocols: new Map(members.size === 0 ? [] : [[protocolName ?? '', members.size]]),
  };
  return { ...group, subscribedTopics: computeSubscribedTopics(group) };
}
