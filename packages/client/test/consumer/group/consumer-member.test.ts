import { ErrorCodes } from '@ottla/protocol';
import { SeededRandom } from '@ottla/platform';
import { describe, expect, test } from 'vitest';
import {
  ConsumerMember,
  type ConsumerEffect,
  type ConsumerEvent,
} from '../../../src/consumer/group/consumer-member.ts';

const T = (...partitions: number[]) => partitions.map((partition) => ({ topic: 't', partition }));

function told(effects: readonly ConsumerEffect[]): string[] {
  const list = (partitions: readonly { partition: number }[]) =>
    partitions.map(({ partition }) => partition).join();
  return effects
    .filter((effect) => effect.do !== 'cancel-timer')
    .map((effect) => {
      if (effect.do === 'heartbeat') {
        const parts = [
          effect.isFull ? 'full' : '',
          effect.wants === null ? '' : `wants ${effect.wants.regex ?? effect.wants.topics}`,
          effect.owned === null ? '' : `owns [${list(effect.owned)}]`,
        ];
        return ['heartbeat', effect.memberEpoch, ...parts.filter(Boolean)].join(' ');
      }
      if (effect.do === 'revoke') return `${effect.isLost ? 'lose' : 'revoke'} [${list(effect.partitions)}]`;
      if (effect.do === 'assign') return `assign [${list(effect.added)}]`;
      if (effect.do === 'set-timer') return `${effect.name} in ${effect.delayMs}`;
      if (effect.do === 'fail') return `fail ${effect.errorCode}`;
      return effect.do;
    });
}

class Script {
  readonly machine: ConsumerMember;
  #beat = 0;
  #round = 0;

  constructor(groupInstanceId: string | null = null) {
    this.machine = new ConsumerMember({ memberId: 'm', groupInstanceId, retryBackoffMs: 100 });
    this.send({ type: 'subscribed', wants: { topics: ['t'], regex: null } });
  }

  send(event: ConsumerEvent): string[] {
    const effects = this.machine.handle(event);
    for (const effect of effects) {
      if (effect.do === 'heartbeat') this.#beat = effect.round;
      else if ('round' in effect) this.#round = effect.round;
    }
    return told(effects);
  }

  answer(fields: Partial<Extract<ConsumerEvent, { type: 'heartbeat-answered' }>> = {}): string[] {
    return this.send({
      type: 'heartbeat-answered',
      round: this.#beat,
      errorCode: 0,
      detail: null,
      memberId: 'm',
      memberEpoch: 1,
      heartbeatIntervalMs: 5_000,
      assignment: null,
      ...fields,
    });
  }

  assigned(...partitions: number[]): string[] {
    this.answer({ assignment: [{ topicId: 'id', partitions }] });
    return this.send({ type: 'resolved', round: this.#round, partitions: T(...partitions) });
  }

  done(type: 'revoked' | 'assigned'): string[] {
    return this.send({ type, round: this.#round });
  }

  /** A stable member that owns these and has said so. */
  stable(...partitions: number[]): this {
    this.send({ type: 'start' });
    this.assigned(...partitions);
    this.done('assigned');
    this.answer();
    return this;
  }
}

describe('a member of KIP-848', () => {
  test('says everything when it joins, takes its assignment over and says that it has', () => {
    const script = new Script();
    expect(script.send({ type: 'start' })).toEqual(['heartbeat 0 full wants t owns []']);
    expect(script.answer({ assignment: [{ topicId: 'id', partitions: [0, 1] }] })).toEqual([
      'resolve',
      'heartbeat in 5000',
    ]);
    expect(script.send({ type: 'resolved', round: 1, partitions: T(0, 1) })).toEqual(['assign [0,1]']);
    expect(script.done('assigned')).toEqual(['heartbeat 1 owns [0,1]']);
    expect(script.answer()).toEqual(['heartbeat in 5000']);
    expect(script.send({ type: 'timer', name: 'heartbeat' })).toEqual(['heartbeat 1']);
  });

  test('a coordinator that repeats the assignment, and names no interval, is not answered at once every time', () => {
    const script = new Script().stable(0, 1);
    for (let beat = 0; beat < 3; beat += 1) {
      script.send({ type: 'timer', name: 'heartbeat' });
      const assignment = [{ topicId: 'id', partitions: [0, 1] }];
      expect(script.answer({ heartbeatIntervalMs: 0, assignment })).toEqual(['resolve', 'heartbeat in 5000']);
      expect(script.send({ type: 'resolved', round: beat + 2, partitions: T(0, 1) })).toEqual(['assign []']);
      expect(script.done('assigned')).toEqual([]);
    }
  });

  test('gives up first what it no longer has; a newer assignment waits until the older one is done', () => {
    const script = new Script().stable(0, 1, 2);
    script.send({ type: 'timer', name: 'heartbeat' });
    expect(script.assigned(0, 1)).toEqual(['revoke [2]']);
    script.send({ type: 'timer', name: 'heartbeat' });
    expect(script.answer({ memberEpoch: 3, assignment: [{ topicId: 'id', partitions: [0] }] })).toEqual([
      'heartbeat in 5000',
    ]);
    expect(script.done('revoked')).toEqual(['assign []']);
    expect(script.done('assigned')).toEqual(['resolve', 'heartbeat 3 owns [0,1]']);
  });

  test.each(['FENCED_MEMBER_EPOCH', 'UNKNOWN_MEMBER_ID'] as const)(
    '%s: loses its partitions and joins again',
    (name) => {
      const script = new Script().stable(0);
      script.send({ type: 'timer', name: 'heartbeat' });
      expect(script.answer({ errorCode: ErrorCodes[name] })).toEqual(['lose [0]']);
      expect(script.done('revoked')).toEqual(['heartbeat 0 full wants t owns []']);
    },
  );

  test('an answer that got lost makes the next heartbeat say everything', () => {
    const script = new Script().stable(0);
    script.send({ type: 'timer', name: 'heartbeat' });
    expect(script.answer({ errorCode: ErrorCodes.NOT_COORDINATOR })).toEqual([
      'rediscover',
      'heartbeat in 100',
    ]);
    expect(script.send({ type: 'timer', name: 'heartbeat' })).toEqual(['heartbeat 1 full wants t owns [0]']);
  });

  test('a new subscription goes out at once, or after the heartbeat that is under way', () => {
    const script = new Script().stable(0);
    const wants = { topics: null, regex: 'a.*' };
    expect(script.send({ type: 'subscribed', wants })).toEqual(['heartbeat 1 wants a.*']);
    expect(script.send({ type: 'subscribed', wants: { topics: ['u'], regex: null } })).toEqual([]);
    expect(script.answer()).toEqual(['heartbeat 1 wants u']);
  });

  test.each([
    [null, true, ['heartbeat -1']],
    [null, false, []],
    ['static', false, ['heartbeat -2']],
    ['static', true, ['heartbeat -1']],
  ] as const)('leaving (instance %s, for good: %s)', (instance, leavesGroup, expected) => {
    const script = new Script(instance).stable(0);
    expect(script.send({ type: 'leave', leavesGroup })).toEqual(expected);
    expect(script.send({ type: 'timer', name: 'heartbeat' })).toEqual([]);
  });

  test('an application that takes too long leaves, and joins anew when it asks again', () => {
    const script = new Script().stable(0);
    expect(script.send({ type: 'poll-expired' })).toEqual(['heartbeat -1', 'lose [0]']);
    script.done('revoked');
    expect(script.send({ type: 'polled' })).toEqual(['heartbeat 0 full wants t owns []']);
  });

  test.each([
    'UNSUPPORTED_ASSIGNOR',
    'GROUP_MAX_SIZE_REACHED',
    'UNRELEASED_INSTANCE_ID',
    'INVALID_REGULAR_EXPRESSION',
  ] as const)('%s ends the membership', (name) => {
    const script = new Script();
    script.send({ type: 'start' });
    expect(script.answer({ errorCode: ErrorCodes[name] })).toEqual([`fail ${ErrorCodes[name]}`]);
    expect(script.send({ type: 'polled' })).toEqual([]);
  });
});

/** A coordinator that answers as it likes, and a host that moves partitions: what may go wrong goes wrong, then all is calm. */
class Simulation {
  readonly machine = new ConsumerMember({ memberId: 'm', groupInstanceId: null, retryBackoffMs: 100 });
  readonly held = new Set<number>();
  readonly #random: SeededRandom;
  #open: ConsumerEffect[] = [];
  #isCalm = false;
  #target: readonly number[] = [];

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
  }

  run(): void {
    this.#take({ type: 'subscribed', wants: { topics: ['t'], regex: null } });
    this.#take({ type: 'start' });
    for (let step = 0; step < 600; step += 1) {
      this.#isCalm = step > 400;
      if (!this.#isCalm && this.#random.nextInt(15) === 0) this.#take({ type: 'poll-expired' });
      else if (this.#open.length > 0) this.#answerOne();
      this.#take({ type: 'polled' });
    }
  }

  #take(event: ConsumerEvent): void {
    const known = ['heartbeat', 'resolve', 'revoke', 'assign', 'set-timer'];
    this.#open.push(...this.machine.handle(event).filter((effect) => known.includes(effect.do)));
  }

  #answerOne(): void {
    // Partitions move in the order in which it was asked for.
    const moving = this.#open.findIndex((effect) => effect.do === 'revoke' || effect.do === 'assign');
    const chosen = this.#random.nextInt(this.#open.length);
    const isMove = ['revoke', 'assign'].includes(this.#open[chosen]!.do);
    const [effect] = this.#open.splice(isMove ? moving : chosen, 1);
    const event = this.#answer(effect!);
    if (event !== null) this.#take(event);
  }

  #answer(effect: ConsumerEffect): ConsumerEvent | null {
    if (effect.do === 'heartbeat') return effect.memberEpoch < 0 ? null : this.#heartbeat(effect.round);
    if (effect.do === 'set-timer') return { type: 'timer', name: effect.name };
    if (effect.do === 'resolve')
      return {
        type: 'resolved',
        round: effect.round,
        partitions: T(...effect.assignment.flatMap(({ partitions }) => partitions)),
      };
    if (effect.do === 'revoke') {
      for (const { partition } of effect.partitions) this.held.delete(partition);
      return { type: 'revoked', round: effect.round };
    }
    if (effect.do !== 'assign') return null;
    for (const { partition } of effect.added) {
      expect(this.held.has(partition), `assigned ${partition} twice`).toBe(false);
      this.held.add(partition);
    }
    return { type: 'assigned', round: effect.round };
  }

  #heartbeat(round: number): ConsumerEvent {
    const errors = [
      ErrorCodes.FENCED_MEMBER_EPOCH,
      ErrorCodes.UNKNOWN_MEMBER_ID,
      ErrorCodes.NOT_COORDINATOR,
      ErrorCodes.COORDINATOR_LOAD_IN_PROGRESS,
    ];
    const fails = !this.#isCalm && this.#random.nextInt(5) === 0;
    if (fails && this.#random.nextInt(2) === 0) return { type: 'failed', round };
    if (!this.#isCalm) this.#target = [0, 1, 2, 3].filter(() => this.#random.nextInt(2) === 0);
    const tells = this.#isCalm || this.#random.nextInt(2) === 0;
    return {
      type: 'heartbeat-answered',
      round,
      errorCode: fails ? errors[this.#random.nextInt(errors.length)]! : 0,
      detail: null,
      memberId: 'm',
      memberEpoch: 1 + this.#random.nextInt(9),
      heartbeatIntervalMs: 5_000,
      assignment: tells ? [{ topicId: 'id', partitions: this.#target }] : null,
    };
  }

  get target(): readonly number[] {
    return this.#target;
  }
}

test.each(Array.from({ length: 200 }, (_, seed) => seed))(
  'seed %i: whatever is answered, it holds what it owns, and in the end what it was assigned last',
  (seed) => {
    const simulation = new Simulation(seed);
    simulation.run();
    const owned = simulation.machine.owned.map(({ partition }) => partition).sort();
    expect([...simulation.held].sort()).toEqual(owned);
    expect(owned).toEqual([...simulation.target].sort());
  },
);
