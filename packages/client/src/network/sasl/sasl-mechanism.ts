/** One authentication: the client's messages in answer to the server's. */
export interface SaslExchange {
  /** The first message of the client. */
  first(): Buffer | Promise<Buffer>;
  /**
   * The answer to a message of the server; null when the mechanism is satisfied and has nothing more to say.
   * Throws AuthenticationError when the server cannot prove itself.
   */
  next(challenge: Buffer): Buffer | null | Promise<Buffer | null>;
}

/** A SASL mechanism: write your own for what the client does not bring (for example GSSAPI). */
export interface SaslMechanism {
  /** As brokers list it in `sasl.enabled.mechanisms`. */
  readonly mechanism: string;
  /** Begins an authentication or re-authentication (KIP-368) with one broker. */
  start(server: { readonly host: string; readonly port: number }): SaslExchange;
}

/** A secret, or where to get it: asked for anew with each authentication, so that it can change. */
export type Secret = string | (() => string | Promise<string>);

/** The secret's value now. */
export function reveal(secret: Secret): string | Promise<string> {
  return typeof secret === 'function' ? secret() : secret;
}
