import { readFileSync } from 'node:fs';

/** Linux counts CPU time of a process in hundredths of a second whatever its own tick is. */
const TICKS_PER_SECOND = 100;

/** User and system CPU time of a process since it started, in seconds, from /proc. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The command name in brackets may hold blanks; the fields behind it start with the state, field 3.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Resident memory of a process, in megabytes (10^6 bytes). */
export function residentMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return (Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024) / 1e6;
}

/** What a piece of work cost the broker. */
export interface Usage {
  readonly cpuSeconds: number;
  /** Largest of the samples taken ten times a second. */
  readonly peakMb: number;
}

/** Runs `work` and measures the process `pid` meanwhile. */
export async function measured<T>(pid: number, work: () => Promise<T>): Promise<{ result: T; usage: Usage }> {
  let peakMb = residentMb(pid);
  const sampler = setInterval(() => (peakMb = Math.max(peakMb, residentMb(pid))), 100);
  const before = cpuSeconds(pid);
  try {
    const result = await work();
    return {
      result,
      usage: { cpuSeconds: cpuSeconds(pid) - before, peakMb: Math.max(peakMb, residentMb(pid)) },
    };
  } finally {
    clearInterval(sampler);
  }
}
