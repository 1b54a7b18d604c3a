import { describe, expect, test } from 'vitest';
import { resolveRetryOptions, type RetryingConsumerOptions } from '../../src/retry-topics/retry-options.ts';
import { nextStage, retryStages } from '../../src/retry-topics/retry-stages.ts';

type Options = Omit<RetryingConsumerOptions, 'group'>;

function stagesOf(options: Options = {}) {
  return retryStages(resolveRetryOptions({ group: 'g', ...options }));
}

/** The suffixes that Spring for Apache Kafka 4.1 gives (DestinationTopicPropertiesFactory). */
const names: readonly [string, Options, readonly string[]][] = [
  ['three attempts a second apart share a topic', {}, ['', '-retry', '-dlt']],
  ['two attempts have one retry topic', { attempts: 2 }, ['', '-retry', '-dlt']],
  ['one attempt has none', { attempts: 1 }, ['', '-dlt']],
  [
    'equal delays in topics of their own count',
    { sameDelay: 'multiple-topics' },
    ['', '-retry-0', '-retry-1', '-dlt'],
  ],
  [
    'a single delay in a topic of its own is named',
    { attempts: 2, sameDelay: 'multiple-topics' },
    ['', '-retry-1000', '-dlt'],
  ],
  [
    'growing delays are named',
    { attempts: 4, backOff: { multiplier: 2 } },
    ['', '-retry-1000', '-retry-2000', '-retry-4000', '-dlt'],
  ],
  [
    'growing delays by index',
    { attempts: 4, backOff: { multiplier: 2 }, suffixBy: 'index' },
    ['', '-retry-0', '-retry-1', '-retry-2', '-dlt'],
  ],
  [
    'the greatest delay has one topic for all its attempts',
    { attempts: 6, backOff: { delayMs: 1_000, multiplier: 2, maxDelayMs: 4_000 } },
    ['', '-retry-1000', '-retry-2000', '-retry-4000', '-dlt'],
  ],
  [
    'the greatest delay in topics of their own',
    {
      attempts: 6,
      backOff: { delayMs: 1_000, multiplier: 2, maxDelayMs: 4_000 },
      sameDelay: 'multiple-topics',
    },
    ['', '-retry-1000', '-retry-2000', '-retry-4000-0', '-retry-4000-1', '-retry-4000-2', '-dlt'],
  ],
  [
    'other suffixes, no dead-letter topic',
    { retrySuffix: '-again', deadLetterSuffix: '.lost', deadLetterStrategy: 'no-dlt', suffixBy: 'index' },
    ['', '-again'],
  ],
  [
    'dead-letter topics for some errors',
    { attempts: 1, deadLetterRouting: { '-declined': [RangeError], '-odd': ['Odd'] } },
    ['', '-declined-dlt', '-odd-dlt', '-dlt'],
  ],
  ['another dead-letter topic', { attempts: 1, deadLetterSuffix: '.lost' }, ['', '.lost']],
];

describe('names of topics', () => {
  test.each(names)('%s', (_, options, suffixes) => {
    expect(stagesOf(options).map(({ suffix }) => suffix)).toEqual(suffixes);
  });
});

describe('the way of a record', () => {
  /** Suffixes of the topics that a record goes to when it fails every time. */
  function wayOf(options: Options): string[] {
    const resolved = resolveRetryOptions({ group: 'g', ...options });
    const stages = retryStages(resolved);
    const way: string[] = [];
    let at = 0;
    for (let attempt = 1; stages[at]?.kind !== 'dead-letter'; attempt += 1) {
      at = nextStage(stages, at, { error: null, isFinal: attempt >= resolved.attempts });
      if (at < 0) return way;
      way.push(stages[at]!.suffix);
    }
    return way;
  }

  test('a topic that is reused takes the record for every attempt with its delay', () => {
    expect(wayOf({ attempts: 5, backOff: { delayMs: 100, multiplier: 2, maxDelayMs: 200 } })).toEqual([
      '-retry-100',
      '-retry-200',
      '-retry-200',
      '-retry-200',
      '-dlt',
    ]);
  });

  test('topics of their own take it once each', () => {
    expect(wayOf({ attempts: 3, sameDelay: 'multiple-topics' })).toEqual(['-retry-0', '-retry-1', '-dlt']);
  });

  test('without a dead-letter topic it ends', () => {
    expect(wayOf({ attempts: 3, deadLetterStrategy: 'no-dlt' })).toEqual(['-retry', '-retry']);
  });

  test('what is final goes to the dead-letter topic from anywhere', () => {
    const stages = stagesOf({ attempts: 4, backOff: { multiplier: 3 } });
    for (const from of [0, 1, 2, 3]) expect(nextStage(stages, from, { error: null, isFinal: true })).toBe(4);
  });
});

test('a dead-letter topic for some errors takes those that match, or whose causes do', () => {
  const stages = stagesOf({ deadLetterRouting: { '-declined': [RangeError], '-odd': ['Odd'] } });
  const named = (name: string): Error => Object.assign(new Error('x'), { name });
  const cases: readonly [unknown, string][] = [
    [new RangeError('x'), '-declined-dlt'],
    [new Error('x', { cause: new RangeError('y') }), '-declined-dlt'],
    [named('Odd'), '-odd-dlt'],
    [new Error('x'), '-dlt'],
    ['x', '-dlt'],
  ];
  for (const [error, suffix] of cases)
    expect(stages[nextStage(stages, 0, { error, isFinal: true })]!.suffix).toBe(suffix);
  expect(stages[nextStage(stages, 0, { error: new RangeError('x'), isFinal: false })]!.suffix).toBe('-retry');
});

test('the jitter grows as the delays do', () => {
  const stages = stagesOf({ attempts: 4, backOff: { delayMs: 100, multiplier: 2, jitterMs: 10 } });
  expect(stages.map(({ jitterMs }) => jitterMs)).toEqual([0, 10, 20, 40, 0]);
});

const refused: readonly [string, RetryingConsumerOptions, string][] = [
  ['no group', {} as RetryingConsumerOptions, 'group is missing'],
  ['no attempt', { group: 'g', attempts: 0 }, 'attempts "0" is not an integer of at least 1'],
  ['shrinking delays', { group: 'g', backOff: { multiplier: 0.5 } }, 'backOff.multiplier "0.5"'],
  [
    'a greatest delay below the first',
    { group: 'g', backOff: { delayMs: 10, maxDelayMs: 5 } },
    'backOff.maxDelayMs "5" is below backOff.delayMs "10"',
  ],
  ['a suffix that no topic can have', { group: 'g', retrySuffix: '/x' }, 'retrySuffix "/x"'],
  [
    'dead-letter topics without dead-letter topics',
    { group: 'g', deadLetterStrategy: 'no-dlt', deadLetterRouting: { '-x': [] } },
    'deadLetterRouting needs dead-letter topics',
  ],
  [
    'an unknown strategy',
    { group: 'g', deadLetterStrategy: 'never' as 'no-dlt' },
    'deadLetterStrategy "never" is none of',
  ],
  [
    'transactions with order by key',
    { group: 'g', transactionalId: 't', orderBy: 'key' },
    'orderBy "key" cannot be had with transactionalId',
  ],
];

test.each(refused)('%s is refused', (_, options, message) => {
  expect(() => resolveRetryOptions(options)).toThrow(message);
});
