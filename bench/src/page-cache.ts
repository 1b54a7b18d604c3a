import { readFileSync } from 'node:fs';

/** Share of the amount below which the kernel lets writers run freely, to stay clear of it. */
const MARGIN = 0.7;

function percent(name: 'dirty_ratio' | 'dirty_background_ratio'): number {
  return Number(readFileSync(`/proc/sys/vm/${name}`, 'utf8'));
}

/**
 * How many bytes can be written to the page cache before the kernel slows writers down to the pace of the disk: half-way
 * between its two dirty limits. A faster broker than the disk would from there on be measured as fast as the disk.
 */
export function unthrottledBytes(): number {
  const availableKb = Number(
    /^MemAvailable:\s+(\d+) kB/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1] ?? 0,
  );
  const freeRun = (percent('dirty_ratio') + percent('dirty_background_ratio')) / 200;
  return Math.floor(availableKb * 1024 * freeRun * MARGIN);
}
