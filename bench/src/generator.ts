import { connect, type Socket } from 'node:net';
import { decodeResponse, fetchResponse, produceResponse } from '@ottla/protocol';
import { FrameCounter } from './frame-counter.ts';
import {
  FETCH_VERSION,
  fetchTemplate,
  fullBatch,
  PRODUCE_VERSION,
  produceFrames,
  setOffset,
} from './frames.ts';
import type { GeneratorPlan, GeneratorReport } from './generator-plan.ts';
import { quantile } from './statistics.ts';

/**
 * The load generator: a process of its own that sends requests built beforehand and throws answers away, so that it
 * costs less than the broker it drives. Its own CPU time is part of the report.
 */
const plan = JSON.parse(process.argv[2]!) as GeneratorPlan;
const { batch, count: recordsPerBatch } = fullBatch(plan);
const latenciesUs: number[] = [];
let requestCount = 0;
let bytes = 0;
let deadlineMs = Number.POSITIVE_INFINITY;

const isOver = () => performance.now() >= deadlineMs || bytes >= (plan.maxBytes ?? Number.POSITIVE_INFINITY);

/** A connection whose reads land in one buffer that is used again and again. */
function open(headBytes: number, onFrame: (head: Buffer, length: number) => void): Promise<Socket> {
  const counter = new FrameCounter(headBytes, onFrame);
  return new Promise((resolve, reject) => {
    const socket = connect({
      port: plan.port,
      host: '127.0.0.1',
      onread: {
        buffer: Buffer.allocUnsafe(1024 * 1024),
        callback: (length, buffer) => {
          counter.push(buffer as Buffer, length);
          return true;
        },
      },
    });
    socket.setNoDelay(true);
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('The broker closed the connection')));
    socket.once('connect', () => resolve(socket));
  });
}

/** Throws unless a produce answer says that every partition took its batch. */
function checkProduced(frame: Buffer): void {
  for (const topic of decodeResponse(produceResponse, PRODUCE_VERSION, frame).value.responses) {
    for (const { errorCode, index } of topic.partitionResponses) {
      if (errorCode !== 0) throw new Error(`Partition ${index} refused a batch with error ${errorCode}`);
    }
  }
}

/** One connection that keeps `inFlight` produce requests unanswered. */
async function produceLoop(connection: number, frames: readonly Buffer[]): Promise<void> {
  let next = Math.floor((connection * frames.length) / plan.connectionCount);
  let waiting = 0;
  let answers = 0;
  let finish: () => void;
  const done = new Promise<void>((resolve) => (finish = resolve));
  const socket = await open(64 * 1024, (head) => {
    waiting -= 1;
    requestCount += 1;
    bytes += batch.length * Math.min(plan.batchesPerRequest, plan.partitionCount);
    answers += 1;
    // Every answer would cost the generator more than the broker spends on it.
    if (answers % 50 === 1) checkProduced(head);
    if (!isOver()) send();
    else if (waiting === 0) finish();
  });
  const send = () => {
    waiting += 1;
    socket.write(frames[next]!);
    next = (next + 1) % frames.length;
  };
  for (let i = 0; i < plan.inFlight; i += 1) send();
  await done;
  socket.destroy();
}

/** One connection that reads the partitions in steps from the start, again and again. */
async function fetchLoop(connection: number): Promise<void> {
  const batchesPerFetch = Math.max(1, Math.floor((1024 * 1024) / batch.length));
  const template = fetchTemplate(plan, { partitionMaxBytes: batchesPerFetch * batch.length, maxWaitMs: 100 });
  const step = batchesPerFetch * recordsPerBatch;
  const stepCount = Math.max(1, Math.floor((plan.endOffset ?? step) / step));
  let next = Math.floor((connection * stepCount) / plan.connectionCount);
  let waiting = 0;
  let finish: () => void;
  const done = new Promise<void>((resolve) => (finish = resolve));
  const socket = await open(4, (_head, length) => {
    waiting -= 1;
    requestCount += 1;
    bytes += length;
    if (!isOver()) send();
    else if (waiting === 0) finish();
  });
  const send = () => {
    waiting += 1;
    setOffset(template, next * step);
    // The template changes with the next request, while this one may still wait in the socket.
    socket.write(Buffer.from(template.frame));
    next = (next + 1) % stepCount;
  };
  for (let i = 0; i < plan.inFlight; i += 1) send();
  await done;
  socket.destroy();
}

/** One small produce request after the other; each is timed. */
async function oneInFlight(): Promise<void> {
  const [frame] = produceFrames(plan, batch);
  let begun = 0;
  let finish: () => void;
  const done = new Promise<void>((resolve) => (finish = resolve));
  const socket = await open(64 * 1024, (head) => {
    latenciesUs.push((performance.now() - begun) * 1000);
    requestCount += 1;
    bytes += batch.length;
    if (requestCount % 50 === 1) checkProduced(head);
    if (isOver()) finish();
    else send();
  });
  const send = () => {
    begun = performance.now();
    socket.write(frame!);
  };
  send();
  await done;
  socket.destroy();
}

/** A record is sent while a fetch waits for it; timed from the send to the arrival, then the next. */
async function endToEnd(): Promise<void> {
  const [frame] = produceFrames(plan, batch);
  const template = fetchTemplate(plan, { partitionMaxBytes: 1024 * 1024, maxWaitMs: 500 });
  let offset = plan.endOffset ?? 0;
  let begun = 0;
  let finish: () => void;
  const done = new Promise<void>((resolve) => (finish = resolve));
  const producer = await open(64 * 1024, (head) => checkProduced(head));
  const consumer = await open(64 * 1024, (head) => {
    const records = decodeResponse(fetchResponse, FETCH_VERSION, head).value.responses[0]?.partitions[0]
      ?.records;
    if (records && records.length > 0) {
      latenciesUs.push((performance.now() - begun) * 1000);
      requestCount += 1;
      bytes += batch.length;
      offset += recordsPerBatch;
      if (isOver()) return finish();
      waitForRecord();
      // The broker has the fetch waiting before the record comes, as with a consumer that is caught up.
      setTimeout(send, 1);
    } else waitForRecord();
  });
  const waitForRecord = () => {
    setOffset(template, offset);
    consumer.write(Buffer.from(template.frame));
  };
  const send = () => {
    begun = performance.now();
    producer.write(frame!);
  };
  waitForRecord();
  setTimeout(send, 5);
  await done;
  producer.destroy();
  consumer.destroy();
}

async function run(): Promise<GeneratorReport> {
  const begunCpu = process.cpuUsage();
  const begun = performance.now();
  deadlineMs = begun + plan.seconds * 1000;
  if (plan.mode === 'one-in-flight') await oneInFlight();
  else if (plan.mode === 'end-to-end') await endToEnd();
  else {
    const frames = plan.mode === 'produce' ? produceFrames(plan, batch) : [];
    const loop = plan.mode === 'produce' ? (i: number) => produceLoop(i, frames) : fetchLoop;
    await Promise.all(Array.from({ length: plan.connectionCount }, (_, i) => loop(i)));
  }
  const cpu = process.cpuUsage(begunCpu);
  return {
    seconds: (performance.now() - begun) / 1000,
    requestCount,
    bytes,
    cpuSeconds: (cpu.user + cpu.system) / 1e6,
    recordsPerBatch,
    ...(latenciesUs.length > 0 && { p50Us: quantile(latenciesUs, 0.5), p99Us: quantile(latenciesUs, 0.99) }),
  };
}

process.stdout.write(`${JSON.stringify(await run())}\n`);
process.exit(0);
