import type { GroupDescription as ClientGroupDescription, GroupMember } from '../admin/describe-groups.ts';
import { KafkaError } from '../errors/kafka-error.ts';
import type { GroupDescription, MemberDescription } from './admin-types.ts';
import { AssignerProtocol, type Assignment } from './assigner-protocol.ts';

const NOTHING = Buffer.alloc(0);

/** A group as kafkajs describes it; one that does not exist is Dead. */
export function describeGroup(groupId: string, group: ClientGroupDescription | KafkaError): GroupDescription {
  if (group instanceof KafkaError) {
    if (group.name !== 'GROUP_ID_NOT_FOUND') throw group;
    return { groupId, members: [], protocol: '', protocolType: '', state: 'Dead' };
  }
  return {
    groupId,
    members: group.members.map(describeMember),
    protocol: group.assignor,
    protocolType: group.protocolType,
    state: group.state,
  };
}

function describeMember(member: GroupMember): MemberDescription {
  const assignment: Assignment = {};
  for (const { topic, partition } of member.assignment) (assignment[topic] ??= []).push(partition);
  return {
    clientHost: member.host,
    clientId: member.clientId,
    memberId: member.memberId,
    memberAssignment: AssignerProtocol.MemberAssignment.encode({ version: 0, assignment, userData: NOTHING }),
    memberMetadata: AssignerProtocol.MemberMetadata.encode({
      version: 0,
      topics: [...member.subscription],
      userData: NOTHING,
    }),
  };
}
