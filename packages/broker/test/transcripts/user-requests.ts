import { ApiKeys } from '@ottla/protocol';
import { ask } from './ask.ts';
import type { TranscriptRequest } from './topic-requests.ts';

const { DescribeUserScramCredentials, AlterUserScramCredentials } = ApiKeys;

const SCRAM_SHA_256 = 1;
const SCRAM_SHA_512 = 2;

const describe = (names: readonly string[] | null): TranscriptRequest =>
  ask(DescribeUserScramCredentials, 0, { users: names?.map((name) => ({ name })) ?? null });

const upsertion = (name: string, fields: object = {}): object => ({
  name,
  mechanism: SCRAM_SHA_256,
  iterations: 4096,
  salt: Buffer.from('salt'),
  saltedPassword: Buffer.from('salted password'),
  ...fields,
});

const deletion = (name: string, mechanism = SCRAM_SHA_256): object => ({ name, mechanism });

const alter = (upsertions: readonly object[], deletions: readonly object[] = []): TranscriptRequest =>
  ask(AlterUserScramCredentials, 0, { deletions, upsertions });

/** SCRAM credentials of users (KIP-554): made, changed, deleted, and what is wrong with requests for that. */
export const USER_REQUESTS: readonly TranscriptRequest[] = [
  describe(null),
  describe([]),
  describe(['alice']),
  alter([]),
  alter([upsertion('alice')]),
  describe(null),
  alter([
    upsertion('alice', { mechanism: SCRAM_SHA_512, iterations: 16_384 }),
    upsertion('bob', { iterations: 8192 }),
    upsertion('carol', { mechanism: SCRAM_SHA_512 }),
  ]),
  describe(null),
  describe([]),
  describe(['bob', 'alice', 'unknown', 'bob']),
  describe(['bob', 'bob']),
  describe(['']),
  alter([upsertion('alice', { iterations: 5000 })]),
  describe(['alice']),
  ...[4095, 0, -1, 16_385].flatMap((iterations) =>
    [SCRAM_SHA_256, SCRAM_SHA_512].map((mechanism) => alter([upsertion('dave', { iterations, mechanism })])),
  ),
  ...[0, 3, -1].map((mechanism) => alter([upsertion('dave', { mechanism })])),
  ...[0, 3, -1].map((mechanism) => alter([], [deletion('alice', mechanism)])),
  alter([upsertion('')]),
  alter([], [deletion('')]),
  alter([upsertion('dave', { salt: Buffer.alloc(0) })]),
  alter([upsertion('dave', { saltedPassword: Buffer.alloc(0) })]),
  alter([upsertion('dave'), upsertion('dave')]),
  alter([upsertion('dave'), upsertion('dave', { mechanism: SCRAM_SHA_512 })]),
  alter([upsertion('alice')], [deletion('alice')]),
  alter([upsertion('alice')], [deletion('alice', SCRAM_SHA_512)]),
  alter([], [deletion('alice'), deletion('alice')]),
  alter([], [deletion('unknown')]),
  alter([], [deletion('bob', SCRAM_SHA_512)]),
  alter([upsertion('erin'), upsertion('frank', { iterations: 1 })], [deletion('unknown'), deletion('bob')]),
  alter([upsertion('erin', { iterations: 1 }), upsertion('erin')], [deletion('')]),
  describe(null),
  alter([], [deletion('carol', SCRAM_SHA_512), deletion('carol', SCRAM_SHA_256)]),
  alter([], [deletion('alice', SCRAM_SHA_256), deletion('alice', SCRAM_SHA_512)]),
  describe(null),
  describe(['alice', 'bob', 'carol', 'dave', 'erin']),
  // A deletion of what is not there is told of before a second change of the user.
  alter([], [deletion('unknown'), deletion('unknown')]),
  alter([upsertion('grace')], [deletion('grace')]),
  alter([upsertion('grace', { iterations: 1 })], [deletion('grace', SCRAM_SHA_512)]),
  describe(null),
];
