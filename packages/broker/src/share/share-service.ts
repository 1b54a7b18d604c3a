import type { Clock } from '@ottla/platform';
import { ErrorCodes } from '@ottla/protocol';
import type { SharePartitionKey } from '../coordinator/share/share-state-types.ts';
import { checkForm } from './acknowledgement-rules.ts';
import { AcknowledgeType, type AcknowledgementBatch, type ShareRefusal } from './share-partition-types.ts';
import type { SharePartitions } from './share-partitions.ts';
import type { ShareSession, ShareSessions } from './share-sessions.ts';

/** The acknowledgements of one partition. */
export interface PartitionAcknowledgements {
  readonly topicId: string;
  readonly partition: number;
  readonly batches: readonly AcknowledgementBatch[];
}

export interface ShareServiceDeps {
  readonly partitions: SharePartitions;
  readonly sessions: ShareSessions;
  readonly clock: Clock;
}

const OK: ShareRefusal = { errorCode: ErrorCodes.NONE, errorMessage: null };

/** A connection as sessions know it. */
interface SessionConnection {
  readonly id: string;
  /** Aborted when the connection closes. */
  readonly closed: AbortSignal;
}

/** What share consumers do at a broker beside fetching: acknowledge, and go away. */
export class ShareService {
  readonly partitions: SharePartitions;
  readonly sessions: ShareSessions;
  readonly clock: Clock;
  /** The groups that sessions began for, by connection: it is listened to once, however many it begins. */
  readonly #groupsByConnection = new Map<string, Set<string>>();

  constructor({ partitions, sessions, clock }: ShareServiceDeps) {
    this.partitions = partitions;
    this.sessions = sessions;
    this.clock = clock;
  }

  /** Acknowledges in one partition. Never rejects: resolves to the refusal, or to one with error code NONE. */
  async acknowledge(
    { groupId, memberId }: { readonly groupId: string; readonly memberId: string },
    { topicId, partition, batches }: PartitionAcknowledgements,
    isRenewAllowed: boolean,
  ): Promise<ShareRefusal> {
    const malformed = checkForm(batches, isRenewAllowed);
    if (malformed !== null) return refusal(malformed.errorCode);
    const share = this.partitions.get({ groupId, topicId, partition });
    if (share === undefined || share.state === null) return refusal(ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION);
    const isRenewed = batches.some(({ acknowledgeTypes }) =>
      acknowledgeTypes.includes(AcknowledgeType.renew),
    );
    if (isRenewed && !share.settings.isRenewEnabled) return refusal(ErrorCodes.INVALID_REQUEST);
    return share.acknowledge(memberId, batches);
  }

  /**
   * A session began on a connection and ends with it: what its member holds is given back then, unless the member has come
   * back by another connection.
   */
  sessionBegan({ groupId }: ShareSession, { id, closed }: SessionConnection): void {
    const groups = this.#groupsByConnection.get(id);
    if (groups !== undefined) {
      groups.add(groupId);
      return;
    }
    this.#groupsByConnection.set(id, new Set([groupId]));
    const onClosed = (): void => void this.#connectionClosed(id);
    if (closed.aborted) onClosed();
    else closed.addEventListener('abort', onClosed, { once: true });
  }

  /** Ends a session: what its member holds is given back. Resolves to the outcome for each of its partitions. */
  async endSession(session: ShareSession): Promise<Map<string, ShareRefusal>> {
    const { groupId, memberId } = session;
    this.sessions.remove(groupId, memberId);
    const released = Array.from(session.partitions, async ([name, { topicId, partition }]) => {
      const share = this.partitions.get({ groupId, topicId, partition });
      return [name, share === undefined ? OK : await share.releaseMember(memberId)] as const;
    });
    return new Map(await Promise.all(released));
  }

  /**
   * The group's coordinator saw the last member go. Members that leave may still acknowledge what they hold and end their
   * sessions afterwards: the session, not the membership, is what ends the locks.
   */
  groupEmptied(groupId: string): void {
    if (!this.sessions.hasGroup(groupId)) this.partitions.dropGroup(groupId);
  }

  async #connectionClosed(connectionId: string): Promise<void> {
    const groupIds = this.#groupsByConnection.get(connectionId) ?? [];
    this.#groupsByConnection.delete(connectionId);
    // Once what was held is written, so that the next to read the state finds the deliveries as they were.
    await Promise.all(this.sessions.ofConnection(connectionId).map((session) => this.endSession(session)));
    for (const groupId of groupIds) this.groupEmptied(groupId);
  }

  /** How long the group's members hold what they acquire, in milliseconds. */
  lockTimeoutMs(key: Pick<SharePartitionKey, 'groupId'>): number {
    return this.partitions.settingsOf(key.groupId).recordLockDurationMs;
  }
}

function refusal(errorCode: number): ShareRefusal {
  return { errorCode, errorMessage: null };
}
