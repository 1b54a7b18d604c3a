import fs from 'node:fs';
import type { DiskLock } from './disk.ts';

/**
 * Node offers no `flock` or `fcntl` lock, so a lock is a file that names its holder: process id and start time of the
 * process. A holder that no longer runs has lost it. Locks that a real Kafka holds on the same file (fcntl locks of
 * the JVM) are seen through `/proc/locks` where that exists.
 *
 *     .lock:  "<pid> <start time in clock ticks since boot>\n"
 */

/** Paths locked by this process: two brokers in one process must not share a directory either. */
const held = new Set<string>();

/**
 * Takes the lock that `file` stands for; false when this or another live process holds it. Throws the system's error when it
 * cannot be written.
 */
export function lockFile(file: string): DiskLock | false {
  const key = fs.existsSync(file) ? fs.realpathSync(file) : file;
  if (held.has(key) || held.has(file)) return false;
  // Two rounds are enough: one to find and remove what a dead holder left, one to take the lock.
  for (let attempt = 0; attempt < 2; attempt++) {
    if (tryCreate(file)) return register(file);
    if (isHeldByLiveProcess(file)) return false;
    removeStale(file);
  }
  return false;
}

/** Whether this or another live process holds the lock that `file` stands for; nothing is written. */
export function isFileLocked(file: string): boolean {
  if (!fs.existsSync(file)) return false;
  return held.has(file) || held.has(fs.realpathSync(file)) || isHeldByLiveProcess(file);
}

function register(file: string): DiskLock {
  const key = fs.realpathSync(file);
  held.add(key);
  return {
    releaseSync(): void {
      if (!held.delete(key)) return;
      fs.rmSync(file, { force: true });
    },
  };
}

/** The content must be there from the first moment the name is: hence a private file first, then a link to it. */
function tryCreate(file: string): boolean {
  const own = `${file}.${process.pid}.tmp`;
  fs.writeFileSync(own, `${process.pid} ${startTimeOf(process.pid)}\n`);
  try {
    fs.linkSync(own, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    fs.rmSync(own, { force: true });
  }
}

function isHeldByLiveProcess(file: string): boolean {
  let content: string;
  try {
    content = fs.readFileSync(file, 'utf8');
  } catch {
    return false;
  }
  const [pidText, startTime] = content.trim().split(' ');
  const pid = Number(pidText);
  if (Number.isInteger(pid) && pid > 0 && pid !== process.pid && isAlive(pid)) {
    const stat = statOf(pid);
    if (stat === null) return true;
    // Process ids are used again after a reboot or a wrap; the start time tells the holder from a later namesake.
    if (!hasEnded(stat) && (startTime === undefined || startTime === stat.startTime)) return true;
  }
  return hasKernelLock(file);
}

/** Renaming is atomic: of several processes that find the same dead holder only one gets its file away. */
function removeStale(file: string): void {
  const grave = `${file}.${process.pid}.stale`;
  try {
    fs.renameSync(file, grave);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if (isHeldByLiveProcess(grave)) {
    // Another process took the lock between our look and our rename: it gets its file back.
    try {
      fs.linkSync(grave, file);
    } catch {
      // A third one was faster; it keeps the lock.
    }
  }
  fs.rmSync(grave, { force: true });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

interface ProcessStat {
  /** One letter: `R`, `S`, `D`, `Z` ... */
  readonly state: string;
  readonly threadCount: number;
  /** Clock ticks since boot. */
  readonly startTime: string;
}

/** Fields 3, 20 and 22 of /proc/PID/stat; null where there is no /proc. The command in field 2 may hold spaces and brackets. */
function statOf(pid: number): ProcessStat | null {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0] ?? '', threadCount: Number(fields[17]), startTime: fields[19] ?? '' };
  } catch {
    return null;
  }
}

function startTimeOf(pid: number): string {
  return statOf(pid)?.startTime ?? '';
}

/**
 * A process that has ended keeps its id until its parent asks how; in a container whose first process never asks, that
 * is for ever. While other threads of it are still ending, one of them may be within a write.
 */
function hasEnded({ state, threadCount }: ProcessStat): boolean {
  return (state === 'Z' || state === 'X') && threadCount <= 1;
}

function hasKernelLock(file: string): boolean {
  try {
    const { dev, ino } = fs.statSync(file, { bigint: true });
    const major = (dev >> 8n) & 0xfffn;
    const minor = (dev & 0xffn) | ((dev >> 12n) & 0xfff00n);
    const hex = (value: bigint): string => value.toString(16).padStart(2, '0');
    const id = ` ${hex(major)}:${hex(minor)}:${ino} `;
    return fs.readFileSync('/proc/locks', 'latin1').includes(id);
  } catch {
    return false;
  }
}
