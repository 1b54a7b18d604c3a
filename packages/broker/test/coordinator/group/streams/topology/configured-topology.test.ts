import { ErrorCodes } from '@ottla/protocol';
import { describe, expect, it } from 'vitest';
import { configureTopology } from '../../../../../src/coordinator/group/streams/topology/configured-topology.ts';
import {
  readTopology,
  type Subtopology,
} from '../../../../../src/coordinator/group/streams/topology/streams-topology.ts';
import { StreamsStatus } from '../../../../../src/coordinator/group/streams/topology/topology-error.ts';
import { fixedImage, withTopic } from '../../fixed-metadata.ts';

/** `t1` has three partitions, `t2` five. */
const TOPICS = withTopic(fixedImage(), 't2', 5).topics;

function internal(name: string, partitions = 0): Subtopology['stateChangelogTopics'][number] {
  return { name, partitions, replicationFactor: 0, topicConfigs: [] };
}

function subtopology(subtopologyId: string, fields: Partial<Subtopology>): Subtopology {
  return {
    subtopologyId,
    sourceTopics: [],
    sourceTopicRegex: [],
    stateChangelogTopics: [],
    repartitionSinkTopics: [],
    repartitionSourceTopics: [],
    copartitionGroups: [],
    ...fields,
  };
}

function together(sourceTopics: number[], repartitionSourceTopics: number[]) {
  return { sourceTopics, sourceTopicRegex: [], repartitionSourceTopics };
}

function configure(...subtopologies: Subtopology[]) {
  return configureTopology(readTopology({ epoch: 0, subtopologies }), TOPICS);
}

function counts(...subtopologies: Subtopology[]): unknown {
  const { missingTopics, subtopologies: configured } = configure(...subtopologies);
  return {
    missing: Object.fromEntries(Array.from(missingTopics, ([name, topic]) => [name, topic.partitionCount])),
    tasks: Array.from(configured ?? [], ([, { taskCount }]) => taskCount),
  };
}

describe('partitions of internal topics', () => {
  it('a repartition topic is as large as the largest topic that flows into it, a changelog as its subtopology', () => {
    expect(
      counts(
        subtopology('0', { sourceTopics: ['t1', 't2'], repartitionSinkTopics: ['r'] }),
        subtopology('1', { repartitionSourceTopics: [internal('r')], stateChangelogTopics: [internal('c')] }),
      ),
    ).toEqual({ missing: { c: 5, r: 5 }, tasks: [5, 5] });
  });

  it('a number of its own counts, and what follows from it', () => {
    expect(
      counts(
        subtopology('0', { sourceTopics: ['t1'], repartitionSinkTopics: ['r'] }),
        subtopology('1', { repartitionSourceTopics: [internal('r', 7)], repartitionSinkTopics: ['s'] }),
        subtopology('2', { repartitionSourceTopics: [internal('s')] }),
      ),
    ).toEqual({ missing: { r: 7, s: 7 }, tasks: [3, 7, 7] });
  });

  it('a repartition topic that is read together with a topic of others takes its size', () => {
    expect(
      counts(
        subtopology('0', { sourceTopics: ['t1'], repartitionSinkTopics: ['r'] }),
        subtopology('1', {
          sourceTopics: ['t2'],
          repartitionSourceTopics: [internal('r')],
          copartitionGroups: [together([0], [0])],
        }),
      ),
    ).toEqual({ missing: { r: 5 }, tasks: [3, 5] });
  });

  it('repartition topics among themselves take the size of the largest', () => {
    expect(
      counts(
        subtopology('0', { sourceTopics: ['t1'], repartitionSinkTopics: ['r'] }),
        subtopology('1', { sourceTopics: ['t2'], repartitionSinkTopics: ['s'] }),
        subtopology('2', {
          repartitionSourceTopics: [internal('r'), internal('s')],
          copartitionGroups: [together([], [0, 1])],
        }),
      ),
    ).toEqual({ missing: { r: 5, s: 5 }, tasks: [3, 5, 5] });
  });

  it('repartition topics with numbers of their own that differ cannot be read together', () => {
    const { problem, subtopologies } = configure(
      subtopology('0', {
        sourceTopics: ['t1'],
        repartitionSinkTopics: ['r', 's'],
        repartitionSourceTopics: [internal('r', 2), internal('s', 4)],
        copartitionGroups: [together([], [0, 1])],
      }),
    );
    expect(subtopologies).toBe(null);
    expect(problem).toEqual({
      statusCode: StreamsStatus.incorrectlyPartitionedTopics,
      statusDetail: 'Following topics do not have the same number of partitions: [{r=2, s=4}]',
    });
  });

  it('a flow that nothing enters is no topology', () => {
    expect(() =>
      configure(
        subtopology('0', { repartitionSourceTopics: [internal('r')], repartitionSinkTopics: ['s'] }),
        subtopology('1', { repartitionSourceTopics: [internal('s')], repartitionSinkTopics: ['r'] }),
      ),
    ).toThrow(expect.objectContaining({ code: ErrorCodes.STREAMS_INVALID_TOPOLOGY }));
  });

  it('a long flow in the wrong order, and many groups, are worked out in one go each', () => {
    const length = 5000;
    const chain = Array.from({ length }, (_, index) =>
      subtopology(`${length - index}`.padStart(6, '0'), {
        sourceTopics: index === 0 ? ['t1'] : [],
        repartitionSourceTopics: index === 0 ? [] : [internal(`r${index}`)],
        repartitionSinkTopics: [`r${index + 1}`],
      }),
    );
    const last = subtopology('z', { repartitionSourceTopics: [internal(`r${length}`)] });
    expect(configure(...chain, last).missingTopics.get(`r${length}`)?.partitionCount).toBe(3);
    const many = subtopology('0', {
      sourceTopics: ['t1'],
      repartitionSourceTopics: Array.from({ length }, (_, index) => internal(`f${index}`, 3)),
      copartitionGroups: Array.from({ length }, (_, index) => together([], [index])),
    });
    expect(configure(many).missingTopics.size).toBe(length);
  });
});
