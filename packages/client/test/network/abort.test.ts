import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { onAbort } from '../../src/network/abort.ts';

describe('waiting for a signal', () => {
  test('many callbacks are one listener, which goes with the last of them', () => {
    const { signal } = new AbortController();
    const stops = Array.from({ length: 100 }, () => onAbort(signal, () => {}));
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    for (const stop of stops) stop();
    for (const stop of stops) stop();
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  test('an abort calls those that still wait, once', () => {
    const controller = new AbortController();
    const called: string[] = [];
    const stop = onAbort(controller.signal, () => called.push('stopped'));
    const late = onAbort(controller.signal, () => called.push('waiting'));
    stop();
    controller.abort();
    late();
    expect(called).toEqual(['waiting']);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });
});
