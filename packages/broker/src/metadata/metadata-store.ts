import type { MetadataDelta, MetadataImage, MetadataListener, MetadataStore } from './image.ts';

/** The current image and its listeners. Only the controller's runtime publishes. */
export class PublishedMetadata implements MetadataStore {
  #image: MetadataImage;
  readonly #listeners: MetadataListener[] = [];
  readonly #onListenerFailure: (error: unknown) => void;

  /** `onListenerFailure` is told of what a listener throws: the change is durable, so nothing can undo it any more. */
  constructor(image: MetadataImage, onListenerFailure: (error: unknown) => void) {
    this.#image = image;
    this.#onListenerFailure = onListenerFailure;
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
    for (const listener of this.#listeners) {
      try {
        listener.onMetadataChange(delta, image);
      } catch (error) {
        this.#onListenerFailure(error);
      }
    }
  }
}
