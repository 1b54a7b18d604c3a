import { quotaRecord } from '../../src/metadata/client-quotas-image.ts';
import { emptyImage, MetadataImageBuilder } from '../../src/metadata/image-builder.ts';
import type { MetadataImage } from '../../src/metadata/image.ts';

/** Null: the default of all; undefined: no part of the entity. */
export type Entity = readonly [user: string | null | undefined, clientId: string | null | undefined];

/** The metadata of a cluster with values of one quota. */
export function imageWithQuotas(
  key: string,
  quotas: readonly (readonly [...Entity, number])[],
): MetadataImage {
  const builder = new MetadataImageBuilder(emptyImage('cluster', 1));
  for (const [user, clientId, value] of quotas) {
    const entity = new Map<string, string | null>();
    if (user !== undefined) entity.set('user', user);
    if (clientId !== undefined) entity.set('client-id', clientId);
    builder.apply(quotaRecord(entity, key, value), 0);
  }
  return builder.build().image;
}
