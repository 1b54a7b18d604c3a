import { DELIVERY_COUNT_LIMIT, LOCK_DURATION_MS, SESSION_TIMEOUT_MS } from './share-world.ts';

/** A record of the shared topic: `partition:offset`. */
export type RecordName = string;

export function recordName(partition: number, offset: number): RecordName {
  return `${partition}:${offset}`;
}

interface Delivery {
  readonly memberId: string;
  readonly deliveryCount: number;
  readonly askedAtMs: number;
  readonly nowMs: number;
}

interface Hold {
  readonly memberId: string;
  readonly untilMs: number;
}

/**
 * What members were told, record by record. It complains when a record comes back that was accepted, comes to two members
 * at a time, or comes too often; and at the end when one never came through.
 */
export class ShareModel {
  readonly problems: string[] = [];
  readonly #produced = new Set<RecordName>();
  /** Accepted, and the broker said that this is kept. */
  readonly #accepted = new Set<RecordName>();
  /** Somebody asked for its end, or it was delivered as often as it may be: it need not come again. */
  readonly #mayBeOver = new Set<RecordName>();
  readonly #holds = new Map<RecordName, Hold>();
  /** Until when the group cannot have given up a member that says nothing. */
  readonly #aliveUntilMs = new Map<string, number>();

  get acceptedCount(): number {
    return this.#accepted.size;
  }

  produced(name: RecordName): void {
    this.#produced.add(name);
  }

  /** A heartbeat was answered that was sent at `askedAtMs`. */
  alive(memberId: string, askedAtMs: number): void {
    this.#aliveUntilMs.set(memberId, askedAtMs + SESSION_TIMEOUT_MS);
  }

  /** A fetch was sent at `askedAtMs`, so that the lock cannot be older, and is answered now. */
  delivered(name: RecordName, { memberId, deliveryCount, askedAtMs, nowMs }: Delivery): void {
    if (this.#accepted.has(name)) this.problems.push(`${name} was accepted and is delivered again`);
    const hold = this.#holds.get(name);
    if (hold !== undefined && hold.memberId !== memberId && this.#isCertain(hold, nowMs))
      this.problems.push(`${name} is delivered to ${memberId} while ${hold.memberId} holds it`);
    if (deliveryCount > DELIVERY_COUNT_LIMIT) this.problems.push(`${name} is delivery ${deliveryCount}`);
    if (deliveryCount === DELIVERY_COUNT_LIMIT) this.#mayBeOver.add(name);
    this.#holds.set(name, { memberId, untilMs: askedAtMs + LOCK_DURATION_MS });
  }

  /** Somebody has asked to end a record in whatever way; the answer may never come. */
  ending(name: RecordName, isForGood: boolean): void {
    this.#holds.delete(name);
    if (isForGood) this.#mayBeOver.add(name);
  }

  accepted(name: RecordName): void {
    this.#accepted.add(name);
  }

  /** A member is gone or has begun a new session: what it holds may be given to others. */
  letGo(memberId: string): void {
    for (const [name, hold] of this.#holds) if (hold.memberId === memberId) this.#holds.delete(name);
  }

  /** Locks live in memory only. */
  restarted(): void {
    this.#holds.clear();
  }

  #isCertain({ memberId, untilMs }: Hold, nowMs: number): boolean {
    return untilMs > nowMs && (this.#aliveUntilMs.get(memberId) ?? 0) > nowMs;
  }

  /** Records that were produced and neither accepted nor possibly over. */
  missing(): RecordName[] {
    return [...this.#produced].filter((name) => !this.#accepted.has(name) && !this.#mayBeOver.has(name));
  }
}
