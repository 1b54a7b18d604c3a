import { NodeClock, NodeDisk, threadParent } from '@ottla/platform';
import { cleanError } from './clean-error.ts';
import type { CleanJob } from './clean-job.ts';
import type { ThreadMessage } from './clean-runners.ts';
import { SegmentCleaner } from './segment-cleaner.ts';

/** The cleaning thread: one job, then it ends. See `ThreadCleanRunner`. */
const parent = threadParent<CleanJob, ThreadMessage>();
const cleaner = new SegmentCleaner({ disk: new NodeDisk(), clock: new NodeClock() }, parent.input);
try {
  const result = await cleaner.run((group) => parent.ask({ type: 'group', group }));
  await parent.ask({ type: 'done', result });
} catch (error) {
  const { message, isDamage, code } = cleanError(error);
  await parent.ask({ type: 'failed', failure: { message, isDamage, ...(code !== undefined && { code }) } });
}
