import { AuthenticationError } from '../../errors/client-errors.ts';
import type { SaslMechanism } from './sasl-mechanism.ts';

/** A bearer token, or where to get it (RFC 7628, KIP-255). */
export interface OauthbearerOptions {
  readonly mechanism: 'OAUTHBEARER';
  /** Called for each authentication and re-authentication: return a token that is still valid for a while. */
  readonly token: (server: { readonly host: string; readonly port: number }) => string | Promise<string>;
  /** SASL extensions (KIP-342): names are letters. */
  readonly extensions?: Readonly<Record<string, string>>;
}

const SEPARATOR = '\u0001';

/** SASL OAUTHBEARER. */
export function oauthbearer(options: OauthbearerOptions): SaslMechanism {
  const extensions = Object.entries(options.extensions ?? {});
  for (const [name, value] of extensions)
    if (!/^[A-Za-z]+$/.test(name) || name === 'auth' || !/^[\x21-\x7E \t\r\n]+$/.test(value))
      throw new AuthenticationError(
        `SASL extension "${name}" is not valid: letters only, not "auth", printable value`,
      );
  return {
    mechanism: 'OAUTHBEARER',
    start: (server) => ({
      async first() {
        const token = await options.token(server);
        if (typeof token !== 'string' || !/^[\x21-\x7E]+$/.test(token))
          throw new AuthenticationError(
            'The token for OAUTHBEARER is empty or holds characters that no token has',
          );
        const parts = [`auth=Bearer ${token}`, ...extensions.map(([name, value]) => `${name}=${value}`)];
        return Buffer.from(`n,,${SEPARATOR}${parts.join(SEPARATOR)}${SEPARATOR}${SEPARATOR}`, 'utf8');
      },
      // Anything but silence is the reason of a refusal, as JSON; a lone separator asks for the error that follows it.
      next: (challenge) => (challenge.length === 0 ? null : Buffer.from(SEPARATOR, 'utf8')),
    }),
  };
}
