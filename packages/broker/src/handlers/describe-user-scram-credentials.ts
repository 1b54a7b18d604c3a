import {
  ApiKeys,
  describeUserScramCredentialsRequest,
  describeUserScramCredentialsResponse,
  ErrorCodes,
  errorMessage,
} from '@ottla/protocol';
import type {
  DescribeUserScramCredentialsRequest,
  DescribeUserScramCredentialsResponse,
} from '@ottla/protocol';
import type { ScramCredentials } from '../metadata/scram-image.ts';
import type { MetadataStore } from '../metadata/image.ts';
import type { ApiHandler } from './handler.ts';

type Result = DescribeUserScramCredentialsResponse['results'][number];

/** DescribeUserScramCredentials (KIP-554): mechanisms and iterations of users, never what passwords are checked by. */
export function describeUserScramCredentialsHandler(deps: {
  readonly metadata: MetadataStore;
}): ApiHandler<DescribeUserScramCredentialsRequest, DescribeUserScramCredentialsResponse> {
  return {
    apiKey: ApiKeys.DescribeUserScramCredentials,
    minVersion: 0,
    maxVersion: 0,
    request: describeUserScramCredentialsRequest,
    response: describeUserScramCredentialsResponse,

    handle({ users }) {
      const { scramCredentials } = deps.metadata.current();
      const counts = new Map<string, number>();
      for (const { name } of users ?? []) counts.set(name, (counts.get(name) ?? 0) + 1);
      // Nobody named: everybody.
      if (counts.size === 0) for (const name of scramCredentials.keys()) counts.set(name, 1);
      const results = Array.from(counts, ([user, count]) => describe(scramCredentials, user, count));
      return { throttleTimeMs: 0, errorCode: ErrorCodes.NONE, errorMessage: '', results };
    },

    errorResponse: (request, errorCode) => ({
      throttleTimeMs: 0,
      errorCode,
      errorMessage: errorMessage(errorCode),
      results: (request.users ?? []).map(({ name }) => refusal(name, errorCode, errorMessage(errorCode))),
    }),
  };
}

function describe(credentials: ScramCredentials, user: string, count: number): Result {
  if (count > 1) {
    const message = `Cannot describe SCRAM credentials for the same user twice in a single request: ${user}`;
    return refusal(user, ErrorCodes.DUPLICATE_RESOURCE, message);
  }
  const ofUser = credentials.get(user);
  if (ofUser === undefined) {
    const message = `Attempt to describe a user credential that does not exist: ${user}`;
    return refusal(user, ErrorCodes.RESOURCE_NOT_FOUND, message);
  }
  const credentialInfos = Array.from(ofUser, ([mechanism, { iterations }]) => ({ mechanism, iterations }));
  return { user, errorCode: ErrorCodes.NONE, errorMessage: '', credentialInfos };
}

function refusal(user: string, errorCode: number, message: string | null): Result {
  return { user, errorCode, errorMessage: message, credentialInfos: [] };
}
