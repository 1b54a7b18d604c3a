import { SimClock } from '@ottla/platform';
import { ErrorCodes, ZERO_UUID } from '@ottla/protocol';
import { describe, expect, test } from 'vitest';
import { PatientShareStates } from '../../../src/coordinator/share/patient-share-states.ts';

const KEY = { groupId: 'g', topicId: ZERO_UUID, partition: 0 };

/** A coordinator that answers with the codes in turn, and with the last one from then on. */
function setUp(...codes: number[]) {
  const clock = new SimClock();
  const seen = { asked: 0, ensured: 0, result: null as number | null };
  const answer = () => {
    const errorCode = codes[Math.min(seen.asked, codes.length - 1)]!;
    seen.asked += 1;
    return Promise.resolve({ errorCode, errorMessage: null });
  };
  const read = async () => ({ ...(await answer()), stateEpoch: 0, startOffset: 0, stateBatches: [] });
  const readSummary = async () => ({
    ...(await answer()),
    stateEpoch: 0,
    leaderEpoch: 0,
    startOffset: 0,
    deliveryCompleteCount: 0,
  });
  const patient = new PatientShareStates({
    states: { initialize: answer, write: answer, delete: answer, read, readSummary },
    clock,
    ensureStateTopic: () => {
      seen.ensured += 1;
      return Promise.resolve(ErrorCodes.NONE);
    },
  });
  const begin = () => void patient.delete(KEY).then(({ errorCode }) => (seen.result = errorCode));
  return { clock, patient, seen, begin };
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('share states that are not at hand', () => {
  test('are waited for while their topic is made and loaded', async () => {
    const { clock, seen, begin } = setUp(
      ErrorCodes.NOT_COORDINATOR,
      ErrorCodes.COORDINATOR_LOAD_IN_PROGRESS,
      0,
    );
    begin();
    await settle();
    expect(seen).toEqual({ asked: 1, ensured: 1, result: null });
    clock.advance(20);
    await settle();
    clock.advance(40);
    await settle();
    expect(seen).toEqual({ asked: 3, ensured: 2, result: ErrorCodes.NONE });
    expect(clock.pendingTimers).toBe(0);
  });

  test('are given up after eight attempts', async () => {
    const { clock, seen, begin } = setUp(ErrorCodes.COORDINATOR_NOT_AVAILABLE);
    begin();
    for (let pauseMs = 20; pauseMs <= 1280; pauseMs *= 2) {
      await settle();
      expect(seen.result).toBeNull();
      clock.advance(pauseMs);
    }
    await settle();
    expect(seen).toMatchObject({ asked: 8, result: ErrorCodes.COORDINATOR_NOT_AVAILABLE });
  });

  test('that are refused for good are not asked for again', async () => {
    const { seen, begin } = setUp(ErrorCodes.FENCED_STATE_EPOCH);
    begin();
    await settle();
    expect(seen).toEqual({ asked: 1, ensured: 0, result: ErrorCodes.FENCED_STATE_EPOCH });
  });

  test('are not asked for again after the close', async () => {
    const { clock, patient, seen, begin } = setUp(ErrorCodes.NOT_COORDINATOR);
    begin();
    await settle();
    patient.close();
    clock.advance(20);
    await settle();
    expect(seen).toMatchObject({ asked: 2, result: ErrorCodes.NOT_COORDINATOR });
  });
});
