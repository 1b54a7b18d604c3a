import { expect, test } from 'vitest';
import { ErrorCodes } from '@ottla/protocol';
import { FINAL_EPOCH, INITIAL_EPOCH, ShareSessions } from '../../src/share/share-sessions.ts';

const place = { topicId: 'topic', partition: 0 };
const request = {
  groupId: 'group',
  memberId: 'member',
  connectionId: 'connection',
  added: [place],
  forgotten: [],
  hasAcknowledgements: false,
};

test('the last fetch of a session may name partitions, with acknowledgements or without', () => {
  const sessions = new ShareSessions(() => 10);
  expect(sessions.fetch({ ...request, epoch: FINAL_EPOCH })).toBe(ErrorCodes.SHARE_SESSION_NOT_FOUND);
  const session = sessions.fetch({ ...request, epoch: INITIAL_EPOCH });
  expect(sessions.fetch({ ...request, epoch: FINAL_EPOCH })).toBe(session);
  expect(sessions.fetch({ ...request, epoch: FINAL_EPOCH, hasAcknowledgements: true })).toBe(session);
});

test('the first fetch of a session cannot acknowledge anything', () => {
  const sessions = new ShareSessions(() => 10);
  expect(sessions.fetch({ ...request, epoch: INITIAL_EPOCH, hasAcknowledgements: true })).toBe(
    ErrorCodes.INVALID_REQUEST,
  );
});
