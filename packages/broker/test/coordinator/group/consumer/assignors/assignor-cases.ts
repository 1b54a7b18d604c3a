import { rangeAssignor } from '../../../../../src/coordinator/group/consumer/assignors/range-assignor.ts';
import { uniformAssignor } from '../../../../../src/coordinator/group/consumer/assignors/uniform-assignor.ts';
import type {
  Assignor,
  AssignorGroup,
  AssignorMember,
} from '../../../../../src/coordinator/group/modern/assignor.ts';
import type { TopicPartitions } from '../../../../../src/coordinator/group/modern/topic-partitions.ts';

/** Partitions by topic id, as JSON has them. */
export type JsonPartitions = Readonly<Record<string, readonly number[]>>;

/** A group before an assignment. */
export interface AssignorCase {
  readonly assignor: string;
  readonly homogeneous: boolean;
  /** Partition counts by topic id. */
  readonly partitions: Readonly<Record<string, number>>;
  readonly members: readonly {
    readonly memberId: string;
    readonly instanceId: string | null;
    readonly topics: readonly string[];
    readonly assignment: JsonPartitions;
  }[];
}

/** What an assignor makes of a case, with the partitions of each topic in order. */
export function assign(given: AssignorCase): Record<string, JsonPartitions> {
  const assignor = assignors.find(({ name }) => name === given.assignor)!;
  const group = toGroup(given);
  const result = assignor.assign(group);
  return Object.fromEntries(
    Array.from(group.members.keys(), (memberId) => [memberId, toJson(result.get(memberId) ?? new Map())]),
  );
}

const assignors: readonly Assignor[] = [uniformAssignor, rangeAssignor];

function toGroup({ members, homogeneous, partitions }: AssignorCase): AssignorGroup {
  const assigned = new Set(
    members.flatMap(({ assignment }) =>
      Object.entries(assignment).flatMap(([topicId, indexes]) =>
        indexes.map((index) => `${topicId}/${index}`),
      ),
    ),
  );
  return {
    members: new Map(
      members.map(({ memberId, instanceId, topics, assignment }): [string, AssignorMember] => [
        memberId,
        {
          instanceId,
          rackId: null,
          subscribedTopicIds: new Set(topics),
          assignment: new Map(
            Object.entries(assignment).map(([topicId, indexes]) => [topicId, new Set(indexes)]),
          ),
        },
      ]),
    ),
    subscriptionType: homogeneous ? 'homogeneous' : 'heterogeneous',
    isAssigned: (topicId, partition) => assigned.has(`${topicId}/${partition}`),
    partitionCount: (topicId) => partitions[topicId] ?? -1,
  };
}

function toJson(partitions: TopicPartitions): JsonPartitions {
  return Object.fromEntries(
    Array.from(partitions, ([topicId, indexes]) => [topicId, [...indexes].toSorted((a, b) => a - b)]),
  );
}
