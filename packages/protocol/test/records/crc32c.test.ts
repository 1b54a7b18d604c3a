import { describe, expect, test } from 'vitest';
import { crc32c, crc32cPure, nativeCrc32c } from '../../src/records/crc32c.ts';
import { seededRandom } from '../../src/testing/index.ts';
import { seed } from '../seed.ts';

describe('crc32c', () => {
  test('of the standard check string', () => {
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
  });

  test(`addon and JavaScript agree on ranges, whole or piece by piece (OTTLA_SEED=${seed})`, () => {
    const random = seededRandom(seed);
    const bytes = Buffer.from(Array.from({ length: 5000 }, () => random.nextInt(256)));
    for (let round = 0; round < 300; round++) {
      const start = random.nextInt(2500);
      const end = start + random.nextInt(2500);
      const middle = start + random.nextInt(end - start + 1);
      const expected = crc32cPure(bytes, start, end, 0);
      expect(crc32c(bytes, start, end)).toBe(expected);
      expect(crc32c(bytes, middle, end, crc32c(bytes, start, middle))).toBe(expected);
      const native = nativeCrc32c();
      if (native !== undefined) expect(native(bytes.subarray(start, end), 0)).toBe(expected);
    }
  });
});
