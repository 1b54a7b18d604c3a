import { ErrorCodes } from '@ottla/protocol';
import { expect, it } from 'vitest';
import { HandlerTransport } from '../handler-transport.ts';
import { play } from '../transcript-player.ts';
import { UNEXPECTED } from './scenarios.ts';

it.each(UNEXPECTED.map((step, index) => ({ step, index })))(
  'what Kafka does not expect ($index) is refused with its error, and says what is wrong',
  async ({ step }) => {
    const handlers = new HandlerTransport();
    await handlers.open();
    const describe = { call: ['StreamsGroupDescribe', 0, { groupIds: ['@group'] }] } as const;
    const [refused, described] = await play({ name: '', steps: [step, describe] }, handlers, 'g');
    expect(refused?.reply).toMatchObject({
      errorCode: ErrorCodes.UNKNOWN_SERVER_ERROR,
      errorMessage: '(text)',
    });
    expect(described?.reply).toMatchObject({ groups: [{ errorCode: ErrorCodes.GROUP_ID_NOT_FOUND }] });
  },
);
