/** How often a topic is subscribed to: by members that name it, and by resolved regular expressions. */
export interface SubscriptionCount {
  readonly byName: number;
  readonly byRegex: number;
}

/** Whether all members of a group subscribe to the same topics. */
export type SubscriptionType = 'homogeneous' | 'heterogeneous';

const NONE: SubscriptionCount = { byName: 0, byRegex: 0 };

/** Topics that a group subscribes to, each with its count; one that nobody subscribes to any more is not in here. */
export class SubscriptionCounts {
  readonly #counts: Map<string, SubscriptionCount>;

  constructor(counts: Iterable<readonly [string, SubscriptionCount]> = []) {
    this.#counts = new Map(counts);
  }

  /** A copy that may be changed without changing this one. */
  copy(): SubscriptionCounts {
    return new SubscriptionCounts(this.#counts);
  }

  addNames(names: Iterable<string>, change: 1 | -1): void {
    for (const name of names) this.#change(name, change, 0);
  }

  addRegex(topics: Iterable<string>, change: 1 | -1): void {
    for (const name of topics) this.#change(name, 0, change);
  }

  has(topic: string): boolean {
    return this.#counts.has(topic);
  }

  names(): IterableIterator<string> {
    return this.#counts.keys();
  }

  counts(): IterableIterator<SubscriptionCount> {
    return this.#counts.values();
  }

  get size(): number {
    return this.#counts.size;
  }

  #change(topic: string, byName: number, byRegex: number): void {
    const count = this.#counts.get(topic) ?? NONE;
    const next = { byName: count.byName + byName, byRegex: count.byRegex + byRegex };
    if (next.byName <= 0 && next.byRegex <= 0) this.#counts.delete(topic);
    else this.#counts.set(topic, next);
  }
}

/** The type of a group in which members name their topics; `members` is how many there are. */
export function subscriptionTypeByName(counts: SubscriptionCounts, members: number): SubscriptionType {
  for (const { byName } of counts.counts()) if (byName !== members) return 'heterogeneous';
  return 'homogeneous';
}
