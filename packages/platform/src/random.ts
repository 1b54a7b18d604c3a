/** The randomness port: a seed in tests, the system's generator in production. */
export interface Random {
  /** Uniform integer in [0, bound). */
  nextInt(bound: number): number;
  /** A random (version 4) uuid as the 22-character url-safe base64 string of Kafka's `Uuid`; never one that starts with `-`. */
  uuid(): string;
}
