import { describe, expect, test } from 'vitest';
import { OptionError, serde, topic } from '../../src/index.ts';
import { resolveConsumerOptions, type ConsumerOptions } from '../../src/consumer/consumer-options.ts';
import { resolveEachOptions } from '../../src/consumer/delivery/each-options.ts';
import { parseDurationMs } from '../../src/consumer/parse-duration.ts';
import { Subscription, type ConsumerSource } from '../../src/consumer/subscription.ts';
import { EMPTY_METADATA, type ClusterMetadata } from '../../src/cluster/metadata.ts';

describe('options of a consumer', () => {
  test.each<[ConsumerOptions, string]>([
    [{ group: '' }, 'group is empty'],
    [{ commit: 'manual' }, 'commit is set, which needs a group'],
    [{ groupInstanceId: 'a' }, 'needs a group'],
    [{ group: 'g', from: 'somewhere' as never }, 'from "somewhere"'],
    [{ group: 'g', from: 'by_duration:1h' }, 'from "by_duration:1h"'],
    [{ group: 'g', from: { durationMs: -1 } }, 'from.durationMs "-1"'],
    [{ group: 'g', groupProtocol: 'new' as never }, 'groupProtocol "new"'],
    [{ group: 'g', groupProtocol: 'consumer', sessionTimeoutMs: 9_000 }, 'the broker decides it'],
    [{ group: 'g', remoteAssignor: 'uniform' }, 'remoteAssignor needs groupProtocol "consumer"'],
    [{ group: 'g', assignors: [] }, 'assignors is empty'],
    [{ group: 'g', assignors: ['best' as never] }, 'assignors has "best", known are range'],
    [{ group: 'g', heartbeatIntervalMs: 45_000 }, 'not below sessionTimeoutMs'],
    [{ maxBufferedBytes: 0 }, 'maxBufferedBytes "0" is not an integer of at least 1'],
    [{ concurrency: 1.5 }, 'concurrency "1.5"'],
  ])('%o is refused: %s', (options, text) => {
    expect(() => resolveConsumerOptions(options)).toThrow(OptionError);
    expect(() => resolveConsumerOptions(options)).toThrow(text);
  });

  test('those of one call of each go before those of the consumer, and are checked as well', () => {
    const defaults = resolveConsumerOptions({ concurrency: 4, orderBy: 'key' });
    expect(resolveEachOptions({ concurrency: 2 }, defaults)).toMatchObject({
      concurrency: 2,
      orderBy: 'key',
    });
    expect(() => resolveEachOptions({ concurrency: 0 }, defaults)).toThrow(
      'concurrency "0" is not an integer',
    );
    expect(() => resolveEachOptions({ orderBy: 'topic' as never }, defaults)).toThrow('orderBy "topic"');
  });

  test("defaults are Kafka's", () => {
    expect(resolveConsumerOptions({ group: 'g' })).toMatchObject({
      from: 'latest',
      isAutoCommit: true,
      autoCommitIntervalMs: 5_000,
      isReadCommitted: false,
      fetchMinBytes: 1,
      fetchMaxBytes: 52_428_800,
      fetchMaxWaitMs: 500,
      maxPartitionFetchBytes: 1_048_576,
      sessionTimeoutMs: 45_000,
      heartbeatIntervalMs: 3_000,
      maxPollIntervalMs: 300_000,
    });
  });

  test.each([
    ['PT1H', 3_600_000],
    ['P2DT3H4M', 183_840_000],
    ['PT0.5S', 500],
    ['p1d', 86_400_000],
    ['P', null],
    ['PT', null],
    ['P1DT', null],
    ['1H', null],
    ['P1Y', null],
  ])('the duration %s is %s ms', (text, durationMs) => expect(parseDurationMs(text)).toBe(durationMs));
});

describe('what a consumer reads', () => {
  const metadata = (...names: string[]): ClusterMetadata => ({
    ...EMPTY_METADATA,
    topics: new Map(
      names.map((name) => [
        name,
        {
          name,
          topicId: name,
          isInternal: name.startsWith('__'),
          partitions: [],
          authorizedOperations: undefined,
        },
      ]),
    ),
  });

  test('a pattern matches whole names, and internal topics only when they are wanted', () => {
    const known = metadata('orders', 'orders.eu', 'old-orders', '__orders');
    const names = (source: ConsumerSource, excludes = true) =>
      new Subscription(source).topicsIn(known, excludes);
    expect(names({ pattern: /orders(\..*)?/ })).toEqual(['orders', 'orders.eu']);
    expect(names({ pattern: '.*orders' })).toEqual(['old-orders', 'orders']);
    expect(names({ pattern: /.*ORDERS/i }, false)).toEqual(['__orders', 'old-orders', 'orders']);
  });

  test('serdes are those of the topic, or of the pattern, else text', () => {
    const numbers = topic('numbers', { value: serde.int32 });
    const several = new Subscription([numbers, 'lines']);
    expect(several.serdesOf('numbers').value).toBe(serde.int32);
    expect(several.serdesOf('lines').value).toBe(serde.string);
    expect(new Subscription({ pattern: 'x', value: serde.bytes }).serdesOf('x').value).toBe(serde.bytes);
  });

  test.each([[[]], [undefined], [null], [42], [{}], ['not valid!'], [{ pattern: '(' }]])(
    '%o is refused',
    (source) => {
      expect(() => new Subscription(source as never)).toThrow(OptionError);
    },
  );

  test.each<[object, string]>([
    [{ partitions: 't' }, 'partitions is no list'],
    [{ partitions: [{ partition: 0 }] }, 'the topic "undefined"'],
    [{ partitions: [{ topic: 't' }] }, 'Partition "undefined" of "t"'],
    [{ partitions: [{ topic: 't', partition: -1 }] }, 'Partition "-1" of "t"'],
    [
      { partitions: [{ topic: 't', partition: 0, offset: 'beginning' }] },
      'Offset "beginning" to begin t-0 at',
    ],
    [{ partitions: [{ topic: 't', partition: 0, offset: 7n }] }, 'Offset "7" to begin t-0 at'],
  ])('%o is refused: %s', (source, text) => {
    expect(() => new Subscription(source as never)).toThrow(OptionError);
    expect(() => new Subscription(source as never)).toThrow(text);
  });
});
