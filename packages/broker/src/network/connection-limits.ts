/** `max.connections` and `max.connections.per.ip`, with their overrides by address. */
export interface ConnectionLimitOptions {
  readonly maxConnections: number;
  readonly maxConnectionsPerIp: number;
  readonly maxConnectionsPerIpOverrides: ReadonlyMap<string, number>;
}

/** What becomes of a connection that arrives. */
export type Verdict = 'admitted' | 'full' | 'too many from this address';

/**
 * Counts connections. Kafka refuses a connection over its address's limit at once, but lets one over the total wait
 * unaccepted until another closes; `admit` tells the two apart.
 */
export class ConnectionLimits {
  readonly #options: ConnectionLimitOptions;
  readonly #byAddress = new Map<string, number>();
  #total = 0;

  constructor(options: ConnectionLimitOptions) {
    this.#options = options;
  }

  get total(): number {
    return this.#total;
  }

  /** Counts the connection when it is `admitted`. */
  admit(address: string): Verdict {
    if (this.#total >= this.#options.maxConnections) return 'full';
    const count = this.#byAddress.get(address) ?? 0;
    const limit =
      this.#options.maxConnectionsPerIpOverrides.get(address) ?? this.#options.maxConnectionsPerIp;
    if (count >= limit) return 'too many from this address';
    this.#byAddress.set(address, count + 1);
    this.#total += 1;
    return 'admitted';
  }

  /** A connection that was admitted is gone. */
  release(address: string): void {
    this.#total -= 1;
    const count = (this.#byAddress.get(address) ?? 1) - 1;
    if (count === 0) this.#byAddress.delete(address);
    else this.#byAddress.set(address, count);
  }
}
