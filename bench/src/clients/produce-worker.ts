import { producing } from './produce-clients.ts';
import type { ProducePlan } from './produce-plan.ts';
import { WorkMeter } from './work-meter.ts';

/** One client writes to a topic in a process of its own, as fast as it is acknowledged. */
const plan = JSON.parse(process.argv[2]!) as ProducePlan;

/** Different values, half of each as text repeats itself, so that compression has something to do. */
const values = Array.from({ length: 1000 }, (_, index) =>
  Buffer.from(
    `${Math.imul(index + 1, 2654435761) >>> 0}`
      .repeat(plan.recordBytes)
      .slice(0, plan.recordBytes / 2)
      .padEnd(plan.recordBytes, 'x'),
  ),
);

const producer = await producing[plan.client](plan, values);
const meter = new WorkMeter(plan.records);
await producer.run((count) => meter.note(count));
process.stdout.write(`${JSON.stringify(meter.report())}\n`, () => process.exit(0));
