import type { Cluster } from '../../cluster/cluster.ts';
import type { CallLimits } from '../../cluster/limits.ts';
import { OptionError } from '../../errors/client-errors.ts';
import type { AssignableTopic, Assignor } from '../assignors/assignor.ts';
import type { EncodedAssignment, JoinedMember } from './classic-member.ts';
import { decodeSubscription, encodeAssignment } from './consumer-protocol.ts';

/** The assignment, and the topics that it was made from: when they change, the leader asks for another. */
export interface LedGroup {
  readonly assignments: readonly EncodedAssignment[];
  readonly topics: readonly string[];
}

/** Makes the assignment of a group as its leader. Rejects with what the metadata could not be had for, or a member's subscription could not be read. */
export async function leadGroup(
  cluster: Cluster,
  group: { readonly assignor: Assignor; readonly members: readonly JoinedMember[] },
  limits: CallLimits,
): Promise<LedGroup> {
  const members = group.members.map((member) => decodeSubscription(member, member.metadata));
  const names = [...new Set(members.flatMap(({ topics }) => topics))];
  await cluster.refreshMetadata({ topics: names }, limits);
  const topics = names.map((name) => assignableTopic(cluster, name)).filter((topic) => topic !== null);
  const assignment = group.assignor.assign(topics, members);
  const assignments = members.map(({ memberId }) => {
    const partitions = assignment.get(memberId);
    if (partitions === undefined)
      throw new OptionError(
        `Assignor "${group.assignor.name}" has forgotten member "${memberId}"; it must list every member`,
      );
    return { memberId, assignment: encodeAssignment(partitions) };
  });
  return { assignments, topics: names };
}

/** What the topics look like to an assignor, as text that compares. */
export function topicsFingerprint(cluster: Cluster, names: readonly string[]): string {
  return JSON.stringify(names.map((name) => assignableTopic(cluster, name)));
}

function assignableTopic(cluster: Cluster, name: string): AssignableTopic | null {
  const { topics, brokers } = cluster.metadata;
  const topic = topics.get(name);
  if (topic === undefined || topic.partitions.length === 0) return null;
  const racks = topic.partitions.map(({ replicas }) =>
    replicas.map((id) => brokers.get(id)?.rack ?? null).filter((rack) => rack !== null),
  );
  const isRacked = racks.some(({ length }) => length > 0);
  return { name, partitionCount: topic.partitions.length, racks: isRacked ? racks : null };
}
