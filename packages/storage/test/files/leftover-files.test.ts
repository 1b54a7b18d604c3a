import { SimDisk } from '@ottla/platform';
import { expect, test } from 'vitest';
import { tidyFolder } from '../../src/files/leftover-files.ts';
import { batchOf } from '../support/fixtures.ts';

const name = (offset: number, suffix: string): string => `${String(offset).padStart(20, '0')}.${suffix}`;

const cases: { title: string; files: string[]; left: string[] }[] = [
  {
    title: 'deleted and temporary files go',
    files: ['log', 'log.deleted', 'index.tmp', 'index'],
    left: ['index', 'log'],
  },
  {
    title: 'an unfinished compaction is forgotten',
    files: ['log', 'log.cleaned', 'index.cleaned', 'log.swap'],
    left: ['log'],
  },
  {
    title: 'a finished compaction replaces its segment',
    files: ['log', 'index', 'log.swap', 'index.swap'],
    left: ['index', 'log'],
  },
];

test.each(cases)('$title', ({ files, left }) => {
  const disk = new SimDisk();
  disk.mkdirSync('/t-0');
  for (const suffix of files)
    disk.replaceFileSync(`/t-0/${name(0, suffix)}`, suffix.includes('swap') ? batchOf(1) : 'old');
  tidyFolder(disk, '/t-0');
  expect(disk.listSync('/t-0')).toEqual(left.map((suffix) => name(0, suffix)));
});

test('a compacted segment replaces all segments that its offsets cover', () => {
  const disk = new SimDisk();
  disk.mkdirSync('/t-0');
  for (const offset of [0, 100, 200]) disk.replaceFileSync(`/t-0/${name(offset, 'log')}`, 'old');
  disk.replaceFileSync(`/t-0/${name(0, 'log.swap')}`, batchOf(2, { baseOffset: 178 }));
  expect(tidyFolder(disk, '/t-0')).toBe(true);
  expect(disk.listSync('/t-0')).toEqual([name(0, 'log'), name(200, 'log')]);
  expect(disk.readFileSync(`/t-0/${name(0, 'log')}`)).toEqual(batchOf(2, { baseOffset: 178 }));
});
