import { execFileSync } from 'node:child_process';
import { delay, eventually, Peer, RawConnection } from '@ottla/interop';
import {
  createTopicsRequest,
  createTopicsResponse,
  decodeResponse,
  deleteTopicsRequest,
  encodeRequest,
  listOffsetsRequest,
  listOffsetsResponse,
} from '@ottla/protocol';

/** The brokers that are compared: Kafka as it comes, Ottla with Kafka's durability, and Ottla as it comes. */
export const subjectNames = ['kafka', 'caching', 'durable'] as const;
export type SubjectName = (typeof subjectNames)[number];

/** Headings of the table. */
export const subjectTitles: Readonly<Record<SubjectName, string>> = {
  kafka: 'Kafka 4.3.1',
  caching: 'Ottla write.caching',
  durable: 'Ottla default',
};

/** A broker that is measured. */
export interface Subject {
  readonly name: SubjectName;
  readonly peer: Peer;
}

/** How the broker of a subject is started; deleted topics give their disk space back at once. */
export function startSubject(name: SubjectName, libs: string | undefined): Promise<Peer> {
  return Peer.start({
    kind: name === 'kafka' ? 'kafka' : 'ottla',
    ...(libs !== undefined && { libs }),
    properties: {
      'log.segment.delete.delay.ms': '100',
      ...(name === 'caching' && { 'write.caching': 'true' }),
    },
  });
}

const header = { correlationId: 1, clientId: 'bench' };

async function exchange(port: number, chunks: readonly Buffer[]): Promise<Buffer> {
  const connection = await RawConnection.open(port);
  connection.send(...chunks);
  const frame = await connection.receive(30_000);
  connection.close();
  if (frame === undefined) throw new Error(`The broker on port ${port} gave no answer`);
  return frame;
}

/** Creates a topic; throws with the broker's error code. */
export async function createTopic(subject: Subject, name: string, numPartitions: number): Promise<void> {
  const body = { topics: [{ name, numPartitions, replicationFactor: 1 }], timeoutMs: 30_000 };
  const frame = await exchange(subject.peer.port, encodeRequest(createTopicsRequest, 7, header, body));
  const { errorCode, errorMessage } = decodeResponse(createTopicsResponse, 7, frame).value.topics[0]!;
  if (errorCode !== 0)
    throw new Error(`Topic "${name}" was refused with error ${errorCode}: ${errorMessage}`);
  await eventually(`Leaders of "${name}"`, async () =>
    (await hasLeaders(subject, name, numPartitions)) ? true : undefined,
  );
  await delay(100);
}

/** Partitions take requests a moment after the topic is created; Kafka needs seconds for hundreds of them. */
async function hasLeaders(subject: Subject, name: string, numPartitions: number): Promise<boolean> {
  const partitions = Array.from({ length: numPartitions }, (_, partitionIndex) => ({
    partitionIndex,
    timestamp: -1,
  }));
  const body = { replicaId: -1, topics: [{ name, partitions }] };
  const frame = await exchange(subject.peer.port, encodeRequest(listOffsetsRequest, 6, header, body));
  const answered = decodeResponse(listOffsetsResponse, 6, frame).value.topics[0]!.partitions;
  return answered.every(({ errorCode }) => errorCode === 0);
}

/** Deletes a topic and waits until its pages are gone, so that the next measurement finds a quiet disk. */
export async function deleteTopic(subject: Subject, name: string): Promise<void> {
  const body = { topics: [{ name }], timeoutMs: 30_000 };
  await exchange(subject.peer.port, encodeRequest(deleteTopicsRequest, 6, header, body));
  await delay(700);
  quietDisk();
}

/** Waits until everything that was written is on disk. */
export function quietDisk(): void {
  execFileSync('sync');
}
