import type { SeededRandom } from './random-message.ts';

/** Values that lengths and counts break at. */
const EXTREMES = [0x7fffffff, 0xffffffff, 0x80000000, 0, 1, 0x00ffffff];

/** A broken variant of `bytes`: flipped, overwritten with extremes, cut, repeated, or with bytes put in. */
export function mutate(bytes: Buffer, random: SeededRandom): Buffer {
  let result: Buffer = Buffer.from(bytes);
  const rounds = 1 + random.nextInt(3);
  for (let round = 0; round < rounds; round++) result = mutateOnce(result, random);
  return result;
}

function mutateOnce(bytes: Buffer, random: SeededRandom): Buffer {
  const position = random.nextInt(bytes.length + 1);
  switch (random.nextInt(6)) {
    case 0:
      if (position < bytes.length) bytes[position] = random.nextInt(256);
      return bytes;
    case 1:
      if (position < bytes.length) bytes[position] = (bytes[position] ?? 0) ^ (1 << random.nextInt(8));
      return bytes;
    case 2:
      if (position + 4 <= bytes.length) {
        bytes.writeUInt32BE(EXTREMES[random.nextInt(EXTREMES.length)] ?? 0, position);
      }
      return bytes;
    case 3:
      return Buffer.from(bytes.subarray(0, position));
    case 4: {
      const inserted = Buffer.alloc(1 + random.nextInt(6), random.nextInt(2) === 0 ? 0xff : 0x01);
      return Buffer.concat([bytes.subarray(0, position), inserted, bytes.subarray(position)]);
    }
    default: {
      const end = Math.min(bytes.length, position + 1 + random.nextInt(8));
      return Buffer.concat([bytes.subarray(0, end), bytes.subarray(position)]);
    }
  }
}
