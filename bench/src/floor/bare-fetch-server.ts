import { openSync, read, readSync, unlinkSync, writeSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FrameCounter } from '../frame-counter.ts';
import type { FetchMode } from './bare-modes.ts';

/**
 * The least that a server on Node's sockets can do for a fetch: for every frame that arrives it writes one answer of a
 * fixed size, from the same memory or read from the same file in the page cache. No protocol, no log, no checks. It
 * prints its port, and ends with its standard input.
 */
const answerBytes = Number(process.argv[3]);
const mode = process.argv[2] as FetchMode;

const answer = Buffer.alloc(answerBytes, 'x');
answer.writeInt32BE(answerBytes - 4, 0);

/** A file in the page cache that holds one answer; it has no name any more. */
function answerFile(): number {
  const path = join(tmpdir(), `ottla-floor-${process.pid}`);
  const fd = openSync(path, 'w+');
  unlinkSync(path);
  writeSync(fd, answer);
  return fd;
}

const fd = mode === 'memory' ? -1 : answerFile();
const free: Buffer[] = [];

/** Writes an answer that was read into recycled memory. */
function sendFromFile(socket: Socket): void {
  const buffer = free.pop() ?? Buffer.allocUnsafeSlow(answerBytes);
  const send = () => void socket.write(buffer, () => free.push(buffer));
  if (mode === 'file-pool') return read(fd, buffer, 0, answerBytes, 0, send);
  readSync(fd, buffer, 0, answerBytes, 0);
  send();
}

const server = createServer((socket) => {
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  const requests = new FrameCounter(4, () => {
    if (mode === 'memory') socket.write(answer);
    else sendFromFile(socket);
  });
  socket.on('data', (chunk: Buffer) => requests.push(chunk, chunk.length));
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') process.stdout.write(`${address.port}\n`);
});
process.stdin.on('end', () => process.exit(0)).resume();
