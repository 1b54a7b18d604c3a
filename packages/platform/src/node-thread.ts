import { parentPort, Worker, workerData } from 'node:worker_threads';

/** A thread that runs one module to its end. */
export interface ThreadRun {
  /** Resolves when the module has ended; rejects when it failed, or `onMessage` did. */
  readonly done: Promise<void>;
  /** Ends the thread at once; `done` then resolves. */
  terminate(): Promise<void>;
}

/**
 * Runs the module at `entry` (compiled JavaScript) in a thread of its own with `input` as `threadParent().input`.
 * `onMessage` answers each message of the thread, which waits until it is done.
 */
export function runThread<Message>(
  entry: URL,
  input: unknown,
  onMessage: (message: Message) => Promise<void>,
): ThreadRun {
  const worker = new Worker(entry, { workerData: input });
  // A running thread is no reason for the process to stay: what it makes is thrown away by the next start.
  worker.unref();
  const done = new Promise<void>((resolve, reject) => {
    worker.on('message', (message: Message) => {
      onMessage(message).then(
        () => worker.postMessage(null),
        (error: unknown) => {
          reject(error);
          void worker.terminate();
        },
      );
    });
    worker.on('error', reject);
    worker.on('exit', () => resolve());
  });
  return { done, terminate: async () => void (await worker.terminate()) };
}

/** The other side of `runThread`, inside the thread. */
export interface ThreadParent<Input, Message> {
  readonly input: Input;
  /** Sends a message and waits until the parent has dealt with it. */
  ask(message: Message): Promise<void>;
}

/** What a thread's module knows of the one that started it. @throws Error outside of a thread */
export function threadParent<Input, Message>(): ThreadParent<Input, Message> {
  const port = parentPort;
  if (port === null) throw new Error('This module runs in a thread only: start it with runThread');
  return {
    input: workerData as Input,
    ask: (message) =>
      new Promise((resolve) => {
        port.once('message', () => resolve());
        port.postMessage(message);
      }),
  };
}
