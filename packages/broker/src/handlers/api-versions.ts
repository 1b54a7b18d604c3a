import {
  ApiKeys,
  type ApiVersionsRequest,
  apiVersionsRequest,
  type ApiVersionsResponse,
  apiVersionsResponse,
  ErrorCodes,
} from '@ottla/protocol';
import type { MetadataStore } from '../metadata/image.ts';
import type { AnyApiHandler, ApiHandler } from './handler.ts';

/** KIP-511: what a client may call itself and its version. */
const SOFTWARE_NAME = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/;
/** Produce versions 0 to 2 are announced because librdkafka looks for them, and refused when used, as Kafka 4 does. */
const ANNOUNCED_PRODUCE_MIN = 0;
/** Clients before this version cannot read a feature whose lowest level is 0, so such features are left out for them. */
const LEVEL_ZERO_VERSION = 4;

/** A feature this broker can run at, as `[name, lowest level, highest level]`. */
export type SupportedFeature = readonly [name: string, minVersion: number, maxVersion: number];

export interface ApiVersionsDependencies {
  readonly metadata: MetadataStore;
  /** Level of `kraft.version`, which stands among the voters and not in the metadata image. */
  readonly kraftVersion: () => number;
  readonly supportedFeatures: readonly SupportedFeature[];
  /** Every handler of the broker; read on each call, so that the table may hold this handler too. */
  readonly handlers: () => readonly AnyApiHandler[];
}

/** ApiVersions 0 to 4: announces exactly the handlers there are, and the features of the metadata image. */
export function apiVersionsHandler(
  deps: ApiVersionsDependencies,
): ApiHandler<ApiVersionsRequest, ApiVersionsResponse> {
  let announced: ApiVersionsResponse['apiKeys'] | null = null;
  return {
    apiKey: ApiKeys.ApiVersions,
    minVersion: 0,
    maxVersion: 4,
    request: apiVersionsRequest,
    response: apiVersionsResponse,

    handle(request, context) {
      if (context.apiVersion >= 3) {
        if (
          !SOFTWARE_NAME.test(request.clientSoftwareName) ||
          !SOFTWARE_NAME.test(request.clientSoftwareVersion)
        ) {
          return refusal(ErrorCodes.INVALID_REQUEST, []);
        }
        context.connection.softwareName = request.clientSoftwareName;
        context.connection.softwareVersion = request.clientSoftwareVersion;
      }
      announced ??= announcement(deps.handlers());
      return answer(announced, deps, context.apiVersion);
    },

    errorResponse(_request, errorCode) {
      // A client that is too new learns which versions of this one API it may use (KIP-511).
      const isUnsupported = errorCode === ErrorCodes.UNSUPPORTED_VERSION;
      return refusal(
        errorCode,
        isUnsupported ? [{ apiKey: ApiKeys.ApiVersions, minVersion: 0, maxVersion: 4 }] : [],
      );
    },
  };
}

function announcement(handlers: readonly AnyApiHandler[]): ApiVersionsResponse['apiKeys'] {
  return handlers
    .map(({ apiKey, minVersion, maxVersion }) => ({
      apiKey,
      minVersion: apiKey === ApiKeys.Produce ? ANNOUNCED_PRODUCE_MIN : minVersion,
      maxVersion,
    }))
    .toSorted((a, b) => a.apiKey - b.apiKey);
}

function answer(
  apiKeys: ApiVersionsResponse['apiKeys'],
  deps: ApiVersionsDependencies,
  apiVersion: number,
): ApiVersionsResponse {
  const image = deps.metadata.current();
  return {
    ...refusal(ErrorCodes.NONE, apiKeys),
    supportedFeatures: deps.supportedFeatures
      .filter(([, minVersion]) => minVersion > 0 || apiVersion >= LEVEL_ZERO_VERSION)
      .map(([name, minVersion, maxVersion]) => ({ name, minVersion, maxVersion })),
    finalizedFeaturesEpoch: image.offset,
    finalizedFeatures: [...image.features, ['kraft.version', deps.kraftVersion()] as const]
      .filter(([, level]) => level > 0)
      .map(([name, level]) => ({ name, maxVersionLevel: level, minVersionLevel: level })),
  };
}

function refusal(errorCode: number, apiKeys: ApiVersionsResponse['apiKeys']): ApiVersionsResponse {
  return {
    errorCode,
    apiKeys,
    throttleTimeMs: 0,
    supportedFeatures: [],
    finalizedFeaturesEpoch: -1,
    finalizedFeatures: [],
    zkMigrationReady: false,
  };
}
