import { ErrorCodes } from '@ottla/protocol';
import { expect, it } from 'vitest';
import type { ConsumerHeartbeatReply } from '../../../../src/coordinator/group/consumer/consumer-types.ts';
import { T1_ID } from '../fixed-metadata.ts';
import { HandlerTransport } from '../handler-transport.ts';

const TIMINGS = { sessionTimeoutMs: 3000, heartbeatIntervalMs: 500, assignmentIntervalMs: 0 };

async function transport(): Promise<HandlerTransport> {
  const handlers = new HandlerTransport({}, TIMINGS);
  await handlers.open();
  return handlers;
}

function join(
  { groups }: HandlerTransport,
  groupId: string,
  fields: { memberId?: string; subscribedTopicNames?: string[]; subscribedTopicRegex?: string } = {},
): Promise<ConsumerHeartbeatReply> {
  return groups.consumerHeartbeat(
    {
      type: 'consumer-heartbeat',
      groupId,
      memberId: 'm',
      memberEpoch: 0,
      instanceId: null,
      rackId: null,
      rebalanceTimeoutMs: 1000,
      subscribedTopicNames: ['t1'],
      subscribedTopicRegex: null,
      serverAssignor: null,
      topicPartitions: [],
      clientId: 'c',
      clientHost: '/127.0.0.1',
      ...fields,
    },
    1,
  );
}

it('ten thousand groups whose members never come back are empty after their session, and still there', async () => {
  const handlers = await transport();
  const replies = await Promise.all(Array.from({ length: 10_000 }, (_, i) => join(handlers, `g${i}`)));
  expect(replies.every(({ assignment }) => assignment?.[0]?.partitions.length === 3)).toBe(true);
  await handlers.wait(TIMINGS.sessionTimeoutMs + 100);
  const listed = await handlers.groups.listGroups({ states: ['empty'], types: ['consumer'] });
  expect(listed.length).toBe(10_000);
});

it('a thousand members of one group that join at once share its partitions, each partition with one of them', async () => {
  const handlers = await transport();
  const names = Array.from({ length: 1000 }, (_, i) => `m${i}`);
  const replies = await Promise.all(names.map((memberId) => join(handlers, 'g', { memberId })));
  // The first got all partitions before the others came; nobody else gets one that it has not given up.
  const held = replies.flatMap(({ assignment }) => assignment?.flatMap(({ partitions }) => partitions) ?? []);
  expect(held).toEqual([0, 1, 2]);
  const [described] = await handlers.groups.describeConsumerGroups(['g']);
  expect(described?.members.length).toBe(1000);
  const targets =
    described?.members.flatMap(({ targetAssignment }) => targetAssignment.topicPartitions) ?? [];
  expect(targets.flatMap(({ partitions }) => partitions).toSorted()).toEqual([0, 1, 2]);
  expect(targets.every(({ topicId }) => topicId === T1_ID)).toBe(true);
});

it.each([
  [
    'a subscription too large for a batch',
    { subscribedTopicNames: ['x'.repeat(2_000_000)] },
    ErrorCodes.UNKNOWN_SERVER_ERROR,
  ],
  ['a regular expression that backtracks', { subscribedTopicRegex: '(a+)+$' }, ErrorCodes.NONE],
  [
    'a regular expression that RE2 refuses',
    { subscribedTopicRegex: '(?=a)' },
    ErrorCodes.INVALID_REGULAR_EXPRESSION,
  ],
  [
    'a repetition without end',
    { subscribedTopicRegex: '(((a{1000}){1000}){1000})' },
    ErrorCodes.INVALID_REGULAR_EXPRESSION,
  ],
])('%s is the matter of its sender only', async (_name, fields, errorCode) => {
  const handlers = await transport();
  const failure = await join(handlers, 'g', fields).then(
    () => ErrorCodes.NONE,
    (error: { code: number }) => error.code,
  );
  expect(failure).toBe(errorCode);
  expect((await join(handlers, 'other')).memberEpoch).toBe(2);
});
