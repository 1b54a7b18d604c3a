import { SILENT_LOGGER, SimClock } from '@ottla/platform';
import { ErrorCodes, ZERO_UUID } from '@ottla/protocol';
import { beforeEach, expect, it } from 'vitest';
import type { CreateTopicResult, CreateTopicsCommand } from '../../../../src/controller/controller.ts';
import { InternalTopicCreation } from '../../../../src/coordinator/group/streams/internal-topic-creation.ts';

const TTL_MS = 1000;

let clock: SimClock;
let creation: InternalTopicCreation;
let asked: CreateTopicsCommand[];
let answer: (results: CreateTopicResult[] | Error) => void;

function topic(name: string, replicationFactor = 0) {
  return { name, partitionCount: 3, replicationFactor, configs: new Map([['cleanup.policy', 'compact']]) };
}

function result(name: string, errorCode: number, errorMessage: string | null = null): CreateTopicResult {
  return { name, topicId: ZERO_UUID, numPartitions: 3, replicationFactor: 1, errorCode, errorMessage };
}

async function answered(results: CreateTopicResult[] | Error): Promise<void> {
  answer(results);
  await new Promise((resolve) => setImmediate(resolve));
}

beforeEach(() => {
  clock = new SimClock();
  asked = [];
  const createTopics = (command: CreateTopicsCommand): Promise<CreateTopicResult[]> => {
    asked.push(command);
    return new Promise((resolve, reject) => {
      answer = (results) => (results instanceof Error ? reject(results) : resolve(results));
    });
  };
  creation = new InternalTopicCreation({ controller: { createTopics }, clock, logger: SILENT_LOGGER });
});

it('a topic is asked for once at a time, with its configs and the default replication unless it has its own', async () => {
  creation.request([topic('a'), topic('b', 2)], TTL_MS);
  creation.request([topic('a')], TTL_MS);
  const configs = [{ name: 'cleanup.policy', value: 'compact' }];
  expect(asked.map(({ topics }) => topics)).toEqual([
    [
      { name: 'a', numPartitions: 3, replicationFactor: -1, assignments: [], configs },
      { name: 'b', numPartitions: 3, replicationFactor: 2, assignments: [], configs },
    ],
  ]);
  await answered([result('a', ErrorCodes.NONE), result('b', ErrorCodes.TOPIC_ALREADY_EXISTS)]);
  expect(creation.errorsOf(['a', 'b']).size).toBe(0);
  creation.request([topic('a')], TTL_MS);
  expect(asked.length).toBe(2);
});

it('after a refusal a topic is left alone for a while, in which the reason can be had', async () => {
  creation.request([topic('a'), topic('b')], TTL_MS);
  await answered([
    result('a', ErrorCodes.INVALID_CONFIG, 'Unknown topic config name: x'),
    result('b', ErrorCodes.INVALID_REPLICATION_FACTOR),
  ]);
  const errors = creation.errorsOf(['a', 'b', 'c']);
  expect(errors.get('a')).toBe('Unknown topic config name: x');
  expect(errors.get('b')).toMatch(/\w/);
  expect(errors.has('c')).toBe(false);
  creation.request([topic('a')], TTL_MS);
  expect(asked.length).toBe(1);
  clock.advance(TTL_MS);
  expect(creation.errorsOf(['a', 'b']).size).toBe(0);
  creation.request([topic('a')], TTL_MS);
  expect(asked.length).toBe(2);
});

it('a controller that fails is a reason too', async () => {
  creation.request([topic('a')], TTL_MS);
  await answered(new Error('The disk is full'));
  expect([...creation.errorsOf(['a'])]).toEqual([['a', 'The disk is full']]);
});

it('the reasons that are kept are bounded, the oldest go first', async () => {
  const names = Array.from({ length: 1500 }, (_, index) => `t${index}`);
  creation.request(
    names.map((name) => topic(name)),
    TTL_MS,
  );
  await answered(names.map((name) => result(name, ErrorCodes.INVALID_CONFIG, 'no')));
  const kept = [...creation.errorsOf(names).keys()];
  expect(kept.length).toBe(1000);
  expect(kept[0]).toBe('t500');
});
