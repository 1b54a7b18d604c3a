import { SILENT_LOGGER } from '@ottla/platform';
import {
  ApiKeys,
  decodeResponse,
  encodeRequest,
  heartbeatRequest,
  heartbeatResponse,
  type HeartbeatRequest,
  type HeartbeatResponse,
} from '@ottla/protocol';
import { expect, test } from 'vitest';
import type { ApiHandler } from '../../src/handlers/handler.ts';
import { RequestDispatcher } from '../../src/network/request-dispatcher.ts';
import { CONNECTION } from '../coordinator/simulated-replicas.ts';

test('what follows the body of a request is passed over, as in Kafka', () => {
  const seen: HeartbeatRequest[] = [];
  const answer = (errorCode: number): HeartbeatResponse => ({ throttleTimeMs: 0, errorCode });
  const handler: ApiHandler<HeartbeatRequest, HeartbeatResponse> = {
    apiKey: ApiKeys.Heartbeat,
    minVersion: 4,
    maxVersion: 4,
    request: heartbeatRequest,
    response: heartbeatResponse,
    handle(request) {
      seen.push(request);
      return answer(0);
    },
    errorResponse: (_request, errorCode) => answer(errorCode),
  };
  const dispatcher = new RequestDispatcher([handler], SILENT_LOGGER);
  const body = { groupId: 'g', generationId: 7, memberId: 'm', groupInstanceId: null };
  const sent = Buffer.concat(encodeRequest(heartbeatRequest, 4, { correlationId: 5, clientId: 'c' }, body));
  const { chunks } = dispatcher.dispatch(Buffer.concat([sent.subarray(4), Buffer.alloc(3, 1)]), CONNECTION);
  expect(seen).toEqual([body]);
  expect(
    decodeResponse(heartbeatResponse, 4, Buffer.concat(chunks! as readonly Buffer[]).subarray(4)),
  ).toMatchObject({
    correlationId: 5,
    value: answer(0),
  });
});
