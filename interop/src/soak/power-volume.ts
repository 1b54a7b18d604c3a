import { closeSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mustRun, runCommand } from '../command.ts';

/** EXT4_IOC_SHUTDOWN, and its flag for "nothing that is not on the disk gets there any more". */
const shutdownProgram = `import fcntl, os, struct, sys
fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587d, struct.pack('I', 2))`;

/**
 * An ext4 file system in a file whose power can be cut: what was not synced is gone when it is mounted again, as after a
 * real power cut; and that can be made to hang. Needs root, loop devices and Python.
 */
export class PowerVolume {
  readonly path: string;
  readonly #folder: string;
  readonly #image: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.#image = join(folder, 'volume.img');
    this.path = join(folder, 'mount');
  }

  static async create(sizeBytes: number): Promise<PowerVolume> {
    const volume = new PowerVolume(mkdtempSync(join(tmpdir(), 'ottla-power-')));
    mkdirSync(volume.path);
    const file = openSync(volume.#image, 'w');
    ftruncateSync(file, sizeBytes);
    closeSync(file);
    await mustRun('mkfs.ext4', ['-q', volume.#image]);
    await volume.#mount();
    return volume;
  }

  #mount(): Promise<unknown> {
    return mustRun('mount', ['-o', 'loop', this.#image, this.path]);
  }

  /** Cuts the power. Whoever writes gets an error from now on; end it, then call `restore`. */
  async cut(): Promise<void> {
    await mustRun('python3', ['-c', shutdownProgram, this.path]);
  }

  /** Power is back: the file system is mounted again and replays its journal. */
  async restore(): Promise<void> {
    await mustRun('umount', [this.path]);
    await this.#mount();
  }

  /** Whoever writes or syncs waits until `thaw`. */
  async freeze(): Promise<void> {
    await mustRun('fsfreeze', ['-f', this.path]);
  }

  async thaw(): Promise<void> {
    await mustRun('fsfreeze', ['-u', this.path]);
  }

  async dispose(): Promise<void> {
    // It says that nothing is frozen, as a rule; a frozen one could not be taken down.
    await runCommand('fsfreeze', ['-u', this.path]);
    await runCommand('umount', [this.path]);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
