import { SeededRandom } from '@ottla/platform';
import { mutate } from '@ottla/protocol/testing';
import { expect, test } from 'vitest';
import { KafkaError } from '../../../src/index.ts';
import { decodeStickyUserData } from '../../../src/consumer/assignors/sticky-user-data.ts';
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from '../../../src/consumer/group/consumer-protocol.ts';

const member = { memberId: 'other', groupInstanceId: null };
const partitions = [0, 1, 5].map((partition) => ({ topic: 'orders', partition }));
const assignment = encodeAssignment(partitions);
const subscription = encodeSubscription({
  topics: ['orders', 'payments'],
  userData: Buffer.from('data'),
  ownedPartitions: partitions,
  generationId: 7,
  rackId: 'r',
});

function outcome(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    return error;
  }
}

test('what another member says and cannot be read is an error of ours that names it', () => {
  const cut = subscription.subarray(0, 9);
  expect(outcome(() => decodeSubscription(member, cut))).toMatchObject({
    name: 'INCONSISTENT_GROUP_PROTOCOL',
    retriable: false,
  });
  expect(String(outcome(() => decodeSubscription(member, cut)))).toContain('subscription of member "other"');
  expect(outcome(() => decodeAssignment(Buffer.from([0, 1, 0xff, 0xff])))).toBeInstanceOf(KafkaError);
  expect(decodeAssignment(Buffer.alloc(0))).toEqual([]);
});

test('damage of any kind is read as something or an error of ours', () => {
  const random = new SeededRandom(848);
  for (let round = 0; round < 2_000; round += 1) {
    const results = [
      outcome(() => decodeAssignment(mutate(assignment, random))),
      outcome(() => decodeSubscription(member, mutate(subscription, random))),
    ];
    for (const result of results) if (result instanceof Error) expect(result).toBeInstanceOf(KafkaError);
  }
});

test('sticky data whose topic has a negative length is nothing owned, not a loop without an end', () => {
  const bytes = Buffer.alloc(40);
  bytes.writeInt32BE(0x7fff_ffff, 0);
  // The next topic would begin where this one does.
  bytes.writeInt16BE(-6, 4);
  expect(decodeStickyUserData(bytes)).toEqual({ partitions: [], generation: -1 });
});
