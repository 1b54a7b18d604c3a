import {
  ApiKeys,
  ErrorCodes,
  errorMessage,
  updateFeaturesRequest,
  updateFeaturesResponse,
} from '@ottla/protocol';
import type { UpdateFeaturesRequest, UpdateFeaturesResponse } from '@ottla/protocol';
import type { Controller } from '../controller/controller.ts';
import type { ApiHandler } from './handler.ts';

/** Versions before this one answer for each feature, which Kafka only does when all went well. */
const ONE_RESULT_VERSION = 2;

/** UpdateFeatures (KIP-584; validation only since version 1, KIP-778; one result for all since version 2, KIP-1022). */
export function updateFeaturesHandler(deps: {
  readonly controller: Controller;
}): ApiHandler<UpdateFeaturesRequest, UpdateFeaturesResponse> {
  return {
    apiKey: ApiKeys.UpdateFeatures,
    minVersion: 0,
    maxVersion: 2,
    request: updateFeaturesRequest,
    response: updateFeaturesResponse,

    async handle({ featureUpdates, validateOnly }, { apiVersion }) {
      // `allowDowngrade` of version 0 means nothing to Kafka 4 either.
      const updates = featureUpdates.map(({ feature, maxVersionLevel, upgradeType }) => ({
        feature,
        level: maxVersionLevel,
        upgradeType,
      }));
      const result = await deps.controller.updateFeatures({ updates, validateOnly });
      const isDone = result.errorCode === ErrorCodes.NONE;
      const features = isDone && apiVersion < ONE_RESULT_VERSION ? updates.map(({ feature }) => feature) : [];
      return {
        throttleTimeMs: 0,
        ...result,
        results: [...new Set(features)].map((feature) => ({
          feature,
          errorCode: ErrorCodes.NONE,
          errorMessage: 'NONE',
        })),
      };
    },

    errorResponse: (_request, errorCode) => ({
      throttleTimeMs: 0,
      errorCode,
      errorMessage: errorMessage(errorCode),
      results: [],
    }),
  };
}
