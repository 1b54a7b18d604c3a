import { NodeDisk, SeededRandom } from '@ottla/platform';
import { UsageError } from '../cluster/run-on-cluster.ts';
import { fileChunks, splitChunks } from '../records/record-lines.ts';

/** Enough different ones that compression finds no more in a batch than in a record. */
const VARIANT_BYTES = 4 * 1024 * 1024;

/** Values to send, again and again: of a size, or the lines of a file. */
export async function payloads(options: {
  readonly recordSize: number;
  readonly payloadFile?: string;
  readonly delimiter: string;
}): Promise<Buffer[]> {
  if (options.payloadFile === undefined) return randomValues(options.recordSize);
  const values: Buffer[] = [];
  for await (const line of splitChunks(fileChunks(new NodeDisk(), options.payloadFile), options.delimiter))
    if (line.length > 0) values.push(Buffer.from(line));
  if (values.length === 0) throw new UsageError(`Payload file "${options.payloadFile}" has no payload`);
  return values;
}

/** Capital letters, as those of Kafka's tool, so that compression does what it does there. */
function randomValues(size: number): Buffer[] {
  const random = new SeededRandom(0);
  const count = Math.max(1, Math.min(1000, Math.floor(VARIANT_BYTES / Math.max(1, size))));
  return Array.from({ length: count }, () => {
    const value = Buffer.allocUnsafe(size);
    for (let at = 0; at < size; at += 1) value[at] = 65 + random.nextInt(26);
    return value;
  });
}
