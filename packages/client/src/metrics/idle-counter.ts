/** How much of its life a consumer's application has waited for records. */
export class IdleCounter {
  #beganMs = -1;
  #idleMs = 0;
  #idleSinceMs = -1;

  /** The first loop is there. */
  begin(nowMs: number): void {
    if (this.#beganMs < 0) this.#beganMs = nowMs;
  }

  waits(nowMs: number): void {
    this.#idleSinceMs = nowMs;
  }

  goesOn(nowMs: number): void {
    if (this.#idleSinceMs >= 0) this.#idleMs += nowMs - this.#idleSinceMs;
    this.#idleSinceMs = -1;
  }

  /** 1: it has waited all the time; 0: it was busy all the time; null before it has begun. */
  ratio(nowMs: number): number | null {
    if (this.#beganMs < 0 || nowMs <= this.#beganMs) return null;
    const sinceMs = this.#idleSinceMs < 0 ? 0 : nowMs - this.#idleSinceMs;
    return (this.#idleMs + sinceMs) / (nowMs - this.#beganMs);
  }
}
