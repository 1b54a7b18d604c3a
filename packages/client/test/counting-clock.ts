import { NodeClock, type Clock, type TimerHandle } from '@ottla/platform';

/** A clock that knows which timers are still set. */
export class CountingClock implements Clock {
  readonly #real = new NodeClock({ timersKeepProcessAlive: true });
  readonly live = new Set<TimerHandle>();

  nowMs(): number {
    return this.#real.nowMs();
  }

  monotonicMs(): number {
    return this.#real.monotonicMs();
  }

  setTimer(delayMs: number, callback: () => void): TimerHandle {
    const timer = this.#real.setTimer(delayMs, () => {
      this.live.delete(handle);
      callback();
    });
    const handle: TimerHandle = {
      cancel: () => {
        this.live.delete(handle);
        timer.cancel();
      },
    };
    this.live.add(handle);
    return handle;
  }
}
