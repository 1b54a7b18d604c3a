export type { Clock, TimerHandle } from './clock.ts';
export type { Disk, DiskFile, DiskLock } from './disk.ts';
export type { Random } from './random.ts';
export { NodeClock } from './node-clock.ts';
export { NodeDisk } from './node-disk.ts';
export { NodeRandom } from './node-random.ts';
export { SeededRandom } from './seeded-random.ts';
export { SimClock } from './sim-clock.ts';
export { SILENT_LOGGER, type Logger } from './logger.ts';
