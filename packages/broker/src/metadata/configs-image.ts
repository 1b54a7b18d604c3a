import type { ConfigsImage } from './image.ts';

const NO_OVERRIDES: ReadonlyMap<string, string> = new Map();

/** `2/orders` for topic `orders`: the key of a config resource in maps and deltas. */
export function configResourceKey(resourceType: number, name: string): string {
  return `${resourceType}/${name}`;
}

/** The dynamic configs as a two-level map; a changed resource replaces its inner map, the others are shared. */
export class MapConfigsImage implements ConfigsImage {
  readonly #byResource: ReadonlyMap<string, ReadonlyMap<string, string>>;

  constructor(byResource: ReadonlyMap<string, ReadonlyMap<string, string>>) {
    this.#byResource = byResource;
  }

  get(resourceType: number, name: string): ReadonlyMap<string, string> {
    return this.#byResource.get(configResourceKey(resourceType, name)) ?? NO_OVERRIDES;
  }

  *resources(): Iterable<readonly [number, string]> {
    for (const key of this.#byResource.keys()) {
      const slash = key.indexOf('/');
      yield [Number(key.slice(0, slash)), key.slice(slash + 1)];
    }
  }

  /** The same configs with some resources replaced; a resource whose map is empty disappears. */
  with(changes: ReadonlyMap<string, ReadonlyMap<string, string>>): MapConfigsImage {
    const next = new Map(this.#byResource);
    for (const [key, values] of changes) {
      if (values.size === 0) next.delete(key);
      else next.set(key, values);
    }
    return new MapConfigsImage(next);
  }
}
