import { ApiKeys, deleteTopicsRequest, deleteTopicsResponse, ErrorCodes, ZERO_UUID } from '@ottla/protocol';
import type { DeleteTopicsRequest, DeleteTopicsResponse } from '@ottla/protocol';
import type { Controller, TopicReference } from '../controller/controller.ts';
import type { MetadataStore } from '../metadata/image.ts';
import type { MutationQuota } from '../quota/mutation-quota.ts';
import type { ApiHandler } from './handler.ts';
import { chargeMutations } from './throttle.ts';

type ResponseTopic = DeleteTopicsResponse['responses'][number];

export interface DeleteTopicsDeps {
  readonly metadata: MetadataStore;
  readonly controller: Controller;
  readonly mutations: MutationQuota;
  /** `delete.topic.enable`. */
  readonly deleteTopicEnable: () => boolean;
}

/** Deletes topics by name or, since version 6, by id (KIP-516). */
export function deleteTopicsHandler(
  deps: DeleteTopicsDeps,
): ApiHandler<DeleteTopicsRequest, DeleteTopicsResponse> {
  return {
    apiKey: ApiKeys.DeleteTopics,
    minVersion: 1,
    maxVersion: 6,
    request: deleteTopicsRequest,
    response: deleteTopicsResponse,

    async handle(request, context) {
      if (!deps.deleteTopicEnable()) {
        const errorCode =
          context.apiVersion < 3 ? ErrorCodes.INVALID_REQUEST : ErrorCodes.TOPIC_DELETION_DISABLED;
        return errorResponse(request, errorCode);
      }
      const responses: ResponseTopic[] = [];
      const accepted = sortOut(request, deps.metadata, responses);
      const charged = chargeMutations(deps.mutations, context, 5);
      const results = await deps.controller.deleteTopics({ topics: accepted, quota: charged.quota });
      return {
        throttleTimeMs: charged.throttle(),
        responses: [...responses, ...results.map((result) => ({ ...result }))],
      };
    },

    errorResponse,
  };
}

/**
 * The references that make sense; the others are answered at once: neither name nor id, both, the same twice, or a name
 * and an id that mean the same topic.
 */
function sortOut(
  request: DeleteTopicsRequest,
  metadata: MetadataStore,
  responses: ResponseTopic[],
): TopicReference[] {
  const refuse = (name: string | null, topicId: string, errorMessage: string): void => {
    responses.push({ name, topicId, errorCode: ErrorCodes.INVALID_REQUEST, errorMessage });
  };
  const names = new Map<string, number>();
  const ids = new Map<string, number>();
  const count = (counts: Map<string, number>, key: string): void =>
    void counts.set(key, (counts.get(key) ?? 0) + 1);
  for (const name of request.topicNames) count(names, name);
  for (const { name, topicId } of request.topics) {
    if (name === null && topicId === ZERO_UUID)
      refuse(null, ZERO_UUID, 'Neither topic name nor id were specified.');
    else if (name === null) count(ids, topicId);
    else if (topicId === ZERO_UUID) count(names, name);
    else refuse(name, topicId, 'You may not specify both topic name and topic id.');
  }
  const accepted: TopicReference[] = [];
  for (const [id, times] of ids) {
    if (times > 1) refuse(null, id, 'Duplicate topic id.');
    else accepted.push({ name: null, id });
  }
  for (const [name, times] of names) {
    const id = metadata.current().topics.byName.get(name)?.id;
    if (times > 1) {
      refuse(name, ZERO_UUID, 'Duplicate topic name.');
    } else if (id !== undefined && ids.has(id)) {
      refuse(name, id, 'The provided topic name maps to an ID that was already supplied.');
      const index = accepted.findIndex((reference) => reference.id === id);
      if (index >= 0) accepted.splice(index, 1);
    } else {
      accepted.push({ name, id: null });
    }
  }
  return accepted;
}

function errorResponse(request: DeleteTopicsRequest, errorCode: number): DeleteTopicsResponse {
  const byName = request.topicNames.map((name) => ({ name, topicId: ZERO_UUID }));
  return {
    throttleTimeMs: 0,
    responses: [...byName, ...request.topics].map(({ name, topicId }) => ({
      name,
      topicId,
      errorCode,
      errorMessage: null,
    })),
  };
}
