import {
  ErrorCodes,
  errorMessage,
  errorName,
  type Infer,
  type MessageInput,
  type apiVersionsResponse,
} from '@ottla/protocol';
import { AuthenticationError, UnsupportedApiVersionError } from '../errors/client-errors.ts';
import { brokerError, KafkaError } from '../errors/kafka-error.ts';
import type { Api } from './api.ts';
import { apis } from './apis.ts';
import type { SaslMechanism } from './sasl/sasl-mechanism.ts';

/** Sends one request past the queue and waits for its answer. */
export type ExchangeRequest = <Req, Res>(
  api: Api<Req, Res>,
  version: number,
  body: MessageInput<Req>,
) => Promise<Res>;

/** Versions of an API that a broker serves. */
export interface VersionRange {
  readonly min: number;
  readonly max: number;
}

/** What a broker says about itself on a new connection. */
export interface BrokerFeatures {
  /** By API key. */
  readonly versions: ReadonlyMap<number, VersionRange>;
  /** Finalized features by name (KIP-584): the level in force. */
  readonly finalizedFeatures: ReadonlyMap<string, number>;
  readonly finalizedFeaturesEpoch: number;
  /** Features that the broker could have, by name. */
  readonly supportedFeatures: ReadonlyMap<string, VersionRange>;
}

const SOFTWARE = { clientSoftwareName: 'ottla', clientSoftwareVersion: '0.1.0' };
/** Version 5 names the node that is meant, which a client that only knows an address does not. */
const HIGHEST_API_VERSIONS = 4;

/**
 * Asks for the broker's versions with the newest request there is; a broker that does not know it answers with UNSUPPORTED_VERSION
 * in version 0 and the range that it does know (KIP-511).
 */
export async function negotiateVersions(exchange: ExchangeRequest): Promise<BrokerFeatures> {
  const newest = Math.min(HIGHEST_API_VERSIONS, apis.apiVersions.maxVersion);
  let answer = await exchange(apis.apiVersions, newest, SOFTWARE);
  if (answer.errorCode === ErrorCodes.UNSUPPORTED_VERSION) {
    const own = answer.apiKeys.find(({ apiKey }) => apiKey === apis.apiVersions.key);
    answer = await exchange(apis.apiVersions, Math.min(own?.maxVersion ?? 0, newest), SOFTWARE);
  }
  // As in Java another attempt is made, whatever the error: without versions nothing can be said about a request.
  if (answer.errorCode !== ErrorCodes.NONE)
    throw new KafkaError(
      errorName(answer.errorCode),
      'The broker refuses to tell its versions (ApiVersions)',
      {
        cause: brokerError(answer.errorCode),
        retriable: answer.errorCode !== ErrorCodes.UNSUPPORTED_VERSION,
      },
    );
  return featuresOf(answer);
}

function featuresOf(answer: Infer<typeof apiVersionsResponse>): BrokerFeatures {
  return {
    versions: new Map(
      answer.apiKeys.map(({ apiKey, minVersion, maxVersion }) => [
        apiKey,
        { min: minVersion, max: maxVersion },
      ]),
    ),
    finalizedFeatures: new Map(
      answer.finalizedFeatures.map(({ name, maxVersionLevel }) => [name, maxVersionLevel]),
    ),
    finalizedFeaturesEpoch: answer.finalizedFeaturesEpoch,
    supportedFeatures: new Map(
      answer.supportedFeatures.map(({ name, minVersion, maxVersion }) => [
        name,
        { min: minVersion, max: maxVersion },
      ]),
    ),
  };
}

/**
 * The version of an API to use with a broker: the highest that both have, within the limits of the call.
 * @throws UnsupportedApiVersionError when there is none
 */
export function chooseVersion(
  api: Api<unknown, unknown>,
  broker: VersionRange | undefined,
  limits: { readonly minVersion?: number | undefined; readonly maxVersion?: number | undefined },
): number {
  if (broker === undefined)
    throw new UnsupportedApiVersionError(
      `The broker does not serve ${api.name}; it may be too old, or need a feature enabled`,
    );
  const highest = Math.min(api.maxVersion, broker.max, limits.maxVersion ?? Infinity);
  const lowest = Math.max(api.minVersion, broker.min, limits.minVersion ?? 0);
  if (highest >= lowest) return highest;
  const need = `${Math.max(api.minVersion, limits.minVersion ?? 0)} to ${Math.min(api.maxVersion, limits.maxVersion ?? Infinity)}`;
  throw new UnsupportedApiVersionError(
    `The broker serves ${api.name} in versions ${broker.min} to ${broker.max}, this call needs ${need}`,
  );
}

/** SaslAuthenticate rounds after which a server is taken to be broken. */
const MAX_ROUNDS = 32;

/**
 * Authenticates the connection: also used for doing it again on an open one (KIP-368). Resolves with the lifetime of the session in
 * milliseconds; 0 when it does not end.
 * @throws AuthenticationError when either side is not satisfied
 */
export async function authenticate(
  exchange: ExchangeRequest,
  mechanism: SaslMechanism,
  place: { readonly host: string; readonly port: number; readonly features: BrokerFeatures },
): Promise<number> {
  const { versions } = place.features;
  const handshakeVersion = chooseVersion(apis.saslHandshake, versions.get(apis.saslHandshake.key), {
    minVersion: 1,
  });
  const shake = await exchange(apis.saslHandshake, handshakeVersion, { mechanism: mechanism.mechanism });
  if (shake.errorCode !== ErrorCodes.NONE) {
    throw new AuthenticationError(
      `The broker ${place.host}:${place.port} does not accept the SASL mechanism "${mechanism.mechanism}"; it has ${shake.mechanisms.join(', ') || 'none'}`,
      {
        name:
          shake.errorCode === ErrorCodes.ILLEGAL_SASL_STATE
            ? 'ILLEGAL_SASL_STATE'
            : 'UNSUPPORTED_SASL_MECHANISM',
      },
    );
  }
  const version = chooseVersion(apis.saslAuthenticate, versions.get(apis.saslAuthenticate.key), {});
  const session = mechanism.start(place);
  let message: Buffer | null = await own<Buffer>(mechanism, () => session.first());
  let lifetimeMs = 0;
  for (let round = 0; message !== null; round += 1) {
    if (round === MAX_ROUNDS)
      throw new AuthenticationError(`${mechanism.mechanism} did not end after ${MAX_ROUNDS} rounds`);
    const authBytes: Buffer = message;
    const answer = await exchange(apis.saslAuthenticate, version, { authBytes });
    if (answer.errorCode !== ErrorCodes.NONE) {
      const reason = answer.errorMessage ?? errorMessage(answer.errorCode) ?? 'no reason given';
      throw new AuthenticationError(
        `The broker ${place.host}:${place.port} refuses the credentials (${mechanism.mechanism}): ${reason}`,
      );
    }
    lifetimeMs = answer.sessionLifetimeMs;
    message = await own<Buffer | null>(mechanism, () => session.next(answer.authBytes));
  }
  return lifetimeMs;
}

/** What a mechanism, or the function behind a password or token, throws is a failed authentication. */
async function own<T>(mechanism: SaslMechanism, step: () => T | Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    if (error instanceof KafkaError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new AuthenticationError(`${mechanism.mechanism} cannot be done: ${reason}`, { cause: error });
  }
}
