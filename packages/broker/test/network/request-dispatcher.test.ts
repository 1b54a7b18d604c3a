import { SILENT_LOGGER, SimClock } from '@ottla/platform';
import {
  ApiKeys,
  decodeResponse,
  encodeRequest,
  heartbeatRequest,
  heartbeatResponse,
  type HeartbeatRequest,
  type HeartbeatResponse,
} from '@ottla/protocol';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { ApiHandler } from '../../src/handlers/handler.ts';
import { type DispatchResult, RequestDispatcher } from '../../src/network/request-dispatcher.ts';
import { RequestTimeQuota } from '../../src/quota/request-time-quota.ts';
import { CONNECTION } from '../coordinator/simulated-replicas.ts';
import { imageWithQuotas } from '../quota/quota-image.ts';

const answer = (errorCode: number): HeartbeatResponse => ({ throttleTimeMs: 0, errorCode });

function dispatcherOf(
  handle: ApiHandler<HeartbeatRequest, HeartbeatResponse>['handle'],
  options: Options = {},
) {
  const { clock = new SimClock(), percentage, isExempt = false } = options;
  const handler: ApiHandler<HeartbeatRequest, HeartbeatResponse> = {
    apiKey: ApiKeys.Heartbeat,
    minVersion: 4,
    maxVersion: 4,
    isExemptFromRequestQuota: isExempt,
    request: heartbeatRequest,
    response: heartbeatResponse,
    handle,
    errorResponse: (_request, errorCode) => answer(errorCode),
  };
  const image = imageWithQuotas(
    'request_percentage',
    percentage === undefined ? [] : [[undefined, 'c', percentage]],
  );
  const metadata = { current: () => image, subscribe: () => {} };
  const requestTime = new RequestTimeQuota({ clock, metadata, sampling: { samples: 11, sampleMs: 1000 } });
  return new RequestDispatcher([handler], { logger: SILENT_LOGGER, requestTime });
}

interface Options {
  readonly clock?: SimClock;
  readonly percentage?: number;
  readonly isExempt?: boolean;
}

const body = { groupId: 'g', generationId: 7, memberId: 'm', groupInstanceId: null };
const frame = Buffer.concat(
  encodeRequest(heartbeatRequest, 4, { correlationId: 5, clientId: 'c' }, body),
).subarray(4);
const decoded = (chunks: DispatchResult['chunks']) =>
  decodeResponse(heartbeatResponse, 4, Buffer.concat(chunks! as readonly Buffer[]).subarray(4));

test('what follows the body of a request is passed over, as in Kafka', () => {
  const seen: HeartbeatRequest[] = [];
  const dispatcher = dispatcherOf((request) => {
    seen.push(request);
    return answer(0);
  });
  const { chunks } = dispatcher.dispatch(Buffer.concat([frame, Buffer.alloc(3, 1)]), CONNECTION);
  expect(seen).toEqual([body]);
  expect(decoded(chunks)).toMatchObject({ correlationId: 5, value: answer(0) });
});

describe('the time that a request takes', () => {
  const mute = vi.fn<(durationMs: number) => void>();
  const connection = { ...CONNECTION, mute };
  afterEach(() => mute.mockClear());

  /** A request that keeps the event loop for so long. */
  function taking(durationMs: number, options: Options, isAsync = false): RequestDispatcher {
    const clock = new SimClock();
    const handle = (): HeartbeatResponse | Promise<HeartbeatResponse> => {
      clock.advance(durationMs);
      return isAsync ? Promise.resolve(answer(0)) : answer(0);
    };
    return dispatcherOf(handle, { clock, ...options });
  }

  test('is held against its client, which is told and not heard for a second at most', () => {
    // 200 ms are 20 % of a second, which Kafka divides by ten seconds.
    const { chunks } = taking(200, { percentage: 1 }).dispatch(frame, connection);
    expect(decoded(chunks).value).toEqual({ throttleTimeMs: 1000, errorCode: 0 });
    expect(mute).toHaveBeenCalledExactlyOnceWith(1000);
  });

  test('is held against it when the answer comes later, too', async () => {
    const { pending } = taking(200, { percentage: 1.95 }, true).dispatch(frame, connection);
    const { throttleTimeMs } = decoded(await pending).value;
    expect(throttleTimeMs).toBe(256);
    expect(mute).toHaveBeenCalledExactlyOnceWith(256);
  });

  test.each([
    ['within its quota', 2, { percentage: 1 }],
    ['of brokers among themselves', 1000, { percentage: 1, isExempt: true }],
    ['without a quota', 1000, {}],
  ])('costs nothing %s', (_, durationMs, options: Options) => {
    const { chunks } = taking(durationMs, options).dispatch(frame, connection);
    expect(decoded(chunks).value).toEqual(answer(0));
    expect(mute).not.toHaveBeenCalled();
  });
});
