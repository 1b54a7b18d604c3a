import { SimClock } from '@ottla/platform';
import { describe, expect, test } from 'vitest';
import type { MetadataImage } from '../../src/metadata/image.ts';
import { RateQuota } from '../../src/quota/rate-quota.ts';
import { effectiveQuota } from '../../src/quota/effective-quota.ts';
import { RateWindow } from '../../src/quota/rate-window.ts';
import { type Entity, imageWithQuotas } from './quota-image.ts';

const KEY = 'producer_byte_rate';
const imageWith = (quotas: Parameters<typeof imageWithQuotas>[1]): MetadataImage =>
  imageWithQuotas(KEY, quotas);
const SAMPLING = { samples: 11, sampleMs: 1000 };

describe('the quota of a client', () => {
  /** Every entity that can be meant by user `ada` with client id `app`, the one that counts most first. */
  const precedence: readonly Entity[] = [
    ['ada', 'app'],
    ['ada', null],
    ['ada', undefined],
    [null, 'app'],
    [null, null],
    [null, undefined],
    [undefined, 'app'],
    [undefined, null],
  ];

  test.each(precedence.map((_, index) => index))(
    'of those from place %i on is that of the first',
    (first) => {
      const entities = precedence
        .slice(first)
        .map((entity, index) => [...entity, first + index + 1] as const);
      const { clientQuotas } = imageWith(entities.toReversed());
      expect(effectiveQuota(clientQuotas, { user: 'ada', clientId: 'app' }, KEY)?.bound).toBe(first + 1);
    },
  );

  test('is none without an entity, and none of another key', () => {
    const { clientQuotas } = imageWith([['bob', undefined, 1]]);
    expect(effectiveQuota(clientQuotas, { user: 'ada', clientId: 'app' }, KEY)).toBeNull();
    expect(effectiveQuota(clientQuotas, { user: 'bob', clientId: 'app' }, 'consumer_byte_rate')).toBeNull();
  });

  test.each([
    ['a user shares it among its clients', ['ada', undefined], ['ada', 'other'], true],
    ['each user has the default for itself', [null, undefined], ['bob', 'app'], false],
    ['each client id has the default for itself', [undefined, null], ['ada', 'other'], false],
    ['all users share that of a client id', [undefined, 'app'], ['bob', 'app'], true],
  ] as const)('%s', (_, entity, [user, clientId], isShared) => {
    const { clientQuotas } = imageWith([[...entity, 5]]);
    const own = effectiveQuota(clientQuotas, { user: 'ada', clientId: 'app' }, KEY);
    const other = effectiveQuota(clientQuotas, { user, clientId }, KEY);
    expect(own?.sharedBy === other?.sharedBy).toBe(isShared);
  });
});

describe('a rate', () => {
  test('counts its first second as if it had run for all samples but one', () => {
    const window = new RateWindow();
    window.record(1000, 0, SAMPLING);
    expect(window.ratePerSecond(0, SAMPLING)).toBe(100);
    expect(window.ratePerSecond(500, SAMPLING)).toBeCloseTo(1000 / 10.5);
  });

  test('forgets what is older than its samples', () => {
    const window = new RateWindow();
    for (let second = 0; second < 30; second++) window.record(100, second * 1000, SAMPLING);
    expect(window.ratePerSecond(29_000, SAMPLING)).toBeCloseTo(110, 0);
    expect(window.isIdle(39_999, SAMPLING)).toBe(false);
    expect(window.isIdle(40_000, SAMPLING)).toBe(true);
    expect(window.ratePerSecond(40_000, SAMPLING)).toBe(0);
  });
});

describe('a client above its quota', () => {
  function quotaOf(image: { current: MetadataImage }, clock: SimClock): RateQuota {
    const metadata = { current: () => image.current, subscribe: () => {} };
    return new RateQuota({ key: KEY, clock, metadata, sampling: SAMPLING });
  }
  const client = { principal: 'User:ada', clientId: 'app' };

  test('waits until what it sent is within the rate', () => {
    const clock = new SimClock();
    const quota = quotaOf({ current: imageWith([['ada', undefined, 1000]]) }, clock);
    expect(quota.throttleMs(client, 10_000)).toBe(0);
    // 15,000 bytes in ten seconds are 1,500 a second: five more seconds bring it down to 1,000.
    expect(quota.throttleMs(client, 5000)).toBe(5000);
    clock.advance(5000);
    expect(quota.throttleMs(client, 0)).toBe(5000);
    expect(quota.throttleMs({ principal: 'User:bob', clientId: 'app' }, 1_000_000)).toBe(0);
  });

  test('is told of no longer wait than a response can tell', () => {
    const quota = quotaOf({ current: imageWith([['ada', undefined, 1]]) }, new SimClock());
    expect(quota.throttleMs(client, 100_000_000)).toBe(2 ** 31 - 1);
  });

  test('does not have to wait for what it did not get', () => {
    const quota = quotaOf({ current: imageWith([['ada', undefined, 1000]]) }, new SimClock());
    expect(quota.maxAtOnce(client)).toBe(10_000);
    expect(quota.throttleMs(client, 11_000)).toBe(1000);
    quota.takeBack(client, 11_000);
    expect(quota.throttleMs(client, 10_000)).toBe(0);
  });

  test('is free as soon as its quota goes', () => {
    const image = { current: imageWith([['ada', undefined, 1]]) };
    const quota = quotaOf(image, new SimClock());
    expect(quota.throttleMs(client, 1000)).toBeGreaterThan(0);
    image.current = imageWith([]);
    expect(quota.throttleMs(client, 1000)).toBe(0);
    expect(quota.maxAtOnce(client)).toBe(Number.POSITIVE_INFINITY);
  });
});
