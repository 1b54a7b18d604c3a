import type { TimerHandle } from '@ottla/platform';
import type { Cluster } from '../../cluster/cluster.ts';
import { brokerError } from '../../errors/kafka-error.ts';
import type { GroupCounters } from '../../metrics/group-counters.ts';
import type { MemberEffect, MemberEvent, TimerName } from './member-effects.ts';
import type { MembershipHost } from './membership.ts';

export interface EffectRunnerParts {
  readonly cluster: Cluster;
  readonly groupId: string;
  readonly host: MembershipHost;
  readonly counters: GroupCounters;
  readonly dispatch: (event: MemberEvent) => void;
}

/** Does what the machines of all group protocols ask for: timers, moving partitions, forgetting the coordinator. */
export class EffectRunner {
  readonly #parts: EffectRunnerParts;
  readonly #timers = new Map<TimerName, TimerHandle>();

  constructor(parts: EffectRunnerParts) {
    this.#parts = parts;
  }

  run(effect: MemberEffect): void {
    const { cluster, groupId, host, dispatch, counters } = this.#parts;
    if (effect.do === 'set-timer') this.#setTimer(effect.name, effect.delayMs);
    else if (effect.do === 'cancel-timer') this.#cancel(effect.name);
    else if (effect.do === 'rediscover') cluster.forgetCoordinator('group', groupId);
    else if (effect.do === 'fail')
      host.fail(brokerError(effect.errorCode, effect.detail, `group "${groupId}"`));
    else if (effect.do === 'revoke') {
      const { round } = effect;
      counters.rebalanceBegan(cluster.options.clock.monotonicMs());
      void host.revoke(effect.partitions, effect.isLost).then(() => dispatch({ type: 'revoked', round }));
    } else {
      const { round } = effect;
      const { clock } = cluster.options;
      counters.rebalanceBegan(clock.monotonicMs());
      void host.assign(effect.added).then(() => {
        counters.rebalanceEnded(clock.monotonicMs());
        dispatch({ type: 'assigned', round });
      });
    }
  }

  /** Cancels every timer. */
  stop(): void {
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }

  #setTimer(name: TimerName, delayMs: number): void {
    this.#cancel(name);
    const timer = this.#parts.cluster.options.clock.setTimer(delayMs, () => {
      this.#timers.delete(name);
      this.#parts.dispatch({ type: 'timer', name });
    });
    this.#timers.set(name, timer);
  }

  #cancel(name: TimerName): void {
    this.#timers.get(name)?.cancel();
    this.#timers.delete(name);
  }
}
