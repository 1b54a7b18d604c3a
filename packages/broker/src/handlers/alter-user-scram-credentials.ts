import {
  ApiKeys,
  alterUserScramCredentialsRequest,
  alterUserScramCredentialsResponse,
  errorMessage,
} from '@ottla/protocol';
import type { AlterUserScramCredentialsRequest, AlterUserScramCredentialsResponse } from '@ottla/protocol';
import type { Controller } from '../controller/controller.ts';
import type { ApiHandler } from './handler.ts';

/** AlterUserScramCredentials (KIP-554). */
export function alterUserScramCredentialsHandler(deps: {
  readonly controller: Controller;
}): ApiHandler<AlterUserScramCredentialsRequest, AlterUserScramCredentialsResponse> {
  return {
    apiKey: ApiKeys.AlterUserScramCredentials,
    minVersion: 0,
    maxVersion: 0,
    request: alterUserScramCredentialsRequest,
    response: alterUserScramCredentialsResponse,

    async handle({ deletions, upsertions }) {
      const results = await deps.controller.alterScramCredentials({
        deletions: deletions.map(({ name, mechanism }) => ({ user: name, mechanism })),
        upsertions: upsertions.map(({ name, ...credential }) => ({ user: name, ...credential })),
      });
      return { throttleTimeMs: 0, results: results.map((result) => ({ ...result })) };
    },

    errorResponse({ deletions, upsertions }, errorCode) {
      const users = new Set([...deletions, ...upsertions].map(({ name }) => name));
      const results = Array.from(users, (user) => ({
        user,
        errorCode,
        errorMessage: errorMessage(errorCode),
      }));
      return { throttleTimeMs: 0, results };
    },
  };
}
