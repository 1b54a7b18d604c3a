import type { MetadataDelta, MetadataImage, MetadataListener, MetadataStore } from './image.ts';

/** The current image and its listeners. Only the controller's runtime publishes. */
export class PublishedMetadata implements MetadataStore {
  #image: MetadataImage;
  readonly #listeners: MetadataListener[] = [];

  constructor(image: MetadataImage) {
    this.#image = image;
  }

  current(): MetadataImage {
    return this.#image;
  }

  subscribe(listener: MetadataListener): void {
    this.#listeners.push(listener);
  }

  /** Makes `image` current, then tells every listener in the order in which they subscribed. */
  publish(image: MetadataImage, delta: MetadataDelta): void {
    this.#image = image;
    for (const listener of this.#listeners) listener.onMetadataChange(delta, image);
  }
}
