import { ApiKeys } from '@ottla/protocol';
import { ask } from './ask.ts';
import type { TranscriptRequest } from './topic-requests.ts';

const { DescribeClientQuotas, AlterClientQuotas } = ApiKeys;

const EXACT = 0;
const DEFAULT = 1;
const ANY = 2;

/** Of an entity: type and name, null for the default of all that have no quota of their own. */
type Part = readonly [entityType: string, entityName: string | null];
type Op = readonly [key: string, value: number | null];
type Component = readonly [entityType: string, matchType: number, match?: string | null];

const entry = (entity: readonly Part[], ...ops: readonly Op[]): object => ({
  entity: entity.map(([entityType, entityName]) => ({ entityType, entityName })),
  ops: ops.map(([key, value]) => ({ key, value: value ?? 0, remove: value === null })),
});

const alter = (entries: readonly object[], validateOnly = false, version = 1): TranscriptRequest =>
  ask(AlterClientQuotas, version, { entries, validateOnly });

const describe = (components: readonly Component[], strict = false, version = 1): TranscriptRequest =>
  ask(DescribeClientQuotas, version, {
    components: components.map(([entityType, matchType, match = null]) => ({ entityType, matchType, match })),
    strict,
  });

const PRODUCE = 'producer_byte_rate';
const CONSUME = 'consumer_byte_rate';
const REQUEST = 'request_percentage';
const MUTATION = 'controller_mutation_rate';
const CONNECTIONS = 'connection_creation_rate';

const alice: Part = ['user', 'alice'];

const forms: readonly TranscriptRequest[] = [
  describe([]),
  describe([], true),
  describe([], false, 0),
  alter([]),
  alter([entry([])]),
  alter([entry([], [PRODUCE, 1])]),
  alter([entry([alice])]),
  alter([entry([['unknown', 'x']], [PRODUCE, 1])]),
  alter([entry([['', 'x']], [PRODUCE, 1])]),
  alter([entry([['user', '']], [PRODUCE, 1])]),
  alter([entry([alice, ['user', 'bob']], [PRODUCE, 1])]),
  alter([entry([alice, ['ip', '127.0.0.1']], [PRODUCE, 1])]),
  alter([
    entry(
      [
        ['client-id', 'c'],
        ['ip', '127.0.0.1'],
      ],
      [CONNECTIONS, 1],
    ),
  ]),
  alter([entry([['ip', '127.0.0.1']], [PRODUCE, 1])]),
  alter([entry([['ip', 'no address at all']], [CONNECTIONS, 1])]),
  alter([entry([['ip', '']], [CONNECTIONS, 1])]),
  alter([entry([['ip', 'localhost']], [CONNECTIONS, 1])], true),
  alter([entry([['ip', '::1']], [CONNECTIONS, 1])], true),
  alter([entry([['ip', '256.1.1.1']], [CONNECTIONS, 1])], true),
  alter([entry([alice], [CONNECTIONS, 1])]),
  alter([entry([alice], ['unknown', 1])]),
  alter([entry([alice], ['unknown', null])]),
  alter([entry([alice], ['', 1])]),
  ...[PRODUCE, CONSUME, REQUEST, MUTATION].flatMap((key) =>
    [0, -1, 0.5, 0.000_000_1, 1e30, Number.NaN, Number.POSITIVE_INFINITY].map((value) =>
      alter([entry([alice], [key, value])], true),
    ),
  ),
  ...[0, -1, 0.5, 1e30].map((value) => alter([entry([['ip', '10.0.0.1']], [CONNECTIONS, value])], true)),
  alter([entry([alice], [PRODUCE, 1], [PRODUCE, 2])], true),
  alter([entry([alice], [PRODUCE, 1]), entry([alice], [PRODUCE, 2])], true),
  describe([]),
];

const changes: readonly TranscriptRequest[] = [
  alter([entry([alice], [PRODUCE, 1000], [CONSUME, 2000])]),
  describe([]),
  alter([
    entry([['user', null]], [PRODUCE, 10], [REQUEST, 12.5]),
    entry([['client-id', 'c']], [CONSUME, 20]),
    entry([['client-id', null]], [CONSUME, 30]),
    entry([alice, ['client-id', 'c']], [PRODUCE, 40]),
    entry([['client-id', null], alice], [PRODUCE, 50]),
    entry(
      [
        ['user', null],
        ['client-id', 'c'],
      ],
      [PRODUCE, 60],
    ),
    entry(
      [
        ['user', null],
        ['client-id', null],
      ],
      [PRODUCE, 70],
      [MUTATION, 0.25],
    ),
    entry([['ip', '127.0.0.1']], [CONNECTIONS, 100]),
    entry([['ip', null]], [CONNECTIONS, 200]),
  ]),
  alter([entry([alice], [PRODUCE, 5], [CONSUME, -5])]),
  alter([entry([alice], [PRODUCE, 7]), entry([['bad', 'x']], [PRODUCE, 7])]),
  alter([entry([['user', 'bob']], [PRODUCE, 8]), entry([['user', 'bob']], [CONSUME, 9])]),
  alter([entry([['user', 'dave']], [PRODUCE, 8], [PRODUCE, null])]),
  alter([entry([['user', 'carol']], [PRODUCE, 5])], true),
  alter([entry([['user', 'carol']], [PRODUCE, null])]),
  alter(
    [
      entry(
        [
          ['user', 'carol'],
          ['client-id', 'é/x y'],
        ],
        [PRODUCE, 123_456_789_012],
      ),
    ],
    false,
    0,
  ),
  describe([]),
];

const filters: readonly TranscriptRequest[] = [
  ...[false, true].flatMap((strict) => [
    describe([['user', EXACT, 'alice']], strict),
    describe([['user', EXACT, 'unknown']], strict),
    describe([['user', DEFAULT]], strict),
    describe([['user', ANY]], strict),
    describe([['client-id', EXACT, 'c']], strict),
    describe([['client-id', DEFAULT]], strict),
    describe([['client-id', ANY]], strict),
    describe([['ip', EXACT, '127.0.0.1']], strict),
    describe([['ip', DEFAULT]], strict),
    describe([['ip', ANY]], strict),
    describe(
      [
        ['user', EXACT, 'alice'],
        ['client-id', EXACT, 'c'],
      ],
      strict,
    ),
    describe(
      [
        ['user', ANY],
        ['client-id', DEFAULT],
      ],
      strict,
    ),
    describe(
      [
        ['user', ANY],
        ['client-id', ANY],
      ],
      strict,
      0,
    ),
    describe(
      [
        ['user', ANY],
        ['ip', ANY],
      ],
      strict,
    ),
    describe(
      [
        ['client-id', ANY],
        ['ip', ANY],
      ],
      strict,
    ),
  ]),
  describe([['unknown', ANY]]),
  describe([['', ANY]]),
  describe([['user', 3]]),
  describe([['user', -1, 'alice']]),
  describe([['user', EXACT]]),
  describe([['user', DEFAULT, 'alice']]),
  describe([['user', ANY, 'alice']]),
  describe([
    ['user', ANY],
    ['user', EXACT, 'alice'],
  ]),
];

const removals: readonly TranscriptRequest[] = [
  alter([entry([alice], [CONSUME, null], [REQUEST, null])]),
  alter([entry([alice, ['client-id', null]], [PRODUCE, null])]),
  alter([entry([['user', null]], [PRODUCE, null], [REQUEST, null])]),
  alter([entry([['ip', '127.0.0.1']], [CONNECTIONS, null])]),
  describe([]),
];

/** Client quotas (KIP-546): set, found by every kind of filter, and removed. */
export const QUOTA_REQUESTS: readonly TranscriptRequest[] = [...forms, ...changes, ...filters, ...removals];
