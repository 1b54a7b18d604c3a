import {
  ApiKeys,
  createPartitionsRequest,
  createPartitionsResponse,
  ErrorCodes,
  errorMessage,
} from '@ottla/protocol';
import type { CreatePartitionsRequest, CreatePartitionsResponse } from '@ottla/protocol';
import type { Controller } from '../controller/controller.ts';
import type { MutationQuota } from '../quota/mutation-quota.ts';
import type { ApiHandler } from './handler.ts';
import { chargeMutations } from './throttle.ts';

/** Adds partitions to topics. Every topic has its own result. */
export function createPartitionsHandler(deps: {
  readonly controller: Controller;
  readonly mutations: MutationQuota;
}): ApiHandler<CreatePartitionsRequest, CreatePartitionsResponse> {
  return {
    apiKey: ApiKeys.CreatePartitions,
    minVersion: 0,
    maxVersion: 3,
    request: createPartitionsRequest,
    response: createPartitionsResponse,

    async handle(request, context) {
      const counts = new Map<string, number>();
      for (const { name } of request.topics) counts.set(name, (counts.get(name) ?? 0) + 1);
      const results: CreatePartitionsResponse['results'] = [];
      for (const [name, count] of counts) {
        if (count === 1) continue;
        results.push({ name, errorCode: ErrorCodes.INVALID_REQUEST, errorMessage: 'Duplicate topic name.' });
      }
      const topics = request.topics.filter(({ name }) => counts.get(name) === 1);
      const charged = chargeMutations(deps.mutations, context, 3);
      const outcomes = await deps.controller.createPartitions({
        topics,
        validateOnly: request.validateOnly,
        quota: charged.quota,
      });
      for (const [index, outcome] of outcomes.entries())
        results.push({ name: topics[index]?.name ?? '', ...outcome });
      return { throttleTimeMs: charged.throttle(), results };
    },

    errorResponse: (request, errorCode) => ({
      throttleTimeMs: 0,
      results: request.topics.map(({ name }) => ({ name, errorCode, errorMessage: errorMessage(errorCode) })),
    }),
  };
}
