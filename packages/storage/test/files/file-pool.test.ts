import { SimDisk } from '@ottla/platform';
import { expect, test } from 'vitest';
import { FilePool } from '../../src/index.ts';

test('half of the handles may be held for long, so that others can be closed', () => {
  const disk = new SimDisk();
  disk.mkdirSync('/data');
  const paths = ['a', 'b', 'c'].map((name) => `/data/${name}`);
  for (const path of paths) disk.openSync(path, 'append').closeSync();
  const pool = new FilePool(disk, 4);
  const [first, second] = paths.slice(0, 2).map((path) => pool.pinForLong(path));
  expect(first).not.toBeNull();
  expect(second).not.toBeNull();
  expect(pool.pinForLong(paths[2]!)).toBeNull();
  // A read that is over soon gets its handle all the same, and a dropped one counts until it is given back.
  pool.pin(paths[2]!).unpin();
  pool.drop(paths[0]!);
  expect(pool.pinForLong(paths[2]!)).toBeNull();
  first!.unpin();
  expect(pool.pinForLong(paths[2]!)).not.toBeNull();
  pool.close();
});
