import type { Random } from '@ottla/platform';
import { OptionError } from '../../errors/client-errors.ts';
import { oauthbearer, type OauthbearerOptions } from './oauthbearer.ts';
import { plain, type PlainOptions } from './plain.ts';
import type { SaslMechanism } from './sasl-mechanism.ts';
import { scram, type ScramOptions } from './scram.ts';

/** How to authenticate: one of the mechanisms that the client brings, or a mechanism of your own. */
export type SaslOptions = PlainOptions | ScramOptions | OauthbearerOptions | SaslMechanism;

/**
 * The mechanism for the options.
 * @throws OptionError for a mechanism that the client does not bring, or credentials that are missing
 */
export function saslMechanism(options: SaslOptions, random: Random): SaslMechanism {
  if ('start' in options) return options;
  const mechanism: string = options.mechanism;
  switch (options.mechanism) {
    case 'PLAIN':
      checkCredentials(options);
      return plain(options);
    case 'SCRAM-SHA-256':
    case 'SCRAM-SHA-512':
      checkCredentials(options);
      return scram(options, random);
    case 'OAUTHBEARER':
      if (typeof options.token !== 'function')
        throw new OptionError('sasl.token is not a function that returns a token');
      return oauthbearer(options);
    default:
      throw new OptionError(
        `sasl.mechanism "${mechanism}" is none of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 and OAUTHBEARER; pass an object with mechanism and start() for others`,
      );
  }
}

function checkCredentials({ mechanism, username, password }: PlainOptions | ScramOptions): void {
  if (typeof username !== 'string' || username === '')
    throw new OptionError(`sasl.username is missing for ${mechanism}`);
  if (typeof password !== 'function' && (typeof password !== 'string' || password === ''))
    throw new OptionError(`sasl.password is missing for ${mechanism}`);
}
