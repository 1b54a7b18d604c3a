import { readFileSync } from 'node:fs';
import { ZERO_UUID } from '@ottla/protocol';
import { expect, it } from 'vitest';
import { metadataHash } from '../../../../src/coordinator/group/modern/metadata-hash.ts';
import { xxh3 } from '../../../../src/coordinator/group/modern/xxh3.ts';
import type { MetadataImage } from '../../../../src/metadata/image.ts';
import { fixedImage } from '../fixed-metadata.ts';

/** Made by the Java library that Apache Kafka 4.3.1 hashes with. */
const vectors = JSON.parse(readFileSync(new URL('./hash-vectors.json', import.meta.url), 'utf8')) as {
  readonly xxh3: readonly (readonly [length: number, hash: string])[];
  readonly groupHash: string;
};

it.each(vectors.xxh3)('XXH3 of %i bytes is as the reference has it', (length, expected) => {
  const input = Buffer.from(Array.from({ length }, (_, i) => (i * 7 + length) & 0xff));
  expect(xxh3(input).toString()).toBe(expected);
});

/** Topic `tópic`: partition 0 on racks r1 and r2, partition 1 on a broker without a rack. */
function racks(): MetadataImage {
  const image = fixedImage();
  const [broker] = image.brokers.values();
  const brokers = new Map(
    [[1, 'r2'] as const, [2, 'r1'] as const, [3, null] as const].map(([id, rack]) => [
      id,
      { ...broker!, id, rack },
    ]),
  );
  const [partition] = image.topics.byName.get('t1')!.partitions;
  const topic = {
    name: 'tópic',
    id: Buffer.from('0123456789abcdeffedcba9876543210', 'hex').toString('base64url'),
    partitions: [
      { ...partition!, partition: 0, replicas: [1, 2] },
      { ...partition!, partition: 1, replicas: [3] },
    ],
  };
  return {
    ...image,
    brokers,
    topics: { byName: new Map([[topic.name, topic]]), byId: new Map([[topic.id, topic]]) },
  };
}

it('a group hash over topics with racks is as Kafka has it', () => {
  expect(metadataHash(['tópic', 'missing'], racks())).toBe(Number(vectors.groupHash));
});

it('a group hash changes with partitions and racks, and is 0 without topics', () => {
  const image = racks();
  const before = metadataHash(['tópic'], image);
  const brokers = new Map([...image.brokers].map(([id, broker]) => [id, { ...broker, rack: 'r9' }]));
  expect(metadataHash(['tópic'], { ...image, brokers })).not.toBe(before);
  expect(metadataHash(['missing', ZERO_UUID], image)).toBe(0);
});
