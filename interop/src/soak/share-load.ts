import { connect, type Ottla } from '@ottla/client';
import { delay, eventually } from '../command.ts';
import type { Acknowledged, Verdict } from './acked-load.ts';

const GROUP = 'soak-workers';
const MEMBERS = 3;
/** One of so many first deliveries is released, so that records come again. */
const RELEASE_EVERY = 9;

/**
 * Members of a share group that take every record of a topic, release some the first time, and accept the rest. They
 * remember what the broker has confirmed: that must not come again, whatever happens to it.
 */
export class ShareLoad {
  readonly #topic: string;
  readonly #client: Ottla;
  readonly #stop = new AbortController();
  readonly #members: Promise<void>[] = [];
  /** `partition:offset`. */
  readonly #accepted = new Set<string>();
  /** Accepted, and the broker died before it said so or refused: these may come again, or not. */
  readonly #uncertain = new Set<string>();
  #wrong = 0;

  constructor(port: number, topic: string) {
    this.#topic = topic;
    this.#client = connect(`127.0.0.1:${port}`);
  }

  get acceptedCount(): number {
    return this.#accepted.size;
  }

  async start(): Promise<void> {
    await using admin = this.#client.admin();
    await admin.configs.alter({ type: 'group', name: GROUP }, { 'share.auto.offset.reset': 'earliest' });
    for (let member = 0; member < MEMBERS; member += 1) this.#members.push(this.#work());
  }

  /** Waits until everything that was written has come through, or two minutes; then says what was found. */
  async finish(written: Acknowledged): Promise<Verdict> {
    const wanted = written.flatMap((offsets, partition) =>
      Array.from(offsets.keys(), (offset) => `${partition}:${offset}`),
    );
    const missing = (): number =>
      wanted.filter((name) => !this.#accepted.has(name) && !this.#uncertain.has(name)).length;
    await eventually('The rest of the records', () => (missing() === 0 ? true : undefined), 120_000).catch(
      () => {},
    );
    this.#stop.abort();
    await Promise.all(this.#members);
    await this.#client.close();
    return {
      acknowledged: this.#accepted.size,
      lost: missing(),
      wrong: this.#wrong,
    };
  }

  async #work(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      // A member that has been told something it cannot go on with makes room for another.
      await this.#member().catch(() => delay(100));
    }
  }

  async #member(): Promise<void> {
    const released = new Set<string>();
    await using consumer = this.#client.shareConsumer(this.#topic, {
      group: GROUP,
      signal: this.#stop.signal,
      onAcknowledged: (results) => {
        for (const { partition, offsets, error } of results) {
          for (const offset of offsets) {
            const name = `${partition}:${offset}`;
            if (!released.delete(name)) (error === null ? this.#accepted : this.#uncertain).add(name);
          }
        }
      },
    });
    for await (const message of consumer) {
      const name = `${message.partition}:${message.offset}`;
      if (this.#accepted.has(name)) this.#wrong += 1;
      if (message.offset % RELEASE_EVERY !== 0 || message.deliveryCount > 1) continue;
      released.add(name);
      message.release();
    }
  }
}
