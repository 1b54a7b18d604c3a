import {
  ApiKeys,
  errorMessage,
  ErrorCodes,
  errorName,
  findCoordinatorRequest,
  findCoordinatorResponse,
} from '@ottla/protocol';
import type { FindCoordinatorRequest, FindCoordinatorResponse } from '@ottla/protocol';
import type { MetadataStore } from '../metadata/image.ts';
import type { ApiHandler, RequestContext } from './handler.ts';

/** Kafka's CoordinatorType: what a key names. */
export const CoordinatorType = { group: 0, transaction: 1, share: 2 } as const;

/** Where the coordinator of a key is: the leader of a partition of its topic. */
export interface CoordinatorLocation {
  readonly topic: string;
  partitionFor(key: string): number;
  /** Whether a key has the form that this coordinator's keys have; absent: any will do. */
  isKey?(key: string): boolean;
}

export interface FindCoordinatorDeps {
  readonly metadata: MetadataStore;
  /** The coordinators that this broker has, by `CoordinatorType`; the others are refused with INVALID_REQUEST. */
  readonly coordinators: ReadonlyMap<number, CoordinatorLocation>;
  /** Makes sure that a coordinator's topic exists; resolves to an error code. */
  readonly ensureInternalTopic: (name: string) => Promise<number>;
}

type Coordinator = FindCoordinatorResponse['coordinators'][number];

/**
 * FindCoordinator, versions 0 to 6. 1 adds the key type, 4 several keys at once (KIP-699), 6 share groups (KIP-932).
 * Kafka creates the coordinator's topic and lets the client ask again; Ottla answers when it is there.
 */
export function findCoordinatorHandler(
  deps: FindCoordinatorDeps,
): ApiHandler<FindCoordinatorRequest, FindCoordinatorResponse> {
  return {
    apiKey: ApiKeys.FindCoordinator,
    minVersion: 0,
    maxVersion: 6,
    request: findCoordinatorRequest,
    response: findCoordinatorResponse,

    handle(request, context) {
      const location = deps.coordinators.get(request.keyType);
      const isUnknown = request.keyType === CoordinatorType.share && context.apiVersion < 6;
      if (location === undefined || isUnknown)
        return errorResponse(request, ErrorCodes.INVALID_REQUEST, context);
      if (deps.metadata.current().topics.byName.has(location.topic))
        return locate(request, context, location);
      return deps.ensureInternalTopic(location.topic).then(() => locate(request, context, location));
    },

    errorResponse,
  };

  function locate(
    request: FindCoordinatorRequest,
    context: RequestContext,
    location: CoordinatorLocation,
  ): FindCoordinatorResponse {
    const found = keysOf(request, context).map((key) => findOne(deps.metadata, location, { key, context }));
    return toResponse(found, context);
  }
}

function findOne(
  metadata: MetadataStore,
  location: CoordinatorLocation,
  { key, context }: { key: string; context: RequestContext },
): Coordinator {
  if (location.isKey?.(key) === false) return notFound(key, ErrorCodes.INVALID_REQUEST);
  const image = metadata.current();
  const leader =
    image.topics.byName.get(location.topic)?.partitions[location.partitionFor(key)]?.leader ?? -1;
  const broker = image.brokers.get(leader);
  const endpoint = broker?.endpoints.find(
    ({ listenerName }) => listenerName === context.connection.listenerName,
  );
  if (broker === undefined || broker.fenced || endpoint === undefined) {
    return notFound(key, ErrorCodes.COORDINATOR_NOT_AVAILABLE);
  }
  return { key, nodeId: leader, host: endpoint.host, port: endpoint.port, errorCode: 0, errorMessage: '' };
}

function keysOf(request: FindCoordinatorRequest, context: RequestContext): readonly string[] {
  return context.apiVersion < 4 ? [request.key] : request.coordinatorKeys;
}

function notFound(key: string, errorCode: number): Coordinator {
  return { key, nodeId: -1, host: '', port: -1, errorCode, errorMessage: '' };
}

function errorResponse(
  request: FindCoordinatorRequest,
  errorCode: number,
  context: RequestContext,
): FindCoordinatorResponse {
  const found = keysOf(request, context).map((key) => notFound(key, errorCode));
  return toResponse(found, context);
}

/** Before version 4 the one coordinator stands in the response itself, its message being the error's, "NONE" included. */
function toResponse(found: readonly Coordinator[], { apiVersion }: RequestContext): FindCoordinatorResponse {
  const none = {
    throttleTimeMs: 0,
    errorCode: 0,
    errorMessage: '',
    nodeId: 0,
    host: '',
    port: 0,
    coordinators: [],
  };
  const first = found[0];
  if (apiVersion >= 4 || first === undefined) return { ...none, coordinators: [...found] };
  const { errorCode, nodeId, host, port } = first;
  return {
    ...none,
    errorCode,
    errorMessage: errorMessage(errorCode) ?? errorName(errorCode),
    nodeId,
    host,
    port,
  };
}
