import { NodeClock, type TimerHandle } from '@ottla/platform';

/** Before this much time nobody needs to be told that something takes long. */
const QUIET_MS = 1_000;
/** Between two lines when stderr is no terminal. */
const PIPED_INTERVAL_MS = 5_000;
/** Between two versions of the line on a terminal. */
const TERMINAL_INTERVAL_MS = 100;
/** Between two versions of a line that updates itself. */
const SELF_INTERVAL_MS = 500;

/** How far something is that takes long, on stderr: one line that is rewritten on a terminal, now and then a line elsewhere. */
export class ProgressLine {
  readonly #clock = new NodeClock();
  readonly #startedMs = this.#clock.monotonicMs();
  readonly #isTerminal = process.stderr.isTTY;
  readonly #quietMs: number;
  #lastMs = -Infinity;
  #isShown = false;
  #timer: TimerHandle | null = null;

  /** `isAwaited`: somebody watches it from the beginning on. Elsewhere than on a terminal even the first line is late then. */
  constructor({ isAwaited = false }: { readonly isAwaited?: boolean } = {}) {
    this.#quietMs = !isAwaited ? QUIET_MS : this.#isTerminal ? 0 : PIPED_INTERVAL_MS;
  }

  /** Milliseconds since the work began. */
  get elapsedMs(): number {
    return this.#clock.monotonicMs() - this.#startedMs;
  }

  /** Shows how far it is, unless that was said a moment ago; `text` is asked only when it is shown. */
  update(text: () => string): void {
    const nowMs = this.#clock.monotonicMs();
    const intervalMs = this.#isTerminal ? TERMINAL_INTERVAL_MS : PIPED_INTERVAL_MS;
    if (nowMs - this.#startedMs < this.#quietMs || nowMs - this.#lastMs < intervalMs) return;
    this.#lastMs = nowMs;
    this.#isShown = true;
    process.stderr.write(this.#isTerminal ? `\r\u001B[K${text()}` : `${text()}\n`);
  }

  /** Updates by itself until `clear`, for work that says nothing meanwhile. */
  keepUpdating(text: () => string): void {
    this.#timer = this.#clock.setTimer(SELF_INTERVAL_MS, () => {
      this.update(text);
      this.keepUpdating(text);
    });
  }

  /** Takes the line off the terminal, so that other output begins at its place. */
  clear(): void {
    this.#timer?.cancel();
    this.#erase();
  }

  /** Makes room for output to a stream, if that goes to a terminal too; the line comes back. */
  clearFor(output: { readonly isTTY?: boolean }): void {
    if (this.#isShown && output.isTTY === true) this.#erase();
  }

  #erase(): void {
    if (this.#isShown && this.#isTerminal) process.stderr.write('\r\u001B[K');
    this.#isShown = false;
  }
}

/** A number of bytes as people read it. */
export function bytesText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  for (; value >= 1000 && unit < units.length - 1; unit += 1) value /= 1000;
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}
