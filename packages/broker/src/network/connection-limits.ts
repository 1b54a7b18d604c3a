/** `max.connections` and `max.connections.per.ip`, with their overrides by address. */
export interface ConnectionLimitOptions {
  readonly maxConnections: number;
  readonly maxConnectionsPerIp: number;
  readonly maxConnectionsPerIpOverrides: ReadonlyMap<string, number>;
}

/**
 * Counts connections. Kafka refuses a connection over its address's limit at once, but lets one over the total wait
 * unaccepted until another closes.
 */
export class ConnectionLimits {
  readonly #options: ConnectionLimitOptions;
  readonly #byAddress = new Map<string, number>();
  #total = 0;

  constructor(options: ConnectionLimitOptions) {
    this.#options = options;
  }

  /** Another connection has to wait. */
  get isFull(): boolean {
    return this.#total >= this.#options.maxConnections;
  }

  /** Counts the connection; false when there are too many from its address. */
  admit(address: string): boolean {
    const count = this.#byAddress.get(address) ?? 0;
    const limit =
      this.#options.maxConnectionsPerIpOverrides.get(address) ?? this.#options.maxConnectionsPerIp;
    if (count >= limit) return false;
    this.#byAddress.set(address, count + 1);
    this.#total += 1;
    return true;
  }

  /** A connection that was admitted is gone. */
  release(address: string): void {
    this.#total -= 1;
    const count = (this.#byAddress.get(address) ?? 1) - 1;
    if (count === 0) this.#byAddress.delete(address);
    else this.#byAddress.set(address, count);
  }
}
