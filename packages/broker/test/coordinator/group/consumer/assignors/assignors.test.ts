import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assign, type AssignorCase, type JsonPartitions } from './assignor-cases.ts';

/** Groups that change over four rounds, and what the Java classes of Apache Kafka 4.3.1 made of each. */
const vectors = JSON.parse(
  readFileSync(new URL('./vectors.json', import.meta.url), 'utf8'),
) as (AssignorCase & {
  readonly result: Record<string, JsonPartitions>;
})[];

describe('server-side assignors', () => {
  it.each(vectors.map((vector, index) => ({ index, vector })))(
    'case $index: as Kafka assigned',
    ({ vector }) => {
      expect(assign(vector)).toEqual(vector.result);
    },
  );
});

const TOPICS = ['AAAAAAAAAAAAAAAAAAAAAQ', 'BBBBBBBBBBBBBBBBBBBBBQ', 'CCCCCCCCCCCCCCCCCCCCCQ'];

/** A group of members that subscribe to some of three topics, none of which has anything yet. */
const groups = fc.record({
  assignor: fc.constantFrom('uniform', 'range'),
  counts: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 3, maxLength: 3 }),
  subscriptions: fc.array(fc.subarray(TOPICS, { minLength: 1 }), { minLength: 1, maxLength: 12 }),
  homogeneous: fc.boolean(),
});

type Group = typeof groups extends fc.Arbitrary<infer G> ? G : never;

function toCase({ assignor, counts, subscriptions, homogeneous }: Group): AssignorCase {
  return {
    assignor,
    homogeneous,
    partitions: Object.fromEntries(TOPICS.map((topicId, i) => [topicId, counts[i]!])),
    members: subscriptions.map((topics, i) => ({
      memberId: `m${i}`,
      instanceId: null,
      topics: homogeneous ? subscriptions[0]! : topics,
      assignment: {},
    })),
  };
}

/** The case of the next assignment, with what was assigned. */
function after(given: AssignorCase, result: Record<string, JsonPartitions>): AssignorCase {
  return {
    ...given,
    members: given.members.map((member) => ({ ...member, assignment: result[member.memberId] ?? {} })),
  };
}

function owners(result: Record<string, JsonPartitions>): string[] {
  return Object.values(result).flatMap((assignment) =>
    Object.entries(assignment).flatMap(([topicId, indexes]) => indexes.map((index) => `${topicId}/${index}`)),
  );
}

function load(assignment: JsonPartitions | undefined): number {
  return Object.values(assignment ?? {}).reduce((sum, indexes) => sum + indexes.length, 0);
}

describe('assignments of any group', () => {
  it('are complete: every partition of a subscribed topic goes to one of its subscribers, and to nobody else', () => {
    fc.assert(
      fc.property(groups.map(toCase), (given) => {
        const result = assign(given);
        const subscribed = new Set(given.members.flatMap(({ topics }) => topics));
        const expected = [...subscribed].reduce((sum, topicId) => sum + given.partitions[topicId]!, 0);
        const owned = owners(result);
        expect(new Set(owned).size).toBe(owned.length);
        expect(owned.length).toBe(expected);
        for (const { memberId, topics } of given.members)
          expect(topics).toEqual(expect.arrayContaining(Object.keys(result[memberId]!)));
      }),
    );
  });

  it('are balanced when all subscribe to the same topics and the assignor is uniform', () => {
    fc.assert(
      fc.property(
        groups.map((group) => toCase({ ...group, assignor: 'uniform', homogeneous: true })),
        (given) => {
          const loads = Object.values(assign(given)).map(load);
          expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(1);
        },
      ),
    );
  });

  it('stay as they are when nothing changes', () => {
    fc.assert(
      fc.property(groups.map(toCase), (given) => {
        const first = assign(given);
        expect(assign(after(given, first))).toEqual(first);
      }),
    );
  });

  it('stick when a member of a uniform group leaves: the others keep all that they had', () => {
    fc.assert(
      fc.property(
        groups.map((group) => toCase({ ...group, assignor: 'uniform', homogeneous: true })),
        (given) => {
          const first = assign(given);
          const rest = { ...given, members: given.members.slice(1) };
          const second = assign(after(rest, first));
          for (const { memberId } of rest.members)
            for (const partition of owners({ it: first[memberId]! }))
              expect(owners({ it: second[memberId]! })).toContain(partition);
        },
      ),
    );
  });
});
