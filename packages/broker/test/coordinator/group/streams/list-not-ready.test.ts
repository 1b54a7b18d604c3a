import { expect, it } from 'vitest';
import { HandlerTransport } from '../handler-transport.ts';
import { play } from '../transcript-player.ts';

const MEMBER = 'AAAAAAAAAAAAAAAAAAAAAQ';

// Kafka finds such a group by "not_ready" alone, but its own admin client asks for "NotReady".
it.each(['not_ready', 'Not_Ready', 'NotReady', 'notready'])(
  'a streams group whose source topic is missing is listed by the state "%s"',
  async (state) => {
    const handlers = new HandlerTransport();
    await handlers.open();
    const heartbeat = {
      groupId: '@group',
      memberId: MEMBER,
      memberEpoch: 0,
      endpointInformationEpoch: -1,
      rebalanceTimeoutMs: 1000,
      topology: { epoch: 0, subtopologies: [{ subtopologyId: '0', sourceTopics: ['missing'] }] },
      activeTasks: [],
      standbyTasks: [],
      warmupTasks: [],
      processId: 'p',
      clientTags: [],
    };
    const steps = [
      { call: ['StreamsGroupHeartbeat', 0, heartbeat] },
      { call: ['ListGroups', 5, { statesFilter: [state], typesFilter: [] }] },
      { call: ['ListGroups', 5, { statesFilter: ['ready'], typesFilter: [] }] },
    ] as const;
    const [joined, listed, others] = await play({ name: '', steps }, handlers, 'g');
    expect(joined?.reply).toMatchObject({ errorCode: 0 });
    expect(listed?.reply).toMatchObject({ groups: [{ groupState: 'NotReady' }] });
    expect(others?.reply).toMatchObject({ groups: [] });
  },
);
