import { ErrorCodes } from '@ottla/protocol';
import type { CallLimits } from '../cluster/limits.ts';
import { brokerError, isKafkaError, throwIfError, errorOf } from '../errors/kafka-error.ts';
import { apis } from '../network/apis.ts';
import { saltedPassword } from '../network/sasl/scram.ts';
import type { AdminRequests } from './admin-requests.ts';
import { only, valuesOrThrow, type PerItem } from './per-item.ts';

const MECHANISMS = { 'SCRAM-SHA-256': 1, 'SCRAM-SHA-512': 2 } as const;

/** SASL mechanisms with credentials in the cluster. */
export type ScramMechanism = keyof typeof MECHANISMS;

/** What the broker tells of a password: never the password itself, nor its keys. */
export interface ScramCredential {
  readonly mechanism: ScramMechanism;
  readonly iterations: number;
}

/** A user and the mechanisms that the user may log in with. */
export interface UserCredentials {
  readonly user: string;
  readonly credentials: readonly ScramCredential[];
}

/** Kafka's default. */
const DEFAULT_ITERATIONS = 4096;

/** Users with SCRAM credentials (KIP-554). */
export class UsersAdmin {
  readonly #requests: AdminRequests;

  constructor(requests: AdminRequests) {
    this.#requests = requests;
  }

  /** Users and the kinds of their credentials (default: all users); names without credentials are errors of their own. */
  async describe(
    users: readonly string[] | 'all' = 'all',
    options: CallLimits = {},
  ): Promise<PerItem<UserCredentials>> {
    const body = { users: users === 'all' ? null : users.map((name) => ({ name })) };
    return this.#requests.ask(
      'controller',
      { api: apis.describeUserScramCredentials, body },
      options,
      (answer) => {
        throwIfError(answer.errorCode, answer.errorMessage);
        return new Map(
          answer.results.map(({ user, errorCode, errorMessage, credentialInfos }) => [
            user,
            errorCode === ErrorCodes.NONE
              ? {
                  user,
                  credentials: credentialInfos.map(({ mechanism, iterations }) => ({
                    mechanism: mechanism === MECHANISMS['SCRAM-SHA-256'] ? 'SCRAM-SHA-256' : 'SCRAM-SHA-512',
                    iterations,
                  })),
                }
              : brokerError(errorCode, errorMessage, `user "${user}"`),
          ]),
        );
      },
    );
  }

  /** Sets a user's password for a mechanism. What is sent is the salted hash, not the password. */
  async setPassword(
    user: string,
    credential: {
      readonly mechanism: ScramMechanism;
      readonly password: string;
      readonly iterations?: number;
    },
    options: CallLimits = {},
  ): Promise<void> {
    const { mechanism, password, iterations = DEFAULT_ITERATIONS } = credential;
    const { random } = this.#requests.cluster.options;
    const salt = Buffer.concat([random.uuid(), random.uuid()].map((uuid) => Buffer.from(uuid, 'base64url')));
    const hash = mechanism === 'SCRAM-SHA-256' ? 'sha256' : 'sha512';
    const salted = await saltedPassword(Buffer.from(password, 'utf8'), salt, { iterations, hash });
    const upsertion = {
      name: user,
      mechanism: MECHANISMS[mechanism],
      iterations,
      salt,
      saltedPassword: salted,
    };
    valuesOrThrow(await this.#alter([user], { deletions: [], upsertions: [upsertion] }, options));
  }

  /** Deletes a user's credentials for a mechanism. Throws RESOURCE_NOT_FOUND when there are none. */
  async delete(user: string, mechanism: ScramMechanism, options: CallLimits = {}): Promise<void> {
    const deletions = [{ name: user, mechanism: MECHANISMS[mechanism] }];
    only(await this.#alter([user], { deletions, upsertions: [] }, options));
  }

  /** Whether the user has credentials for the mechanism. */
  async has(user: string, mechanism: ScramMechanism, options: CallLimits = {}): Promise<boolean> {
    const outcome = (await this.describe([user], options)).get(user);
    if (isKafkaError(outcome)) {
      if (outcome.name === 'RESOURCE_NOT_FOUND') return false;
      throw outcome;
    }
    return outcome?.credentials.some((each) => each.mechanism === mechanism) ?? false;
  }

  #alter(
    users: readonly string[],
    body: {
      readonly deletions: readonly { name: string; mechanism: number }[];
      readonly upsertions: readonly {
        name: string;
        mechanism: number;
        iterations: number;
        salt: Buffer;
        saltedPassword: Buffer;
      }[];
    },
    options: CallLimits,
  ): Promise<PerItem<undefined>> {
    return this.#requests.toController('Changing users', users, options, async (_, attempt) => {
      const answer = await this.#requests.send(
        'controller',
        { api: apis.alterUserScramCredentials, body },
        attempt,
      );
      return answer.results.map(({ user, errorCode, errorMessage }) => [
        user,
        errorOf(errorCode, errorMessage, `user "${user}"`),
      ]);
    });
  }
}
