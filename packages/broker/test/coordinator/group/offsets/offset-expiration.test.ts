import { ZERO_UUID } from '@ottla/protocol';
import { describe, expect, it } from 'vitest';
import { emptyGroup, type ClassicGroup } from '../../../../src/coordinator/group/classic/classic-group.ts';
import { classicView } from '../../../../src/coordinator/group/classic/classic-view.ts';
import { expireGroup } from '../../../../src/coordinator/group/offsets/offset-expiration.ts';
import { OffsetStore } from '../../../../src/coordinator/group/offsets/offset-store.ts';

const RETENTION_MS = 1000;

/** Topic `t` committed at 0, topic `late` at 900; `expiring` says itself that it is due at 500. */
function offsets(...topics: readonly string[]): OffsetStore {
  const store = new OffsetStore();
  for (const topic of topics) {
    store.put(
      { group: 'g', topic, partition: 0 },
      {
        offset: 1,
        leaderEpoch: -1,
        metadata: '',
        commitTimestamp: topic === 'late' ? 900 : 0,
        expireTimestamp: topic === 'expiring' ? 500 : -1,
        topicId: ZERO_UUID,
      },
      { offset: 0, producerId: -1 },
    );
  }
  return store;
}

const consumer = { ...emptyGroup('g', 0), protocolType: 'consumer', subscribedTopics: new Set<string>() };

describe('expiry of offsets and groups (KIP-211)', () => {
  it.each<[string, ClassicGroup, string[], number, string[]]>([
    ['simple group, all due', emptyGroup('g', -1), ['t'], 1000, ['t', 'group']],
    ['simple group, one not due', emptyGroup('g', -1), ['t', 'late'], 1000, ['t']],
    ['simple group, not due', emptyGroup('g', -1), ['t'], 999, []],
    ['offset with an expiry of its own', emptyGroup('g', -1), ['expiring'], 500, ['expiring', 'group']],
    ['empty group ages since it is empty', { ...consumer, stateTimestampMs: 600 }, ['t'], 1500, []],
    ['empty group, due', { ...consumer, stateTimestampMs: 600 }, ['t'], 1600, ['t', 'group']],
    ['empty group without offsets', { ...consumer, stateTimestampMs: 600 }, [], 601, ['group']],
    [
      'stable group, topic in use',
      { ...consumer, state: 'Stable', subscribedTopics: new Set(['t']) },
      ['t'],
      9999,
      [],
    ],
    ['stable group, topic not in use', { ...consumer, state: 'Stable' }, ['t'], 1000, ['t']],
    [
      'stable group that cannot be read',
      { ...consumer, state: 'Stable', subscribedTopics: null },
      ['t'],
      9999,
      [],
    ],
    [
      'group of another type with members',
      { ...consumer, state: 'Stable', protocolType: 'connect' },
      ['t'],
      9999,
      [],
    ],
    ['group that rebalances', { ...consumer, state: 'PreparingRebalance' }, ['t'], 9999, []],
  ])('%s', (...[, group, topics, nowMs, expected]) => {
    const records = expireGroup(classicView(group), offsets(...topics), { nowMs, retentionMs: RETENTION_MS });
    expect(records.map((record) => (record.type === 'offset-commit' ? record.key.topic : 'group'))).toEqual(
      expected,
    );
  });

  it('a share group stays although it is empty: its states would begin anew', () => {
    const group = { ...classicView(emptyGroup('g', 0)), shouldExpire: false };
    expect(expireGroup(group, offsets(), { nowMs: 9999, retentionMs: RETENTION_MS })).toEqual([]);
  });
});
