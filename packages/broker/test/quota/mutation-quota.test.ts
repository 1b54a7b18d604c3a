import { SimClock } from '@ottla/platform';
import { expect, test } from 'vitest';
import { MutationQuota } from '../../src/quota/mutation-quota.ts';
import { imageWithQuotas } from './quota-image.ts';

const client = { principal: 'User:ada', clientId: 'app' };

function quotaOf(perSecond: number): { quota: MutationQuota; clock: SimClock; image: { perSecond: number } } {
  const clock = new SimClock();
  const image = { perSecond };
  const metadata = {
    current: () => imageWithQuotas('controller_mutation_rate', [['ada', undefined, image.perSecond]]),
    subscribe: () => {},
  };
  const sampling = { samples: 11, sampleMs: 1000 };
  return { quota: new MutationQuota({ clock, metadata, sampling }), clock, image };
}

test('strictly, a burst is let through whole, and what comes before the bucket has filled again is refused', () => {
  const { quota, clock } = quotaOf(1);
  const burst = quota.mutationsOf(client, true);
  expect(burst.record(15)).toBe(true);
  expect(burst.throttleTimeMs).toBe(0);
  const refused = quota.mutationsOf(client, true);
  expect(refused.record(1)).toBe(false);
  // Eleven tokens less fifteen, at one a second.
  expect(refused.throttleTimeMs).toBe(4000);
  clock.advance(3999);
  expect(refused.throttleTimeMs).toBe(1);
  expect(quota.mutationsOf(client, true).record(1)).toBe(false);
  clock.advance(1);
  expect(quota.mutationsOf(client, true).record(1)).toBe(true);
});

test('for requests that cannot be refused everything is done, and the client waits', () => {
  const { quota } = quotaOf(2);
  const first = quota.mutationsOf(client, false);
  expect(first.record(22)).toBe(true);
  expect(first.throttleTimeMs).toBe(0);
  expect(first.record(8)).toBe(true);
  expect(first.throttleTimeMs).toBe(4000);
  expect(quota.mutationsOf(client, true).record(1)).toBe(false);
});

test('a bucket is never fuller than its burst, and a new rate takes over what it holds', () => {
  const { quota, clock, image } = quotaOf(1);
  quota.mutationsOf(client, true).record(1);
  clock.advance(1_000_000);
  expect(quota.mutationsOf(client, true).record(21)).toBe(true);
  image.perSecond = 5;
  const refused = quota.mutationsOf(client, true);
  expect(refused.record(1)).toBe(false);
  expect(refused.throttleTimeMs).toBe(2000);
});

test('clients without a quota do as they like', () => {
  const { quota } = quotaOf(1);
  const mutations = quota.mutationsOf({ principal: 'User:bob', clientId: 'app' }, true);
  for (let times = 0; times < 100; times += 1) expect(mutations.record(1000)).toBe(true);
  expect(mutations.throttleTimeMs).toBe(0);
});
