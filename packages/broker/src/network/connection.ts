import type { Socket } from 'node:net';
import type { Clock, Logger, TimerHandle } from '@ottla/platform';
import type { CancellableWait, ConnectionContext } from '../handlers/handler.ts';
import type { BudgetWaiter } from './frame-budget.ts';
import type { FrameMemory } from './frame-memory.ts';
import { FrameError, FrameReader } from './frame-reader.ts';
import { foreignProtocolOf } from './foreign-protocol.ts';
import type { Dispatch, DispatchResult } from './request-dispatcher.ts';
import { type ResponsePart, ResponseWriter, type ResponseWriterOwner } from './response-writer.ts';

export interface ConnectionOptions {
  readonly id: string;
  readonly clientHost: string;
  readonly listenerName: string;
  readonly principal: string;
  readonly maxFrameBytes: number;
  readonly memory: FrameMemory;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly dispatch: Dispatch;
  readonly onClosed: (connection: Connection) => void;
}

/** Requests of one connection whose answers may be pending at the same time (pipelined ones only). */
const MAX_IN_FLIGHT = 64;
/** A client that leaves this much unread gets no further request processed until it reads. */
const MAX_UNSENT_BYTES = 1024 * 1024;
/** Time for the rest of a frame: before the first complete request, and later. */
const FIRST_FRAME_TIMEOUT_MS = 10_000;
const FRAME_TIMEOUT_MS = 30_000;
/** Within that time a frame is complete or at this pace, so that slow links pass and dribblers do not. */
const FRAME_BYTES_PER_SECOND = 4096;
/** Requests that one connection may have served before the others have their turn. */
const MAX_REQUESTS_PER_TURN = 128;

/** The place of one answer in the order of requests. */
interface ResponseSlot {
  chunks: readonly ResponsePart[] | null;
  readonly context: DispatchResult['context'];
  isDone: boolean;
}

/**
 * One client connection: cuts frames, runs requests in order, sends answers in order.
 *
 * Kafka runs one request of a connection at a time. So do we, except that pipelined requests (Produce) only wait for
 * each other's effects, not for each other's answers; what comes behind a waiting request is held by the reader, and the
 * socket is not read meanwhile, so a connection never holds more than one read ahead.
 */
export class Connection implements ConnectionContext, BudgetWaiter, ResponseWriterOwner {
  readonly id: string;
  readonly clientHost: string;
  readonly listenerName: string;
  readonly principal: string;
  softwareName = 'unknown';
  softwareVersion = 'unknown';
  pendingWait: CancellableWait | null = null;
  /** Monotonic time of the last byte in or answer out: idle connections are closed by it. */
  lastActiveMs: number;

  readonly #options: ConnectionOptions;
  readonly #reader: FrameReader;
  #socket: Socket | null = null;
  #writer: ResponseWriter | null = null;
  #abort: AbortController | null = null;

  #slots: ResponseSlot[] = [];
  #slotsHead = 0;
  /** A request that is not pipelined has not answered yet. */
  #isExclusive = false;
  #isReading = false;
  /** There is something to flush. */
  #hasWritten = false;
  #isInCallback = false;
  #isFlushScheduled = false;
  #isUnsentFull = false;
  /** Since when no request is taken any more: the connection closes when the answers are out. -1 while it serves. */
  #closingSinceMs = -1;
  #isClosed = false;
  #requestsSeen = 0;
  /** Runs while the connection is muted. */
  #muteTimer: TimerHandle | null = null;
  #mutedUntilMs = 0;
  /** When the frame in progress began, or reading was resumed within it; -1 when nothing is timed. */
  #frameStartMs = -1;
  /** Bytes that the frame in progress had at that time. */
  #frameStartBytes = 0;
  /** Requests taken in this turn of the event loop. */
  #turnRequests = 0;

  constructor(options: ConnectionOptions) {
    this.id = options.id;
    this.clientHost = options.clientHost;
    this.listenerName = options.listenerName;
    this.principal = options.principal;
    this.#options = options;
    this.lastActiveMs = options.clock.monotonicMs();
    this.#reader = new FrameReader(options.memory, options.maxFrameBytes, (frame) => this.#takeFrame(frame));
  }

  get closed(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.#isClosed) this.#abort.abort();
    return this.#abort.signal;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** No request is running and no answer is on its way. */
  get isQuiet(): boolean {
    return this.#isAnswered && (this.#writer === null || this.#writer.unsentBytes === 0);
  }

  get #isClosing(): boolean {
    return this.#closingSinceMs >= 0;
  }

  /** Every answer is in the socket. */
  get #isAnswered(): boolean {
    return this.#slotsHead === this.#slots.length && this.#writer?.isStreaming !== true;
  }

  /** Where the socket puts its next bytes. */
  nextBuffer(): Buffer {
    return this.#reader.nextBuffer();
  }

  /** Takes over the socket; its `onread` calls `nextBuffer` and `receive`. */
  attach(socket: Socket): void {
    this.#socket = socket;
    this.#writer = new ResponseWriter(socket, this);
    this.#isReading = true;
    socket.on('drain', () => this.#onDrain());
    socket.on('end', () => this.#onEnd());
    socket.on('error', () => {
      // A reset is how many clients leave; 'close' follows and cleans up.
    });
    socket.on('close', () => this.#onClose());
  }

  /** Bytes were read. Returns false when reading has to pause. */
  receive(buffer: Buffer, count: number): boolean {
    if (this.#isClosed || this.#isClosing) return false;
    const nowMs = this.#options.clock.monotonicMs();
    this.lastActiveMs = nowMs;
    this.#isInCallback = true;
    const requestsBefore = this.#requestsSeen;
    this.#turnRequests = 0;
    try {
      this.#reader.receive(buffer, count);
    } catch (error) {
      this.#refuse(error);
    }
    this.#isInCallback = false;
    this.#flush();
    this.#trackFrameTime(nowMs, requestsBefore);
    if (this.#reader.isBlocked) this.#options.memory.budget.wait(this);
    this.#isReading = this.#mayRead();
    return this.#isReading;
  }

  onBudgetFreed(): void {
    if (this.#isClosed) return;
    if (this.#reader.unblock()) this.#resumeReading();
    else this.#options.memory.budget.wait(this);
  }

  /** Closes when a frame takes too long or nothing happened for `maxIdleMs`; called about once a second. */
  checkTimeouts(nowMs: number, maxIdleMs: number): void {
    if (this.#isClosing && nowMs - this.#closingSinceMs > FRAME_TIMEOUT_MS) {
      this.destroy();
      return;
    }
    if (this.#frameStartMs >= 0 && this.#isReading) {
      const base = this.#requestsSeen === 0 ? FIRST_FRAME_TIMEOUT_MS : FRAME_TIMEOUT_MS;
      if (nowMs - this.#frameStartMs > base) {
        const received = this.#reader.frameBytesReceived - this.#frameStartBytes;
        if (received < (base / 1000) * FRAME_BYTES_PER_SECOND) {
          this.#log('A request was not completed in time');
          this.destroy();
          return;
        }
        this.#startFrameTime(nowMs);
      }
    }
    // A client that does not read its answer is idle too.
    const mayBeIdle = this.isQuiet || this.#isUnsentFull || this.#writer?.isStreaming === true;
    if (maxIdleMs >= 0 && nowMs - this.lastActiveMs > maxIdleMs && mayBeIdle) this.destroy();
  }

  /** Sends what is answered, then closes; nothing more is read. */
  closeGracefully(): void {
    if (!this.#isClosing) this.#closingSinceMs = this.#options.clock.monotonicMs();
    this.#pauseReading();
    this.#finishIfDrained();
  }

  /** Takes no request for so long; several mutes last as long as the longest. */
  mute(durationMs: number): void {
    const untilMs = this.#options.clock.monotonicMs() + durationMs;
    if (this.#isClosed || untilMs <= this.#mutedUntilMs) return;
    this.#mutedUntilMs = untilMs;
    this.#muteTimer?.cancel();
    this.#muteTimer = this.#options.clock.setTimer(durationMs, () => {
      this.#muteTimer = null;
      this.#goOn();
    });
  }

  /** Closes at once, with nothing more sent. */
  destroy(): void {
    if (this.#socket === null) this.#onClose();
    else this.#socket.destroy();
  }

  /** Serves the frame; false when it has to wait. */
  #takeFrame(frame: Buffer): boolean {
    if (this.#isClosing || this.#isClosed) return true;
    if (!this.#mayRun()) return false;
    if (this.#turnRequests === MAX_REQUESTS_PER_TURN) {
      setImmediate(() => this.#goOn());
      return false;
    }
    this.#turnRequests += 1;
    this.#requestsSeen += 1;
    this.#run(frame);
    return true;
  }

  #mayRun(): boolean {
    return (
      !this.#isExclusive &&
      !this.#isUnsentFull &&
      this.#writer?.isStreaming !== true &&
      this.#muteTimer === null &&
      this.#slots.length - this.#slotsHead < MAX_IN_FLIGHT
    );
  }

  #mayRead(): boolean {
    // A waiting request alone does not stop reading: a pause costs system calls, and the client's leaving would go unseen.
    return (
      !this.#isClosing &&
      !this.#isClosed &&
      !this.#isUnsentFull &&
      !this.#reader.isBlocked &&
      !this.#reader.isHolding
    );
  }

  #run(frame: Buffer): void {
    let result: DispatchResult;
    try {
      result = this.#options.dispatch(frame, this);
    } catch (error) {
      this.#refuse(error);
      return;
    }
    if (result.pending === null) {
      if (this.#isAnswered) this.#write(result.chunks, result.context);
      else if (result.chunks !== null) {
        this.#slots.push({ chunks: result.chunks, context: result.context, isDone: true });
      }
      return;
    }
    const slot: ResponseSlot = { chunks: null, context: result.context, isDone: false };
    this.#slots.push(slot);
    const isExclusive = !result.isPipelined;
    if (isExclusive) this.#isExclusive = true;
    result.pending.then(
      (chunks) => this.#answer(slot, chunks, isExclusive),
      (error: unknown) => {
        this.#answer(slot, null, isExclusive);
        this.#refuse(error);
      },
    );
  }

  #answer(slot: ResponseSlot, chunks: readonly ResponsePart[] | null, isExclusive: boolean): void {
    slot.chunks = chunks;
    slot.isDone = true;
    if (isExclusive) {
      this.#isExclusive = false;
      this.pendingWait = null;
    }
    if (this.#isClosed) {
      slot.context?.onSent?.();
      return;
    }
    this.#sendReady();
    this.#scheduleFlush();
  }

  /** Moves the answers at the head of the order into the socket. */
  #sendReady(): void {
    while (this.#slotsHead < this.#slots.length) {
      if (this.#writer?.isStreaming === true) return;
      const slot = this.#slots[this.#slotsHead]!;
      if (!slot.isDone) return;
      this.#slotsHead += 1;
      this.#write(slot.chunks, slot.context);
      if (this.#slotsHead === MAX_IN_FLIGHT) {
        this.#slots.splice(0, this.#slotsHead);
        this.#slotsHead = 0;
      }
    }
    this.#slots = [];
    this.#slotsHead = 0;
  }

  #write(chunks: readonly ResponsePart[] | null, context: DispatchResult['context']): void {
    const onSent = context?.onSent ?? null;
    if (chunks === null || this.#writer === null || this.#isClosed) {
      onSent?.();
      return;
    }
    this.#writer.write(chunks, onSent);
    this.#hasWritten = true;
    if (this.#writer.unsentBytes > MAX_UNSENT_BYTES) this.#isUnsentFull = true;
  }

  onProgress(): void {
    this.lastActiveMs = this.#options.clock.monotonicMs();
  }

  onStreamed(): void {
    this.#sendReady();
    this.#scheduleFlush();
  }

  onFailed(error: unknown): void {
    this.#log(error instanceof Error ? error.message : String(error));
    this.destroy();
  }

  /** Answers that become ready together leave in one writev: once all promises that are settled now have run. */
  #scheduleFlush(): void {
    if (this.#isInCallback || this.#isFlushScheduled) return;
    this.#isFlushScheduled = true;
    process.nextTick(() => {
      this.#isFlushScheduled = false;
      this.#goOn();
    });
  }

  /** Something that requests may have waited for has happened: serves what the reader holds. */
  #goOn(): void {
    if (this.#isClosed) return;
    if (this.#reader.isHolding && this.#mayRun() && !this.#isClosing) {
      const requestsBefore = this.#requestsSeen;
      this.#turnRequests = 0;
      try {
        this.#reader.resume();
      } catch (error) {
        this.#refuse(error);
      }
      this.#trackFrameTime(this.#options.clock.monotonicMs(), requestsBefore);
    }
    this.#flush();
    this.#finishIfDrained();
    this.#resumeReading();
  }

  #flush(): void {
    if (!this.#hasWritten || this.#writer === null) return;
    this.#hasWritten = false;
    this.lastActiveMs = this.#options.clock.monotonicMs();
    this.#writer.flush();
    // What the kernel took at once is no longer unsent; the rest is announced by 'drain'.
    this.#isUnsentFull = this.#writer.unsentBytes > MAX_UNSENT_BYTES;
  }

  #onDrain(): void {
    this.#isUnsentFull = false;
    this.lastActiveMs = this.#options.clock.monotonicMs();
    this.#goOn();
  }

  #resumeReading(): void {
    if (this.#isReading || !this.#mayRead()) return;
    this.#isReading = true;
    if (this.#frameStartMs >= 0) this.#startFrameTime(this.#options.clock.monotonicMs());
    this.#socket?.resume();
  }

  #pauseReading(): void {
    this.#isReading = false;
    this.#socket?.pause();
  }

  #trackFrameTime(nowMs: number, requestsBefore: number): void {
    if (!this.#reader.isInFrame) this.#frameStartMs = -1;
    else if (this.#frameStartMs < 0 || this.#requestsSeen !== requestsBefore) this.#startFrameTime(nowMs);
  }

  #startFrameTime(nowMs: number): void {
    this.#frameStartMs = nowMs;
    this.#frameStartBytes = this.#reader.frameBytesReceived;
  }

  /** What arrived cannot be served: answers what came before it, then closes, as Kafka does. */
  #refuse(error: unknown): void {
    if (this.#isClosed) return;
    if (error instanceof FrameError) {
      const foreign = foreignProtocolOf(error.length);
      this.#log(
        foreign === null
          ? error.message
          : `A client speaks ${foreign} to listener "${this.listenerName}", which is plaintext Kafka`,
      );
    } else if (error instanceof Error) {
      this.#log(error.message);
    }
    this.closeGracefully();
  }

  #onEnd(): void {
    // The client will send nothing more. A long poll has nobody to answer; anything else is answered before the close.
    if (this.pendingWait !== null) this.destroy();
    else this.closeGracefully();
  }

  #finishIfDrained(): void {
    if (!this.#isClosing || this.#isClosed || !this.#isAnswered) return;
    this.#flush();
    this.#socket?.end(() => this.#socket?.destroy());
  }

  #onClose(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#muteTimer?.cancel();
    this.#writer?.close();
    this.#options.memory.budget.forget(this);
    this.#reader.close();
    for (const slot of this.#slots.slice(this.#slotsHead)) if (slot.isDone) slot.context?.onSent?.();
    this.#slots = [];
    this.#slotsHead = 0;
    const wait = this.pendingWait;
    this.pendingWait = null;
    wait?.cancel();
    this.#abort?.abort();
    this.#options.onClosed(this);
  }

  #log(reason: string): void {
    this.#options.logger.warn(
      { connection: this.id, listener: this.listenerName, reason },
      'Closing a connection',
    );
  }
}
