import { RawConnection } from '@ottla/interop';
import {
  ErrorCodes,
  consumerGroupHeartbeatRequest,
  consumerGroupHeartbeatResponse,
  decodeResponse,
  encodeRequest,
  findCoordinatorRequest,
  findCoordinatorResponse,
} from '@ottla/protocol';

/** Members of one consumer group (KIP-848) that say no more than the protocol asks for: the broker does the work. */
export class GroupMembers {
  readonly #members: Member[];
  readonly #connections: RawConnection[];

  private constructor(members: Member[], connections: RawConnection[]) {
    this.#members = members;
    this.#connections = connections;
  }

  /** Prepares members, spread over connections; nothing is sent yet. */
  static async open(
    port: number,
    {
      groupId,
      topic,
      count,
      connections,
    }: { groupId: string; topic: string; count: number; connections: number },
  ): Promise<GroupMembers> {
    const sockets = await Promise.all(Array.from({ length: connections }, () => RawConnection.open(port)));
    await findCoordinator(sockets[0]!, groupId);
    const members = Array.from(
      { length: count },
      (_, i) => new Member(sockets[i % connections]!, { groupId, topic, memberId: `member-${i}` }),
    );
    return new GroupMembers(members, sockets);
  }

  /** Joins and follows the rebalance until the partitions are shared, one for a member; returns the seconds it took. */
  async join(partitions: number): Promise<number> {
    const start = performance.now();
    const isDone = (): boolean => {
      const counts = this.#members.map(({ partitionCount }) => partitionCount);
      return (
        counts.every((count) => count <= 1) && counts.reduce((sum, count) => sum + count, 0) === partitions
      );
    };
    while (!isDone()) {
      if (performance.now() - start > JOIN_LIMIT_MS) throw new Error('The group did not settle in time');
      await this.#round();
    }
    return (performance.now() - start) / 1000;
  }

  /** Sends heartbeats, one after the other for each member, for so many seconds; returns how many were answered in each. */
  async heartbeats(seconds: number): Promise<number> {
    const start = performance.now();
    let rounds = 0;
    while (performance.now() - start < seconds * 1000) {
      await this.#round();
      rounds++;
    }
    return (rounds * this.#members.length) / ((performance.now() - start) / 1000);
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }

  /** One heartbeat of each member. Requests of a connection are sent together, and answered one after the other. */
  async #round(): Promise<void> {
    for (const member of this.#members) member.send();
    await Promise.all(this.#members.map((member) => member.receive()));
  }
}

const JOIN_LIMIT_MS = 120_000;
const header = { correlationId: 1, clientId: 'bench' };
const VERSION = 1;
const STARTING_UP: ReadonlySet<number> = new Set([
  ErrorCodes.COORDINATOR_LOAD_IN_PROGRESS,
  ErrorCodes.COORDINATOR_NOT_AVAILABLE,
  ErrorCodes.NOT_COORDINATOR,
]);

interface Owned {
  readonly topicId: string;
  readonly partitions: readonly number[];
}

class Member {
  readonly #connection: RawConnection;
  readonly #identity: { readonly groupId: string; readonly topic: string; readonly memberId: string };
  #memberEpoch = 0;
  #owned: readonly Owned[] = [];
  /** What it owns has changed, and the broker has to hear of it. */
  #hasNews = true;

  constructor(
    connection: RawConnection,
    identity: { readonly groupId: string; readonly topic: string; readonly memberId: string },
  ) {
    this.#connection = connection;
    this.#identity = identity;
  }

  get partitionCount(): number {
    return this.#owned.reduce((sum, { partitions }) => sum + partitions.length, 0);
  }

  send(): void {
    const { groupId, topic, memberId } = this.#identity;
    const joins = this.#memberEpoch === 0;
    const body = {
      groupId,
      memberId,
      memberEpoch: this.#memberEpoch,
      rebalanceTimeoutMs: joins ? 60_000 : -1,
      subscribedTopicNames: joins ? [topic] : null,
      topicPartitions: this.#hasNews
        ? this.#owned.map(({ topicId, partitions }) => ({ topicId, partitions: [...partitions] }))
        : null,
    };
    this.#hasNews = false;
    this.#connection.send(...encodeRequest(consumerGroupHeartbeatRequest, VERSION, header, body));
  }

  async receive(): Promise<void> {
    const frame = await this.#connection.receive(60_000);
    if (frame === undefined) throw new Error('A heartbeat was not answered');
    const reply = decodeResponse(consumerGroupHeartbeatResponse, VERSION, frame).value;
    // A coordinator that is still being elected or loading is asked again.
    if (STARTING_UP.has(reply.errorCode)) {
      this.#hasNews = true;
      return;
    }
    if (reply.errorCode !== 0) throw new Error(`A heartbeat was refused with error ${reply.errorCode}`);
    this.#memberEpoch = reply.memberEpoch;
    if (reply.assignment === null) return;
    this.#owned = reply.assignment.topicPartitions;
    this.#hasNews = true;
  }
}

/** Has the coordinator's topic created, and waits until the coordinator serves the group. */
async function findCoordinator(connection: RawConnection, groupId: string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const body = { keyType: 0, coordinatorKeys: [groupId] };
    connection.send(...encodeRequest(findCoordinatorRequest, 4, header, body));
    const frame = await connection.receive(30_000);
    const found = frame && decodeResponse(findCoordinatorResponse, 4, frame).value.coordinators[0];
    if (found?.errorCode === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`No coordinator for group "${groupId}"`);
}
