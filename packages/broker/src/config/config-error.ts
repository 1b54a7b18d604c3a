/**
 * A configuration that cannot be used: a value of the wrong type or out of range, a missing required key, keys that
 * contradict each other. The message is Kafka's; at start it ends the process with one line, over the wire it goes to
 * the client with INVALID_CONFIG or INVALID_REQUEST.
 */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  /** Broke a rule between keys, which Kafka words differently over the wire. */
  readonly isRequirement: boolean;
  /** What to do about it, where Kafka's message does not say; for people at start, not for clients. */
  readonly remedy: string | null;

  constructor(message: string, options: { isRequirement?: boolean; remedy?: string } = {}) {
    super(message);
    this.isRequirement = options.isRequirement ?? false;
    this.remedy = options.remedy ?? null;
  }

  /** The message that a client of a real Kafka would get. */
  get wireMessage(): string {
    return this.isRequirement ? `requirement failed: ${this.message}` : this.message;
  }

  /** `Invalid value X for configuration K: reason`, the form of Kafka's ConfigException. */
  static invalidValue(key: string, value: string, reason: string): ConfigError {
    return new ConfigError(`Invalid value ${value} for configuration ${key}: ${reason}`);
  }
}
