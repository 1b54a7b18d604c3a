export type { Clock, TimerHandle } from './clock.ts';
export type { Disk, DiskFile, DiskLock } from './disk.ts';
export type { Random } from './random.ts';
