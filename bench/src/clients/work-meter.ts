/** What a piece of work on records cost a process, from the making of the meter to its report. */
export class WorkMeter {
  readonly #records: number;
  readonly #begunMs = performance.now();
  readonly #begunCpu = process.cpuUsage();
  #earlyMb = 0;

  constructor(records: number) {
    this.#records = records;
  }

  /** So many records are done; the memory after the first tenth is what later memory is compared with. */
  note(count: number): void {
    if (this.#earlyMb === 0 && count >= this.#records / 10) this.#earlyMb = process.memoryUsage.rss() / 1e6;
  }

  report(): WorkReport {
    const { user, system } = process.cpuUsage(this.#begunCpu);
    return {
      seconds: (performance.now() - this.#begunMs) / 1000,
      records: this.#records,
      cpuSeconds: (user + system) / 1e6,
      peakMb: process.resourceUsage().maxRSS / 1e3,
      earlyMb: this.#earlyMb,
      lateMb: process.memoryUsage.rss() / 1e6,
    };
  }
}

/** What a worker found out, as JSON in its only line of output. */
export interface WorkReport {
  readonly seconds: number;
  readonly records: number;
  readonly cpuSeconds: number;
  readonly peakMb: number;
  /** Resident memory after a tenth of the records and at the end: a leak shows. */
  readonly earlyMb: number;
  readonly lateMb: number;
}
