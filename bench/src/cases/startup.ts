import { delay } from '@ottla/interop';
import type { BenchCase } from '../case.ts';
import { residentMb } from '../process-usage.ts';
import { startSubject } from '../subject.ts';

/** A fresh broker on an empty folder: it is started, left alone, stopped and started again. */
export const startup: BenchCase = {
  name: 'startup',
  about: 'from the start of the process to the first ApiVersions answer; memory after two idle seconds',
  metrics: [
    { name: 'first start s', unit: 's', better: 'lower', absoluteGoal: 0.7 },
    { name: 'restart s', unit: 's', better: 'lower', absoluteGoal: 0.7 },
    { name: 'idle memory MB', unit: 'MB', better: 'lower', absoluteGoal: 120 },
  ],
  async run(subject, options) {
    const peer = await startSubject(subject.name, options.libs);
    try {
      const first = peer.readyMs / 1000;
      await delay(2_000);
      const idle = residentMb(peer.pid);
      await peer.stop();
      await peer.restart();
      return { 'first start s': first, 'restart s': peer.readyMs / 1000, 'idle memory MB': idle };
    } finally {
      await peer.dispose();
    }
  },
};
