import { ErrorCodes } from '@ottla/protocol';
import { SeededRandom } from '@ottla/platform';
import { describe, expect, test } from 'vitest';
import {
  ClassicMember,
  type ClassicEffect,
  type ClassicEvent,
} from '../../../src/consumer/group/classic-member.ts';

const T = (...partitions: number[]) => partitions.map((partition) => ({ topic: 't', partition }));

function member(
  rebalanceProtocol: 'eager' | 'cooperative' = 'eager',
  groupInstanceId: string | null = null,
): ClassicMember {
  const machine = new ClassicMember({
    groupInstanceId,
    retryBackoffMs: 100,
    heartbeatIntervalMs: 3_000,
    sessionTimeoutMs: 45_000,
    rebalanceProtocol,
  });
  machine.handle({ type: 'subscribed', topics: ['t'] }, 0);
  return machine;
}

/** One line an effect: what a transcript says. */
function told(effects: readonly ClassicEffect[]): string[] {
  return effects
    .filter((effect) => effect.do !== 'cancel-timer')
    .map((effect) => {
      const list = (partitions: readonly { partition: number }[]) =>
        partitions.map(({ partition }) => partition).join();
      if (effect.do === 'join')
        return `join ${effect.memberId || '?'} ${effect.generationId} [${list(effect.owned)}]`;
      if (effect.do === 'revoke') return `${effect.isLost ? 'lose' : 'revoke'} [${list(effect.partitions)}]`;
      if (effect.do === 'assign') return `assign [${list(effect.added)}]`;
      if (effect.do === 'set-timer') return `${effect.name} in ${effect.delayMs}`;
      if (effect.do === 'sync') return `sync ${effect.generationId} ${effect.assignments.length}`;
      if (effect.do === 'lead') return `lead ${effect.members.length}`;
      if (effect.do === 'fail') return `fail ${effect.errorCode}`;
      if (effect.do === 'leave' || effect.do === 'heartbeat') return `${effect.do} ${effect.memberId}`;
      return effect.do;
    });
}

/** Drives a machine; answers carry the round of the effect that they answer. */
class Script {
  readonly machine: ClassicMember;
  #round = 0;

  constructor(machine: ClassicMember) {
    this.machine = machine;
  }

  send(event: ClassicEvent): string[] {
    const effects = this.machine.handle(event, 0);
    for (const effect of effects) if ('round' in effect) this.#round = effect.round;
    return told(effects);
  }

  joined(errorCode = 0, fields: Partial<Extract<ClassicEvent, { type: 'joined' }>> = {}): string[] {
    return this.send({
      type: 'joined',
      round: this.#round,
      errorCode,
      memberId: 'm',
      generationId: 1,
      leader: 'other',
      protocolName: 'range',
      skipAssignment: false,
      members: [],
      ...fields,
    });
  }

  synced(partitions: readonly { topic: string; partition: number }[], errorCode = 0): string[] {
    return this.send({ type: 'synced', round: this.#round, errorCode, partitions });
  }

  done(type: 'revoked' | 'assigned'): string[] {
    return this.send({ type, round: this.#round });
  }

  heartbeat(errorCode: number): string[] {
    this.send({ type: 'timer', name: 'heartbeat' });
    return this.send({ type: 'heartbeat-answered', generationId: this.machine.generationId, errorCode });
  }

  /** A stable member of generation 1 that owns these. */
  stable(...partitions: number[]): this {
    this.send({ type: 'start' });
    this.joined();
    this.synced(T(...partitions));
    this.done('assigned');
    return this;
  }
}

describe('joining', () => {
  test('a new member asks twice when the coordinator wants it to have an id, then syncs and takes over', () => {
    const script = new Script(member());
    expect(script.send({ type: 'start' })).toEqual(['join ? -1 []']);
    expect(script.joined(ErrorCodes.MEMBER_ID_REQUIRED)).toEqual(['join m -1 []']);
    expect(script.joined()).toEqual(['heartbeat in 3000', 'sync 1 0']);
    expect(script.synced(T(0, 1))).toEqual(['assign [0,1]']);
    expect(script.done('assigned')).toEqual([]);
    expect(script.machine.phase).toBe('stable');
  });

  test('the leader makes the assignment, unless it is told to skip it', () => {
    const script = new Script(member());
    script.send({ type: 'start' });
    const members = [{ memberId: 'm', groupInstanceId: null, metadata: Buffer.alloc(0) }];
    expect(script.joined(0, { leader: 'm', members })).toEqual(['heartbeat in 3000', 'lead 1']);
    const again = new Script(member('eager', 'static'));
    again.send({ type: 'start' });
    expect(again.joined(0, { leader: 'm', members, skipAssignment: true })).toEqual([
      'heartbeat in 3000',
      'sync 1 0',
    ]);
  });

  test.each([
    ['COORDINATOR_LOAD_IN_PROGRESS', ['backoff in 100']],
    ['NOT_COORDINATOR', ['rediscover', 'backoff in 100']],
    ['UNKNOWN_MEMBER_ID', ['join ? -1 []']],
    ['REBALANCE_IN_PROGRESS', ['join ? -1 []']],
    ['FENCED_INSTANCE_ID', ['fail 82']],
    ['INCONSISTENT_GROUP_PROTOCOL', ['fail 23']],
    ['GROUP_AUTHORIZATION_FAILED', ['fail 30']],
  ] as const)('JoinGroup answered with %s', (name, expected) => {
    const script = new Script(member());
    script.send({ type: 'start' });
    expect(script.joined(ErrorCodes[name])).toEqual(expected);
  });

  test('an answer to an older question is ignored', () => {
    const script = new Script(member());
    const [effect] = script.machine.handle({ type: 'start' }, 0).filter((each) => each.do === 'join');
    script.machine.handle({ type: 'failed', request: 'join', round: effect!.round }, 0);
    script.machine.handle({ type: 'timer', name: 'backoff' }, 0);
    const late = script.machine.handle(
      { type: 'synced', round: effect!.round, errorCode: 0, partitions: T(0) },
      0,
    );
    expect(late).toEqual([]);
  });
});

describe('rebalancing', () => {
  test('eager: everything is given up before the member joins again', () => {
    const script = new Script(member()).stable(0, 1);
    expect(script.heartbeat(ErrorCodes.REBALANCE_IN_PROGRESS)).toEqual(['revoke [0,1]']);
    // Heartbeats go on meanwhile, and what they say again is known.
    expect(script.heartbeat(ErrorCodes.REBALANCE_IN_PROGRESS)).toEqual([]);
    expect(script.done('revoked')).toEqual(['join m 1 []']);
  });

  test('cooperative: members keep reading, give up what moves, and rebalance once more', () => {
    const script = new Script(member('cooperative')).stable(0, 1, 2);
    expect(script.heartbeat(ErrorCodes.REBALANCE_IN_PROGRESS)).toEqual(['join m 1 [0,1,2]']);
    script.joined(0, { generationId: 2 });
    expect(script.synced(T(0))).toEqual(['revoke [1,2]']);
    expect(script.done('revoked')).toEqual(['assign []']);
    expect(script.done('assigned')).toEqual(['join m 2 [0]']);
  });

  test('cooperative: topics that are no longer wanted are given up at once', () => {
    const script = new Script(member('cooperative')).stable(0);
    script.send({ type: 'subscribed', topics: ['u'] });
    expect(script.send({ type: 'rejoin', reason: 'subscription' })).toEqual(['revoke [0]']);
  });

  test('a change in the middle of a rebalance makes another one', () => {
    const script = new Script(member());
    script.send({ type: 'start' });
    expect(script.send({ type: 'rejoin', reason: 'subscription' })).toEqual([]);
    script.joined();
    script.synced(T(0));
    expect(script.done('assigned')).toEqual(['revoke [0]']);
  });

  test('a member that the coordinator no longer knows has lost its partitions', () => {
    const script = new Script(member('cooperative')).stable(0, 1);
    expect(script.heartbeat(ErrorCodes.UNKNOWN_MEMBER_ID)).toEqual(['lose [0,1]']);
    expect(script.done('revoked')).toEqual(['join ? -1 []']);
  });
});

describe('an application that takes too long', () => {
  test('leaves and loses its partitions; when it asks again it joins anew', () => {
    const script = new Script(member()).stable(0);
    expect(script.send({ type: 'poll-expired' })).toEqual(['leave m', 'lose [0]']);
    expect(script.send({ type: 'polled' })).toEqual([]);
    script.done('revoked');
    expect(script.send({ type: 'polled' })).toEqual(['join ? -1 []']);
  });

  test('a static member says nothing: its session runs out', () => {
    const script = new Script(member('eager', 'static')).stable(0);
    expect(script.send({ type: 'poll-expired' })).toEqual(['lose [0]']);
  });
});

test('after leaving nothing happens any more', () => {
  const script = new Script(member()).stable(0);
  expect(script.send({ type: 'leave', leavesGroup: true })).toEqual(['leave m']);
  expect(script.send({ type: 'timer', name: 'heartbeat' })).toEqual([]);
  expect(script.send({ type: 'rejoin', reason: 'late' })).toEqual([]);
});

test.each(Array.from({ length: 200 }, (_, seed) => seed))(
  'seed %i: whatever is answered, what it owns is what it was given and has not given up, and it becomes stable',
  (seed) => {
    const random = new SeededRandom(seed);
    const machine = member(
      random.nextInt(2) === 0 ? 'eager' : 'cooperative',
      random.nextInt(3) === 0 ? 's' : null,
    );
    const held = new Set<number>();
    let open: ClassicEffect[] = [];
    let isCalm = false;
    const errors = [
      ErrorCodes.REBALANCE_IN_PROGRESS,
      ErrorCodes.UNKNOWN_MEMBER_ID,
      ErrorCodes.ILLEGAL_GENERATION,
      ErrorCodes.NOT_COORDINATOR,
      ErrorCodes.COORDINATOR_LOAD_IN_PROGRESS,
    ];
    const errorOr0 = () => (isCalm || random.nextInt(3) > 0 ? 0 : errors[random.nextInt(errors.length)]!);
    const take = (event: ClassicEvent) => {
      open.push(...machine.handle(event, 0));
      open = open.filter((effect) =>
        ['join', 'lead', 'sync', 'heartbeat', 'revoke', 'assign', 'set-timer'].includes(effect.do),
      );
    };
    const answer = (effect: ClassicEffect): ClassicEvent | null => {
      if (effect.do === 'join') {
        if (!isCalm && random.nextInt(6) === 0)
          return { type: 'failed', request: 'join', round: effect.round };
        return {
          type: 'joined',
          round: effect.round,
          errorCode: errorOr0(),
          memberId: 'm',
          generationId: 1 + random.nextInt(9),
          leader: random.nextInt(2) === 0 ? 'm' : 'x',
          protocolName: 'range',
          skipAssignment: false,
          members: [],
        };
      }
      if (effect.do === 'lead') return { type: 'led', round: effect.round, assignments: [] };
      if (effect.do === 'sync')
        return {
          type: 'synced',
          round: effect.round,
          errorCode: errorOr0(),
          partitions: isCalm
            ? machine.owned.length > 0
              ? machine.owned
              : T(1)
            : T(...[0, 1, 2, 3].filter(() => random.nextInt(2) === 0)),
        };
      if (effect.do === 'heartbeat')
        return { type: 'heartbeat-answered', generationId: effect.generationId, errorCode: errorOr0() };
      if (effect.do === 'revoke') {
        // What is being given up may get lost meanwhile: the host does nothing the second time.
        for (const { partition } of effect.partitions) held.delete(partition);
        return { type: 'revoked', round: effect.round };
      }
      if (effect.do === 'assign') {
        for (const { partition } of effect.added) {
          expect(held.has(partition), `assigned ${partition} twice`).toBe(false);
          held.add(partition);
        }
        return { type: 'assigned', round: effect.round };
      }
      return effect.do === 'set-timer' ? { type: 'timer', name: effect.name } : null;
    };
    take({ type: 'start' });
    for (let step = 0; step < 400; step += 1) {
      isCalm = step > 300;
      const isSurprise = !isCalm && random.nextInt(12) === 0;
      if (isSurprise)
        take(random.nextInt(2) === 0 ? { type: 'rejoin', reason: 'x' } : { type: 'poll-expired' });
      else if (open.length > 0) {
        // Partitions move in the order in which it was asked for.
        const moving = open.findIndex((effect) => effect.do === 'revoke' || effect.do === 'assign');
        const index = moving >= 0 && random.nextInt(2) === 0 ? moving : random.nextInt(open.length);
        const chosen = open[index]!;
        const isMove = chosen.do === 'revoke' || chosen.do === 'assign';
        const [effect] = open.splice(isMove ? moving : index, 1);
        const event = answer(effect!);
        if (event !== null) take(event);
      }
      take({ type: 'polled' });
    }
    expect(machine.phase).toBe('stable');
    expect([...held].sort()).toEqual(machine.owned.map(({ partition }) => partition).sort());
  },
);
