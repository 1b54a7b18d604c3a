import { SeededRandom, SILENT_LOGGER, SimClock } from '@ottla/platform';
import { decodeMessage, encodeMessage } from '@ottla/protocol';
import { GroupCoordinator } from '../../../src/coordinator/group/group-coordinator.ts';
import {
  DEFAULT_GROUP_COORDINATOR_CONFIG,
  type GroupCoordinatorConfig,
} from '../../../src/coordinator/group/group-coordinator-config.ts';
import { InternalTopicCreation } from '../../../src/coordinator/group/streams/internal-topic-creation.ts';
import { StreamsGroupService } from '../../../src/coordinator/group/streams/streams-group-service.ts';
import type { MetadataStore } from '../../../src/metadata/image.ts';
import type { ConsumerGroupTimings } from '../../../src/coordinator/group/consumer/consumer-group-config.ts';
import { consumerGroupDescribeHandler } from '../../../src/handlers/consumer-group-describe.ts';
import { consumerGroupHeartbeatHandler } from '../../../src/handlers/consumer-group-heartbeat.ts';
import { deleteGroupsHandler } from '../../../src/handlers/delete-groups.ts';
import { describeGroupsHandler } from '../../../src/handlers/describe-groups.ts';
import { CoordinatorType, findCoordinatorHandler } from '../../../src/handlers/find-coordinator.ts';
import type { AnyApiHandler, ConnectionContext, RequestContext } from '../../../src/handlers/handler.ts';
import { heartbeatHandler } from '../../../src/handlers/heartbeat.ts';
import { joinGroupHandler } from '../../../src/handlers/join-group.ts';
import { leaveGroupHandler } from '../../../src/handlers/leave-group.ts';
import { listGroupsHandler } from '../../../src/handlers/list-groups.ts';
import { streamsGroupDescribeHandler } from '../../../src/handlers/streams-group-describe.ts';
import { streamsGroupHeartbeatHandler } from '../../../src/handlers/streams-group-heartbeat.ts';
import { offsetCommitHandler } from '../../../src/handlers/offset-commit.ts';
import { offsetDeleteHandler } from '../../../src/handlers/offset-delete.ts';
import { offsetFetchHandler } from '../../../src/handlers/offset-fetch.ts';
import { syncGroupHandler } from '../../../src/handlers/sync-group.ts';
import { MemoryLog } from './memory-log.ts';
import { fixedImage, T1_ID, withTopic } from './fixed-metadata.ts';
import type { Transport, WireRequest } from './transcript-player.ts';
import { GROUP_METADATA_TOPIC } from '../../../src/controller/topic-names.ts';

/** The handlers of this process over a log in memory, under a clock that moves on command. */
export class HandlerTransport implements Transport {
  readonly topicId = T1_ID;
  readonly clock = new SimClock();
  readonly log = new MemoryLog();
  readonly groups: GroupCoordinator;
  readonly #handlers = new Map<number, AnyApiHandler>();

  constructor(config: Partial<GroupCoordinatorConfig> = {}, consumerTimings?: ConsumerGroupTimings) {
    // Beside `t1` there is a topic of another size.
    const image = withTopic(fixedImage(), 't2', 2);
    const metadata: MetadataStore = { current: () => image, subscribe: () => {} };
    this.groups = new GroupCoordinator({
      nodeId: 1,
      config: { ...DEFAULT_GROUP_COORDINATOR_CONFIG, ...config },
      log: this.log,
      metadata,
      clock: this.clock,
      random: new SeededRandom(1),
      logger: SILENT_LOGGER,
      ...(consumerTimings && { consumerTimings: () => consumerTimings }),
    });
    const { groups, clock } = this;
    const controller = { createTopics: () => Promise.reject(new Error('Topics are not created here')) };
    const topics = new InternalTopicCreation({ controller, clock, logger: SILENT_LOGGER });
    const streamsGroups = new StreamsGroupService({ groups, topics });
    const coordinators = new Map([
      [
        CoordinatorType.group,
        { topic: GROUP_METADATA_TOPIC, partitionFor: (id: string) => groups.partitionFor(id) },
      ],
    ]);
    const handlers: AnyApiHandler[] = [
      findCoordinatorHandler({ metadata, coordinators, ensureInternalTopic: () => Promise.resolve(0) }),
      joinGroupHandler({ groups }),
      syncGroupHandler({ groups }),
      heartbeatHandler({ groups }),
      leaveGroupHandler({ groups }),
      offsetCommitHandler({ groups, metadata }),
      offsetFetchHandler({ groups, metadata }),
      offsetDeleteHandler({ groups, metadata }),
      listGroupsHandler({ groups }),
      describeGroupsHandler({ groups }),
      deleteGroupsHandler({ groups }),
      consumerGroupHeartbeatHandler({ groups, isEnabled: () => true }),
      consumerGroupDescribeHandler({ groups, isEnabled: () => true }),
      streamsGroupHeartbeatHandler({ streamsGroups, isEnabled: () => true }),
      streamsGroupDescribeHandler({ streamsGroups, isEnabled: () => true }),
    ];
    for (const handler of handlers) this.#handlers.set(handler.apiKey, handler);
    groups.start(metadata.current());
  }

  /** Waits until the partitions are loaded. */
  async open(): Promise<void> {
    await turns();
  }

  async send(connection: string, { request, response, version, value }: WireRequest): Promise<unknown> {
    const handler = this.#handlers.get(request.apiKey);
    if (handler === undefined) throw new Error(`No handler for API key ${request.apiKey}`);
    const decoded: unknown = decodeMessage(request, version, encodeMessage(request, version, value));
    let reply: { value: unknown } | undefined;
    const settled = Promise.resolve(handler.handle(decoded, context(connection, version))).then(
      (answer: unknown) => (reply = { value: answer }),
    );
    // What is due now happens now: a delay of 0 ms, a write that ends.
    for (let turn = 0; turn < 10 && reply === undefined; turn++) {
      this.clock.advance(0);
      await turns();
    }
    await settled;
    // There and back over the wire, so that an answer that this version cannot carry is found out.
    return decodeMessage(
      response,
      version,
      encodeMessage(response, version, (reply as { value: object } | undefined)?.value ?? {}),
    );
  }

  async wait(ms: number): Promise<void> {
    await turns();
    for (let passed = 0; passed < ms; passed += 10) {
      this.clock.advance(10);
      await turns();
    }
  }
}

function context(connection: string, apiVersion: number): RequestContext {
  const connectionContext: ConnectionContext = {
    id: connection,
    clientHost: '/127.0.0.1',
    listenerName: 'PLAINTEXT',
    principal: 'User:ANONYMOUS',
    softwareName: 'test',
    softwareVersion: '1',
    closed: new AbortController().signal,
    pendingWait: null,
    mute: () => {},
  };
  return {
    apiVersion,
    correlationId: 1,
    clientId: 'client',
    requestBytes: 0,
    connection: connectionContext,
    onSent: null,
  };
}

/** Lets everything run that is due in this and the next turns of the event loop. */
async function turns(): Promise<void> {
  for (let i = 0; i < 4; i++) await new Promise((resolve) => setImmediate(resolve));
}
