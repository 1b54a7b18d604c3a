import { SeededRandom } from '@ottla/platform';
import { expect, test } from 'vitest';
import {
  assignSimple,
  type AssignorMember,
} from '../../../../src/coordinator/group/share/simple-assignor.ts';

function sizes(assignment: ReadonlyMap<string, ReadonlyMap<string, readonly number[]>>): number[] {
  return [...assignment.values()].map((topics) =>
    [...topics.values()].reduce((sum, { length }) => sum + length, 0),
  );
}

test('every partition has as many members as any other, and members differ by one partition at most', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = new SeededRandom(seed);
    const partitions = Array.from({ length: 1 + random.nextInt(12) }, (_, index) => index);
    const topicIds = new Set(['t']);
    let assigned: ReturnType<typeof assignSimple> = new Map();
    for (let round = 0; round < 6; round++) {
      const count = 1 + random.nextInt(15);
      const members = Array.from({ length: count }, (_, index): AssignorMember => {
        const memberId = `m${(index + random.nextInt(2) * 7) % 20}-${index}`;
        return { memberId, topicIds, assigned: assigned.get(memberId) ?? new Map() };
      });
      assigned = assignSimple(members, new Map([['t', partitions]]));
      const readers = partitions.map(
        (partition) => [...assigned.values()].filter((topics) => topics.get('t')?.includes(partition)).length,
      );
      expect(Math.min(...readers), `seed ${seed}`).toBeGreaterThan(0);
      expect(Math.max(...readers), `seed ${seed}`).toBeLessThanOrEqual(Math.ceil(count / partitions.length));
      const all = sizes(assigned);
      expect(Math.max(...all) - Math.min(...all), `seed ${seed}`).toBeLessThanOrEqual(1);
    }
  }
});

test('an assignment that is balanced stays as it is', () => {
  const topicIds = new Set(['t', 'u']);
  const assignable = new Map([
    ['t', [0, 1, 2]],
    ['u', [0, 1, 2]],
  ]);
  const members = ['a', 'b', 'c'].map((memberId) => ({
    memberId,
    topicIds,
    assigned: new Map<string, number[]>(),
  }));
  const first = assignSimple(members, assignable);
  const again = assignSimple(
    members.map((member) => ({ ...member, assigned: first.get(member.memberId)! })),
    assignable,
  );
  expect(again).toEqual(first);
});

test('members of different topics share each topic for itself', () => {
  const member = (memberId: string, ...topics: string[]): AssignorMember => ({
    memberId,
    topicIds: new Set(topics),
    assigned: new Map(),
  });
  const assignment = assignSimple(
    [member('a', 't'), member('b', 'u'), member('c', 't', 'u')],
    new Map([
      ['t', [0, 1]],
      ['u', [0, 1]],
    ]),
  );
  expect([...assignment.values()].map((topics) => [...topics.keys()].sort())).toEqual([
    ['t'],
    ['u'],
    ['t', 'u'],
  ]);
});
