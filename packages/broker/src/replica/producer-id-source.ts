import type { Logger } from '@ottla/platform';

/** Gives out blocks of producer ids that no other broker will ever use: the controller. */
export interface ProducerIdBlocks {
  allocateProducerIds(): Promise<{ readonly first: number; readonly length: number }>;
}

/** Hands out producer ids one by one from blocks of the controller. */
export class ProducerIdSource {
  readonly #blocks: ProducerIdBlocks;
  readonly #logger: Logger;
  #next = 0;
  #end = 0;
  #refill: Promise<void> | null = null;

  constructor(blocks: ProducerIdBlocks, logger: Logger) {
    this.#blocks = blocks;
    this.#logger = logger;
  }

  /** A new producer id; null when the controller could not be asked: the client tries again. */
  async next(): Promise<number | null> {
    while (this.#next === this.#end) {
      this.#refill ??= this.#askForBlock();
      try {
        await this.#refill;
      } catch (error) {
        this.#logger.warn({ err: error }, 'No block of producer ids could be had');
        return null;
      }
    }
    return this.#next++;
  }

  async #askForBlock(): Promise<void> {
    try {
      const { first, length } = await this.#blocks.allocateProducerIds();
      this.#next = first;
      this.#end = first + length;
    } finally {
      this.#refill = null;
    }
  }
}
