import { ApiKeys, describeClusterRequest, describeClusterResponse, ErrorCodes } from '@ottla/protocol';
import type { DescribeClusterRequest, DescribeClusterResponse } from '@ottla/protocol';
import type { MetadataImage, MetadataStore } from '../metadata/image.ts';
import { ALL_CLUSTER_OPERATIONS, OPERATIONS_NOT_REQUESTED } from './authorized-operations.ts';
import type { ApiHandler } from './handler.ts';
import { advertisedController } from './partition-metadata.ts';

/** Kafka's EndpointType: brokers or controllers. */
const EndpointType = { broker: 1, controller: 2 } as const;

/** The brokers of the cluster, on request with the fenced ones (KIP-1073). */
export function describeClusterHandler(deps: {
  readonly metadata: MetadataStore;
}): ApiHandler<DescribeClusterRequest, DescribeClusterResponse> {
  return {
    apiKey: ApiKeys.DescribeCluster,
    minVersion: 0,
    maxVersion: 2,
    request: describeClusterRequest,
    response: describeClusterResponse,

    handle(request, context) {
      const { endpointType } = request;
      if (endpointType === EndpointType.controller) {
        const errorCode =
          context.apiVersion === 0 ? ErrorCodes.INVALID_REQUEST : ErrorCodes.MISMATCHED_ENDPOINT_TYPE;
        const message =
          'The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER';
        return failure(errorCode, message);
      }
      if (endpointType !== EndpointType.broker) {
        const errorCode =
          context.apiVersion === 0 ? ErrorCodes.INVALID_REQUEST : ErrorCodes.UNSUPPORTED_ENDPOINT_TYPE;
        return failure(errorCode, `Unsupported endpoint type ${endpointType}`);
      }
      const image = deps.metadata.current();
      const brokers = brokerList(image, context.connection.listenerName, request.includeFencedBrokers);
      const controllerId = advertisedController(image);
      return {
        ...failure(ErrorCodes.NONE, null),
        clusterId: image.clusterId,
        controllerId: brokers.some((broker) => broker.brokerId === controllerId) ? controllerId : -1,
        brokers,
        clusterAuthorizedOperations: request.includeClusterAuthorizedOperations
          ? ALL_CLUSTER_OPERATIONS
          : OPERATIONS_NOT_REQUESTED,
      };
    },

    errorResponse: (_request, errorCode) => failure(errorCode, null),
  };
}

function brokerList(
  image: MetadataImage,
  listenerName: string,
  includeFenced: boolean,
): DescribeClusterResponse['brokers'] {
  const brokers = [];
  for (const broker of image.brokers.values()) {
    const endpoint = broker.endpoints.find((candidate) => candidate.listenerName === listenerName);
    if (endpoint === undefined || (broker.fenced && !includeFenced)) continue;
    brokers.push({
      brokerId: broker.id,
      host: endpoint.host,
      port: endpoint.port,
      rack: broker.rack,
      isFenced: broker.fenced,
    });
  }
  return brokers;
}

function failure(errorCode: number, errorMessage: string | null): DescribeClusterResponse {
  return {
    throttleTimeMs: 0,
    errorCode,
    errorMessage,
    endpointType: EndpointType.broker,
    clusterId: '',
    controllerId: -1,
    brokers: [],
    clusterAuthorizedOperations: OPERATIONS_NOT_REQUESTED,
  };
}
