import { getEventListeners } from 'node:events';
import { SeededRandom } from '@ottla/platform';
import { ApiKeys } from '@ottla/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ConnectionContext } from '../../../src/handlers/handler.ts';
import { CONNECTION, turns } from '../simulated-replicas.ts';
import { GROUP, ShareWorld } from './share-world.ts';

const MEMBER = 'AAAAAAAAAAAAAAAAAAAAAA';

let world: ShareWorld;

beforeEach(async () => {
  world = new ShareWorld(new SeededRandom(1));
  await world.start();
});

afterEach(() => {
  const { groups, states, partitions, replicas } = world.incarnation;
  partitions.close();
  void groups.close();
  void states.close();
  replicas.close();
});

/** A connection and what closes it. */
function connect(id: string): { readonly connection: ConnectionContext; close(): void } {
  const controller = new AbortController();
  return {
    connection: { ...CONNECTION, id, closed: controller.signal },
    close: () => controller.abort(),
  };
}

function fetch(connection: ConnectionContext, shareSessionEpoch: number, groupId = GROUP): Promise<unknown> {
  const request = {
    groupId,
    memberId: MEMBER,
    shareSessionEpoch,
    maxWaitMs: 0,
    minBytes: 0,
    maxBytes: 1000,
    maxRecords: 10,
    batchSize: 10,
    shareAcquireMode: 0,
    isRenewAck: false,
    topics: [],
    forgottenTopicsData: [],
  };
  const handler = world.incarnation.handlers.get(ApiKeys.ShareFetch)!;
  return Promise.resolve(
    handler.handle(request, {
      apiVersion: 2,
      correlationId: 1,
      clientId: 'client',
      requestBytes: 0,
      connection,
      onSent: null,
    }),
  );
}

test('a connection is listened to once, however many sessions begin on it, and ends them all', async () => {
  const { connection, close } = connect('one');
  for (let i = 0; i < 20; i++) {
    await fetch(connection, 0);
    await fetch(connection, -1);
  }
  await fetch(connection, 0);
  await fetch(connection, 0, 'other');
  expect(getEventListeners(connection.closed, 'abort').length).toBe(1);
  close();
  await turns();
  expect(world.incarnation.service.sessions.size).toBe(0);
});

test('a session that began again on another connection outlives the one before', async () => {
  const [before, after] = [connect('before'), connect('after')];
  await fetch(before.connection, 0);
  await fetch(after.connection, 0);
  before.close();
  await turns();
  expect(world.incarnation.service.sessions.size).toBe(1);
  after.close();
  await turns();
  expect(world.incarnation.service.sessions.size).toBe(0);
});
