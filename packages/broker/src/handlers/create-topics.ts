import {
  ApiKeys,
  createTopicsRequest,
  createTopicsResponse,
  ErrorCodes,
  errorMessage,
  ZERO_UUID,
} from '@ottla/protocol';
import type { CreateTopicsRequest, CreateTopicsResponse } from '@ottla/protocol';
import type { Controller, CreateTopicResult } from '../controller/controller.ts';
import { CLUSTER_METADATA_TOPIC } from '../controller/topic-names.ts';
import type { MutationQuota } from '../quota/mutation-quota.ts';
import type { ApiHandler } from './handler.ts';
import { chargeMutations } from './throttle.ts';

type ResponseTopic = CreateTopicsResponse['topics'][number];
export type CreatedTopicConfigs = NonNullable<ResponseTopic['configs']>;

export interface CreateTopicsDeps {
  readonly controller: Controller;
  readonly mutations: MutationQuota;
  /** All configs of a topic with the given overrides, sorted by name, as the response lists them since version 5. */
  readonly describeTopicConfigs: (overrides: ReadonlyMap<string, string>) => CreatedTopicConfigs;
}

/** Creates topics. Every topic has its own result. */
export function createTopicsHandler(
  deps: CreateTopicsDeps,
): ApiHandler<CreateTopicsRequest, CreateTopicsResponse> {
  return {
    apiKey: ApiKeys.CreateTopics,
    minVersion: 2,
    maxVersion: 7,
    request: createTopicsRequest,
    response: createTopicsResponse,

    async handle(request, context) {
      const { accepted, duplicates, forbidden } = sortOut(request);
      const charged = chargeMutations(deps.mutations, context, 6);
      const results = await deps.controller.createTopics({
        topics: accepted,
        validateOnly: request.validateOnly,
        quota: charged.quota,
      });
      const topics = results.map((result, index) => {
        const overrides = accepted[index]?.configs ?? [];
        return describeResult(deps, result, { overrides, apiVersion: context.apiVersion });
      });
      for (const name of duplicates) topics.push(refused(name, 'Duplicate topic name.'));
      if (forbidden) {
        const message = `Creation of internal topic ${CLUSTER_METADATA_TOPIC} is prohibited.`;
        topics.push(refused(CLUSTER_METADATA_TOPIC, message));
      }
      return { throttleTimeMs: charged.throttle(), topics };
    },

    errorResponse: (request, errorCode) => ({
      throttleTimeMs: 0,
      topics: request.topics.map(({ name }) => ({ ...refused(name, errorMessage(errorCode)), errorCode })),
    }),
  };
}

/** What goes to the controller, and what is refused before: names that occur twice, and the controller's own log. */
function sortOut(request: CreateTopicsRequest): {
  accepted: CreateTopicsRequest['topics'];
  duplicates: Set<string>;
  forbidden: boolean;
} {
  const seen = new Set<string>();
  const duplicates = new Set<string>();
  for (const { name } of request.topics) {
    if (seen.has(name)) duplicates.add(name);
    seen.add(name);
  }
  const accepted = request.topics.filter(
    ({ name }) => !duplicates.has(name) && name !== CLUSTER_METADATA_TOPIC,
  );
  const forbidden = seen.has(CLUSTER_METADATA_TOPIC) && !duplicates.has(CLUSTER_METADATA_TOPIC);
  return { accepted, duplicates, forbidden };
}

function describeResult(
  deps: CreateTopicsDeps,
  result: CreateTopicResult,
  about: { overrides: CreateTopicsRequest['topics'][number]['configs']; apiVersion: number },
): ResponseTopic {
  const created = result.errorCode === ErrorCodes.NONE;
  const withConfigs = created && about.apiVersion >= 5;
  return {
    name: result.name,
    topicId: result.topicId,
    errorCode: result.errorCode,
    errorMessage: result.errorMessage,
    topicConfigErrorCode: ErrorCodes.NONE,
    numPartitions: created ? result.numPartitions : -1,
    replicationFactor: created ? result.replicationFactor : -1,
    configs: withConfigs
      ? deps.describeTopicConfigs(new Map(about.overrides.map(({ name, value }) => [name, value ?? ''])))
      : [],
  };
}

function refused(name: string, message: string | null): ResponseTopic {
  return {
    name,
    topicId: ZERO_UUID,
    errorCode: ErrorCodes.INVALID_REQUEST,
    errorMessage: message,
    topicConfigErrorCode: ErrorCodes.NONE,
    numPartitions: -1,
    replicationFactor: -1,
    configs: [],
  };
}
