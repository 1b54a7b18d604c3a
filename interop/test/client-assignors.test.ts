import { assignors, type AssignableTopic, type AssignorName, type MemberSubscription } from '@ottla/client';
import { SeededRandom } from '@ottla/platform';
import { describe, expect, test } from 'vitest';
import { absent, interop, javaTools, title } from './support.ts';

/** Groups of every kind, by our assignors and by Kafka's classes: whoever leads a mixed group, the outcome is the same. */
interface Case {
  readonly assignor: AssignorName;
  readonly topics: readonly AssignableTopic[];
  readonly members: readonly MemberSubscription[];
}

type Places = Readonly<Record<string, readonly string[]>>;

const names = ['alpha', 'beta', 'gamma', 'delta', 'orders.eu', 'Ä-topic'];
const racks = ['a', 'b', 'c'];

class Generator {
  readonly #random: SeededRandom;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
  }

  #chance(percent: number): boolean {
    return this.#random.nextInt(100) < percent;
  }

  #pick<T>(items: readonly T[]): T {
    return items[this.#random.nextInt(items.length)]!;
  }

  group(assignor: AssignorName): Case {
    const hasRacks = this.#chance(30);
    const topics = names
      .filter(() => this.#chance(60))
      .map((name): AssignableTopic => {
        const partitionCount = 1 + this.#random.nextInt(9);
        const own = () => racks.filter(() => this.#chance(50));
        return { name, partitionCount, racks: hasRacks ? Array.from({ length: partitionCount }, own) : null };
      });
    const shared = this.#chance(50) ? names.filter(() => this.#chance(60)) : null;
    const generation = this.#random.nextInt(5);
    const members = Array.from({ length: 1 + this.#random.nextInt(8) }, (_, index) =>
      this.#member({ assignor, topics, index, shared, generation, hasRacks }),
    );
    return { assignor, topics, members };
  }

  #member(group: {
    readonly assignor: AssignorName;
    readonly topics: readonly AssignableTopic[];
    readonly index: number;
    readonly shared: readonly string[] | null;
    readonly generation: number;
    readonly hasRacks: boolean;
  }): MemberSubscription {
    const { assignor, topics, index, shared } = group;
    const subscribed = shared ?? names.filter(() => this.#chance(50));
    const partitions = topics
      .filter(({ name }) => subscribed.includes(name) || this.#chance(10))
      .flatMap(({ name, partitionCount }) =>
        Array.from({ length: partitionCount }, (_, partition) => ({ topic: name, partition })),
      )
      .filter(() => this.#chance(20));
    const generationId = this.#chance(80) ? group.generation : this.#random.nextInt(6) - 1;
    const previous = this.#chance(80) ? { partitions, generationId } : null;
    return {
      memberId: `consumer-${this.#random.nextInt(1_000)}-${index}-${this.#random.uuid()}`,
      groupInstanceId: this.#chance(20) ? `static-${index}` : null,
      topics: subscribed,
      userData: assignors[assignor].subscriptionUserData(previous),
      ownedPartitions: assignor === 'cooperative-sticky' && previous !== null ? partitions : [],
      generationId: generationId < 0 ? null : generationId,
      rackId: group.hasRacks && this.#chance(80) ? this.#pick(racks) : null,
    };
  }
}

function forJava({ assignor, topics, members }: Case): string {
  return JSON.stringify({
    assignor,
    topics: Object.fromEntries(
      topics.map(({ name, partitionCount, racks: own }) => [
        name,
        Array.from({ length: partitionCount }, (_, partition) => own?.[partition] ?? []),
      ]),
    ),
    members: members.map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      topics: member.topics,
      userData: member.userData?.toString('base64') ?? null,
      owned: member.ownedPartitions.map(({ topic, partition }) => [topic, partition]),
      generation: member.generationId ?? -1,
      rack: member.rackId,
    })),
  });
}

function ours({ assignor, topics, members }: Case): Places {
  const assignment = assignors[assignor].assign(topics, members);
  return Object.fromEntries(
    [...assignment].map(([memberId, partitions]) => [
      memberId,
      partitions.map(({ topic, partition }) => `${topic}-${partition}`).sort(),
    ]),
  );
}

function fromJava(line: string): Places {
  const given = JSON.parse(line) as Record<string, [string, number][]>;
  return Object.fromEntries(
    Object.entries(given).map(([memberId, partitions]) => [
      memberId,
      partitions.map(([topic, partition]) => `${topic}-${partition}`).sort(),
    ]),
  );
}

describe.skipIf(absent(interop.java))(title('assignors', interop.java), () => {
  test.each(Object.keys(assignors) as AssignorName[])(
    '%s gives what the Java class gives, for 400 random groups',
    async (assignor) => {
      const cases = Array.from({ length: 400 }, (_, seed) => new Generator(seed).group(assignor));
      const input = cases.map((each) => `${forJava(each)}\n`).join('');
      const { code, out, err } = await javaTools().start('Assignors', [], input).done;
      expect(code, err.slice(-20).join('\n')).toBe(0);
      const lines = out.filter((line) => line.startsWith('{'));
      expect(lines).toHaveLength(cases.length);
      let failures = 0;
      for (const [seed, each] of cases.entries()) {
        const assigned = ours(each);
        // Where Kafka's class throws, ours still assigns.
        if (lines[seed]!.startsWith('{"failure"')) failures += 1;
        else expect(assigned, `${assignor}, seed ${seed}`).toEqual(fromJava(lines[seed]!));
      }
      expect(failures).toBeLessThan(20);
    },
  );
});
