import { copying } from './copy-clients.ts';
import type { CopyPlan } from './copy-plan.ts';
import { WorkMeter, type WorkReport } from './work-meter.ts';

/** One client copies a topic with transactions, in a process of its own. The first transaction is not measured. */
const plan = JSON.parse(process.argv[2]!) as CopyPlan;
let meter: WorkMeter | undefined;
let report: WorkReport | undefined;
let copied = 0;

await copying[plan.client](plan, (count) => {
  if (meter === undefined) {
    meter = new WorkMeter(plan.records - count);
    copied = count;
    return false;
  }
  copied += count;
  meter.note(copied);
  if (copied < plan.records) return false;
  // The time that leaving the group takes is not the copying's.
  report ??= meter.report();
  return true;
});
process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit(0));
