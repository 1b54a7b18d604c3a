import { ErrorCodes } from '@ottla/protocol';
import {
  readAssignment,
  writeAssignment,
} from '../../../../src/coordinator/group/consumer/embedded-protocol.ts';
import type { JoinReply } from '../../../../src/coordinator/group/classic/classic-types.ts';
import type { GroupCoordinator } from '../../../../src/coordinator/group/group-coordinator.ts';
import { errorCodeOf } from '../../../../src/coordinator/runtime/coordinator-error.ts';
import type { MetadataImage } from '../../../../src/metadata/image.ts';
import { T1_ID } from '../fixed-metadata.ts';
import { subscription } from '../scenarios.ts';

const PROTOCOLS = [{ name: 'range', metadata: Buffer.from(subscription('t1'), 'base64') }];

/** A member of the classic protocol that gives everything up before it rejoins, and assigns by turns when it leads. */
export class ClassicClient {
  /** Partitions of `t1` that it reads. */
  owned: readonly number[] = [];
  readonly #groupId: string;
  readonly #sessionTimeoutMs: number;
  #phase: 'join' | 'sync' | 'member' = 'join';
  #memberId = '';
  #generationId = -1;
  #members: readonly string[] = [];

  constructor(groupId: string, sessionTimeoutMs: number) {
    this.#groupId = groupId;
    this.#sessionTimeoutMs = sessionTimeoutMs;
  }

  get isMember(): boolean {
    return this.#memberId !== '';
  }

  /** Sends the request that is next; returns the error that it ended with. */
  async act(groups: GroupCoordinator, image: MetadataImage): Promise<number> {
    try {
      const errorCode = await this.#next(groups, image);
      this.#follow(errorCode);
      return errorCode;
    } catch (failure) {
      this.#follow(errorCodeOf(failure));
      return errorCodeOf(failure);
    }
  }

  async leave(groups: GroupCoordinator): Promise<number> {
    const memberId = this.#memberId;
    this.#startOver();
    try {
      await groups.leave({ groupId: this.#groupId, members: [{ memberId, groupInstanceId: null }] });
      return ErrorCodes.NONE;
    } catch (failure) {
      return errorCodeOf(failure);
    }
  }

  #next(groups: GroupCoordinator, image: MetadataImage): Promise<number> {
    const identity = { groupId: this.#groupId, memberId: this.#memberId, groupInstanceId: null };
    switch (this.#phase) {
      case 'join':
        this.owned = [];
        return this.#join(groups);
      case 'sync':
        return this.#sync(groups, image);
      case 'member':
        return groups.heartbeat({ ...identity, generationId: this.#generationId });
    }
  }

  async #join(groups: GroupCoordinator): Promise<number> {
    const reply = await groups.join({
      groupId: this.#groupId,
      memberId: this.#memberId,
      groupInstanceId: null,
      clientId: 'sim',
      clientHost: '/127.0.0.1',
      sessionTimeoutMs: this.#sessionTimeoutMs,
      rebalanceTimeoutMs: 200,
      protocolType: 'consumer',
      protocols: PROTOCOLS,
      requireKnownMemberId: true,
      supportsSkippingAssignment: true,
    });
    if (reply.errorCode === ErrorCodes.MEMBER_ID_REQUIRED) this.#memberId = reply.memberId;
    if (reply.errorCode === ErrorCodes.NONE) this.#joined(reply);
    return reply.errorCode;
  }

  #joined(reply: JoinReply): void {
    this.#memberId = reply.memberId;
    this.#generationId = reply.generationId;
    this.#members = reply.members.map(({ memberId }) => memberId);
    this.#phase = 'sync';
  }

  async #sync(groups: GroupCoordinator, image: MetadataImage): Promise<number> {
    const count = image.topics.byId.get(T1_ID)?.partitions.length ?? 0;
    const all = Array.from({ length: count }, (_, index) => index);
    const assignments = this.#members.map((memberId, turn) => {
      const own = all.filter((index) => index % this.#members.length === turn);
      const partitions = new Map(own.length === 0 ? [] : [[T1_ID, new Set(own)]]);
      return {
        memberId,
        assignment: writeAssignment(partitions, { subscription: PROTOCOLS[0]!.metadata, image }),
      };
    });
    const reply = await groups.sync({
      groupId: this.#groupId,
      generationId: this.#generationId,
      memberId: this.#memberId,
      groupInstanceId: null,
      protocolType: 'consumer',
      protocolName: 'range',
      assignments,
    });
    if (reply.errorCode !== ErrorCodes.NONE) return reply.errorCode;
    this.#phase = 'member';
    const { assignedPartitions } = readAssignment(reply.assignment);
    this.owned = assignedPartitions.flatMap(({ partitions }) => partitions).toSorted((a, b) => a - b);
    return ErrorCodes.NONE;
  }

  #follow(errorCode: number): void {
    switch (errorCode) {
      case ErrorCodes.REBALANCE_IN_PROGRESS:
        this.#phase = 'join';
        break;
      case ErrorCodes.UNKNOWN_MEMBER_ID:
      case ErrorCodes.ILLEGAL_GENERATION:
      case ErrorCodes.INCONSISTENT_GROUP_PROTOCOL:
        this.#startOver();
        break;
    }
  }

  #startOver(): void {
    this.owned = [];
    this.#phase = 'join';
    this.#memberId = '';
  }
}
