import { expect, it } from 'vitest';
import { HandlerTransport } from '../handler-transport.ts';
import type { Step } from '../scenarios.ts';
import { play } from '../transcript-player.ts';

const TASKS = { activeTasks: [], standbyTasks: [], warmupTasks: [] };

function heartbeat(memberEpoch: number, fields: object): Step {
  const body = { groupId: '@group', memberId: 'm1', memberEpoch, endpointInformationEpoch: 0, ...fields };
  return { call: ['StreamsGroupHeartbeat', 0, body] };
}

it('a member that says it lacks what it was given is told again, one that has it all or says nothing is not', async () => {
  const handlers = new HandlerTransport({
    streams: () => ({
      sessionTimeoutMs: 45_000,
      heartbeatIntervalMs: 5000,
      assignmentIntervalMs: 0,
      initialRebalanceDelayMs: 0,
      numStandbyReplicas: 0,
      maxSize: 10,
    }),
  });
  await handlers.open();
  const subtopology = { subtopologyId: '0', sourceTopics: ['t1'], sourceTopicRegex: [] };
  const topics = {
    stateChangelogTopics: [],
    repartitionSinkTopics: [],
    repartitionSourceTopics: [],
    copartitionGroups: [],
  };
  const topology = { epoch: 0, subtopologies: [{ ...subtopology, ...topics }] };
  const active = (...partitions: number[]) => ({
    ...TASKS,
    activeTasks: [{ subtopologyId: '0', partitions }],
  });
  const replies = await play(
    {
      name: '',
      steps: [
        heartbeat(0, { rebalanceTimeoutMs: 1000, processId: 'p', clientTags: [], topology, ...TASKS }),
        heartbeat(2, TASKS),
        heartbeat(2, active(0, 2)),
        heartbeat(2, active(0, 1, 2)),
        heartbeat(2, {}),
      ],
    },
    handlers,
    'g',
  );
  const all = [{ subtopologyId: '0', partitions: [0, 1, 2] }];
  const told = replies.map(({ reply }) => (reply as { activeTasks: unknown }).activeTasks);
  expect(told).toEqual([all, all, all, null, null]);
});
