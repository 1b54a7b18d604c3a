import type { TopicPartition } from '../../admin/admin-requests.ts';
import type { AssignableTopic, MemberSubscription } from './assignor.ts';
import { inJavaOrder, javaHash } from './java-order.ts';
import { RackInfo } from './sticky-racks.ts';

/** What a member says that it owned, and in which generation. */
export interface MemberData {
  readonly partitions: readonly TopicPartition[];
  readonly generation: number | null;
}

/** Generation of members that do not know theirs. */
export const NO_GENERATION = -1;

/** Everything that the two sticky algorithms work on. Partitions are one object each, so that they compare by identity. */
export interface StickyInput {
  /** By name. */
  readonly topics: ReadonlyMap<string, readonly TopicPartition[]>;
  /** In the order of Java's HashMap. */
  readonly members: readonly MemberSubscription[];
  readonly memberData: ReadonlyMap<string, MemberData>;
  /** Partitions that each member may keep, by member in the order of Java's HashMap. */
  readonly owned: Map<string, TopicPartition[]>;
  /** Partitions that two members claim to own in the same generation. */
  readonly claimedTwice: ReadonlySet<TopicPartition>;
  readonly maxGeneration: number;
  readonly isEqual: boolean;
  readonly totalCount: number;
  readonly racks: RackInfo;
}

/** Sorts out who owned what: of two claims on a partition the newer generation counts, of equal ones none. */
export function stickyInput(
  topics: readonly AssignableTopic[],
  members: readonly MemberSubscription[],
  readData: (member: MemberSubscription) => MemberData,
): StickyInput {
  const interned = new Map<string, TopicPartition>();
  const intern = (topic: string, partition: number): TopicPartition => {
    const id = `${topic}-${partition}`;
    const known = interned.get(id) ?? { topic, partition };
    interned.set(id, known);
    return known;
  };
  const partitions = new Map(
    topics.map(({ name, partitionCount }) => [
      name,
      Array.from({ length: partitionCount }, (_, index) => intern(name, index)),
    ]),
  );
  const ordered = inJavaOrder(members, ({ memberId }) => javaHash(memberId));
  const memberData = new Map(
    ordered.map((member) => {
      const { partitions: owned, generation } = readData(member);
      return [
        member.memberId,
        { partitions: owned.map((each) => intern(each.topic, each.partition)), generation },
      ];
    }),
  );
  const claims = resolveClaims(ordered, memberData, partitions);
  return {
    topics: partitions,
    members: ordered,
    memberData,
    ...claims,
    maxGeneration: Math.max(
      NO_GENERATION,
      ...[...memberData.values()].map(({ generation }) => generation ?? NO_GENERATION),
    ),
    isEqual: areSubscriptionsEqual(ordered),
    totalCount: topics.reduce((sum, { partitionCount }) => sum + partitionCount, 0),
    racks: new RackInfo(topics, partitions, ordered),
  };
}

function areSubscriptionsEqual(members: readonly MemberSubscription[]): boolean {
  let first = new Set<string>();
  for (const { topics } of members) {
    if (first.size === 0) first = new Set(topics);
    else if (topics.length !== first.size || !topics.every((topic) => first.has(topic))) return false;
  }
  return true;
}

function resolveClaims(
  members: readonly MemberSubscription[],
  memberData: ReadonlyMap<string, MemberData>,
  topics: ReadonlyMap<string, readonly TopicPartition[]>,
): Pick<StickyInput, 'owned' | 'claimedTwice'> {
  const owned = new Map<string, TopicPartition[]>();
  const ownerOf = new Map<TopicPartition, MemberSubscription>();
  const claimedTwice = new Set<TopicPartition>();
  for (const member of members) {
    const data = memberData.get(member.memberId)!;
    const generation = data.generation ?? NO_GENERATION;
    const own: TopicPartition[] = [];
    owned.set(member.memberId, own);
    for (const partition of data.partitions) {
      if (!topics.has(partition.topic)) continue;
      const other = ownerOf.get(partition);
      // Java compares with the generation in the other's subscription, not with the one in its user data.
      const otherGeneration = other?.generationId ?? NO_GENERATION;
      if (other !== undefined && generation < otherGeneration) continue;
      if (other !== undefined) removeFrom(owned.get(other.memberId)!, partition);
      if (other !== undefined && generation === otherGeneration) claimedTwice.add(partition);
      else own.push(partition);
      ownerOf.set(partition, member);
    }
  }
  return { owned, claimedTwice };
}

/** Takes the first occurrence out of a list, if it is there. */
export function removeFrom<T>(list: T[], item: T): void {
  const index = list.indexOf(item);
  if (index >= 0) list.splice(index, 1);
}
