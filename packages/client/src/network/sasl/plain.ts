import { reveal, type SaslMechanism, type Secret } from './sasl-mechanism.ts';

/** User name and password as they are (RFC 4616): only over TLS. */
export interface PlainOptions {
  readonly mechanism: 'PLAIN';
  readonly username: string;
  readonly password: Secret;
}

/** SASL PLAIN. */
export function plain(options: PlainOptions): SaslMechanism {
  return {
    mechanism: 'PLAIN',
    start: () => ({
      first: async () => Buffer.from(`\0${options.username}\0${await reveal(options.password)}`, 'utf8'),
      next: () => null,
    }),
  };
}
