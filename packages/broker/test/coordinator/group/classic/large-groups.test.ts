import { SeededRandom, SILENT_LOGGER, SimClock } from '@ottla/platform';
import { ErrorCodes } from '@ottla/protocol';
import { expect, it } from 'vitest';
import { GroupCoordinator } from '../../../../src/coordinator/group/group-coordinator.ts';
import { DEFAULT_GROUP_COORDINATOR_CONFIG } from '../../../../src/coordinator/group/group-coordinator-config.ts';
import { turns } from '../../simulated-replicas.ts';
import { fixedMetadata } from '../fixed-metadata.ts';
import { MemoryLog } from '../memory-log.ts';

const MEMBERS = 5000;

it('very many static members leave by one request in little time', async () => {
  const clock = new SimClock();
  const metadata = fixedMetadata(1);
  const config = DEFAULT_GROUP_COORDINATOR_CONFIG;
  const shared = { nodeId: 1, config, metadata, clock, random: new SeededRandom(1), logger: SILENT_LOGGER };
  const groups = new GroupCoordinator({ ...shared, log: new MemoryLog() });
  groups.start(metadata.current());
  await turns();
  const instances = Array.from({ length: MEMBERS }, (_, index) => `instance-${index}`);
  const joined = instances.map((groupInstanceId) =>
    groups.join({
      groupId: 'g',
      memberId: '',
      groupInstanceId,
      clientId: 'client',
      clientHost: '/127.0.0.1',
      sessionTimeoutMs: 45_000,
      rebalanceTimeoutMs: 60_000,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: Buffer.alloc(0) }],
      requireKnownMemberId: true,
      supportsSkippingAssignment: true,
    }),
  );
  await turns();
  while ((await Promise.race([joined[0], turns().then(() => null)])) === null) clock.advance(1000);
  const begin = performance.now();
  const left = await groups.leave({
    groupId: 'g',
    members: instances.map((groupInstanceId) => ({ memberId: '', groupInstanceId })),
  });
  const tookMs = performance.now() - begin;
  expect(left.members.every(({ errorCode }) => errorCode === ErrorCodes.NONE)).toBe(true);
  expect(tookMs).toBeLessThan(1000);
}, 120_000);
