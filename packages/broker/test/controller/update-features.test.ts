import { SeededRandom } from '@ottla/platform';
import { describe, expect, test } from 'vitest';
import type { CommandState } from '../../src/controller/command.ts';
import { updateFeatures } from '../../src/controller/update-features.ts';
import { emptyImage, MetadataImageBuilder } from '../../src/metadata/image-builder.ts';
import { metadataRecord } from '../../src/metadata/records.ts';
import { LENIENT_RULES, newDisk, openController } from './controller-harness.ts';

const UPGRADE = 1;
const SAFE_DOWNGRADE = 2;

/** A cluster whose log an older Kafka began. */
function stateAt(metadataVersion: number): CommandState {
  const builder = new MetadataImageBuilder(emptyImage('cluster', 1));
  const broker = { resourceType: 4, resourceName: '1' };
  builder.apply(
    metadataRecord('FeatureLevelRecord', { name: 'metadata.version', featureLevel: metadataVersion }),
    0,
  );
  builder.apply(metadataRecord('ConfigRecord', { ...broker, name: 'min.insync.replicas', value: '2' }), 1);
  return {
    image: builder.build().image,
    nextOffset: 2,
    random: new SeededRandom(1),
    rules: { ...LENIENT_RULES, minInSyncReplicas: 3 },
  };
}

function update(metadataVersion: number, updates: readonly [string, number, number][]) {
  return updateFeatures(stateAt(metadataVersion), {
    updates: updates.map(([feature, level, upgradeType]) => ({ feature, level, upgradeType })),
    validateOnly: false,
    nodeId: 1,
    kraftVersion: 0,
  });
}

describe('metadata.version', () => {
  test.each([
    [29, 23],
    [22, 17],
    [10, 8],
  ])('goes down from %i to %i, where the records are the same', (from, to) => {
    const { records, reply } = update(from, [['metadata.version', to, SAFE_DOWNGRADE]]);
    expect(reply.result.errorCode).toBe(0);
    expect(records).toMatchObject([{ data: { name: 'metadata.version', featureLevel: to } }]);
  });

  test.each([
    [29, 22],
    [17, 16],
    [11, 10],
  ])('does not go down from %i to %i, where records would lose something', (from, to) => {
    const { records, reply } = update(from, [['metadata.version', to, SAFE_DOWNGRADE]]);
    expect(reply.result.errorMessage).toContain(
      `Unsupported metadata.version downgrade from ${from} to ${to}`,
    );
    expect(records).toEqual([]);
  });

  test('goes up to the newest', () => {
    expect(update(7, [['metadata.version', 30, UPGRADE]]).reply.result.errorCode).toBe(0);
  });
});

describe('eligible leader replicas', () => {
  const elr = 'eligible.leader.replicas.version';

  test('need a metadata.version that knows them, which may come with the same request', () => {
    const alone = update(22, [[elr, 1, UPGRADE]]);
    expect(alone.reply.result.errorMessage).toMatch(/depends on metadata.version level 23$/);
    const together = update(22, [
      [elr, 1, UPGRADE],
      ['metadata.version', 23, UPGRADE],
    ]);
    expect(together.reply.result.errorCode).toBe(0);
  });

  test('pin min.insync.replicas of the cluster and take those of brokers away', () => {
    const { records } = update(30, [[elr, 1, UPGRADE]]);
    expect(records.map(({ data }) => data)).toEqual([
      { resourceType: 4, resourceName: '', name: 'min.insync.replicas', value: '3' },
      { resourceType: 4, resourceName: '1', name: 'min.insync.replicas', value: null },
      { name: elr, featureLevel: 1 },
    ]);
  });
});

test('kraft.version 1 writes the voters into the log, where the next start finds them', async () => {
  const disk = newDisk(3);
  const voter = { voterId: 1, directoryId: 'A'.repeat(22), endpoints: [{ name: 'C', host: 'h', port: 9 }] };
  const controller = await openController(disk, { staticVoters: [voter] });
  expect(controller.describeQuorum()).toMatchObject({ kraftVersion: 0, voters: [voter] });
  const updates = [{ feature: 'kraft.version', level: 1, upgradeType: UPGRADE }];
  const topic = {
    topics: [{ name: 't', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }],
  };
  expect((await controller.updateFeatures({ updates, validateOnly: true })).errorCode).toBe(0);
  expect(controller.describeQuorum().kraftVersion).toBe(0);
  await Promise.all([
    controller.updateFeatures({ updates, validateOnly: false }),
    controller.createTopics({ ...topic, validateOnly: false }),
  ]);
  const dynamic = { kraftVersion: 1, voters: [{ ...voter, directoryId: 'd0Ddz1Y37jl8M96YP7Tw8A' }] };
  const before = controller.describeQuorum();
  expect(before).toMatchObject(dynamic);
  expect(before.highWatermark).toBe(before.logEndOffset);
  controller.close();
  const again = await openController(disk, { staticVoters: [voter] });
  expect(again.describeQuorum()).toMatchObject(dynamic);
  expect(again.metadata.current().topics.byName.has('t')).toBe(true);
  const back = [{ feature: 'kraft.version', level: 0, upgradeType: SAFE_DOWNGRADE }];
  expect((await again.updateFeatures({ updates: back, validateOnly: false })).errorMessage).toMatch(
    /Can't downgrade the version of this feature.$/,
  );
  again.close();
});
