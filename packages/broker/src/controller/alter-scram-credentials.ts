import { ErrorCodes } from '@ottla/protocol';
import { metadataRecord } from '../metadata/records.ts';
import type { MetadataRecord } from '../metadata/records.ts';
import { bounded, OK, type CommandResult, type CommandState } from './command.ts';
import type { ItemResult, ScramAlterations, ScramUpsertion, UserResult } from './controller.ts';
import { SCRAM_HASHES, scramKeys } from './scram-keys.ts';

/** Kafka's bounds: fewer iterations are easy to guess by, more keep a broker busy that checks a password. */
const MIN_ITERATIONS = 4096;
const MAX_ITERATIONS = 16_384;

type Refuse = (errorCode: number, errorMessage: string | null) => ItemResult;
const refuse: Refuse = (errorCode, errorMessage) => ({ errorCode, errorMessage });

/**
 * AlterUserScramCredentials (KIP-554): every user succeeds or fails alone, and may be named once in a request.
 */
export function alterScramCredentials(
  state: CommandState,
  { deletions, upsertions }: ScramAlterations,
): CommandResult<UserResult[]> {
  const changes = new Map<string, MetadataRecord | ItemResult>();
  const plan = (user: string, change: () => MetadataRecord | ItemResult): void => {
    const planned = changes.get(user);
    if (planned === undefined) {
      changes.set(user, change());
    } else if ('type' in planned) {
      const message = 'A user credential cannot be altered twice in the same request';
      changes.set(user, refuse(ErrorCodes.DUPLICATE_RESOURCE, message));
    }
  };
  for (const { user, mechanism } of deletions) {
    plan(user, () => deletionRefusal(state, user, mechanism) ?? removal(user, mechanism));
  }
  for (const upsertion of upsertions) plan(upsertion.user, () => refusalOf(upsertion) ?? written(upsertion));
  const records: MetadataRecord[] = [];
  const reply = Array.from(changes, ([user, change]): UserResult => {
    if (!('type' in change)) return { user, ...change };
    records.push(change);
    return { user, ...OK };
  });
  // Kafka comes upon the size of the batch only when it writes it, and has no better word then.
  return bounded({ records, reply }, () =>
    reply.map(({ user }) => ({ user, ...refuse(ErrorCodes.UNKNOWN_SERVER_ERROR, null) })),
  );
}

function deletionRefusal({ image }: CommandState, user: string, mechanism: number): ItemResult | null {
  const refusal = nameOrMechanismRefusal(user, mechanism);
  if (refusal !== null) return refusal;
  if (image.scramCredentials.get(user)?.has(mechanism) === true) return null;
  return refuse(ErrorCodes.RESOURCE_NOT_FOUND, 'Attempt to delete a user credential that does not exist');
}

function removal(name: string, mechanism: number): MetadataRecord {
  return metadataRecord('RemoveUserScramCredentialRecord', { name, mechanism });
}

function written({ user, mechanism, iterations, salt, saltedPassword }: ScramUpsertion): MetadataRecord {
  return metadataRecord('UserScramCredentialRecord', {
    name: user,
    mechanism,
    salt,
    iterations,
    ...scramKeys(mechanism, saltedPassword),
  });
}

function nameOrMechanismRefusal(user: string, mechanism: number): ItemResult | null {
  if (user === '') return refuse(ErrorCodes.UNACCEPTABLE_CREDENTIAL, 'Username must not be empty');
  if (SCRAM_HASHES.has(mechanism)) return null;
  return refuse(ErrorCodes.UNSUPPORTED_SASL_MECHANISM, 'Unknown SCRAM mechanism');
}

function refusalOf({ user, mechanism, iterations, saltedPassword }: ScramUpsertion): ItemResult | null {
  const refusal = nameOrMechanismRefusal(user, mechanism);
  if (refusal !== null) return refusal;
  if (iterations < MIN_ITERATIONS) return refuse(ErrorCodes.UNACCEPTABLE_CREDENTIAL, 'Too few iterations');
  if (iterations > MAX_ITERATIONS) return refuse(ErrorCodes.UNACCEPTABLE_CREDENTIAL, 'Too many iterations');
  // Java makes no HMAC with an empty key, and that is what Kafka has to say of it.
  return saltedPassword.length === 0 ? refuse(ErrorCodes.UNKNOWN_SERVER_ERROR, null) : null;
}
