import { openSync, unlinkSync, write } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32c, encodeResponse, produceResponse } from '@ottla/protocol';
import { FrameCounter } from '../frame-counter.ts';
import { PRODUCE_VERSION } from '../frames.ts';
import type { ProduceMode } from './bare-modes.ts';

/**
 * The least that a server on Node's sockets can do for a produce request: what arrives goes to a file as it is, each piece
 * by a call of the thread pool, and a frame is answered when it is in the page cache. No protocol, no log, no checks but the
 * CRC-32C. It prints its port, and ends with its standard input.
 */
const mode = process.argv[2] as ProduceMode;
const answer = Buffer.concat(
  encodeResponse(produceResponse, PRODUCE_VERSION, 7, { responses: [], throttleTimeMs: 0 }),
);

let fileCount = 0;

/** A file that has no name any more: its space is free when the server has ended. */
function openFile(): number {
  const path = join(tmpdir(), `ottla-floor-${process.pid}-${(fileCount += 1)}`);
  const fd = openSync(path, 'w+');
  unlinkSync(path);
  return fd;
}

/** A file for each connection, as a log has one for each partition: the kernel writes to a file one call at a time. */
function serve(socket: Socket): void {
  const fd = openFile();
  let position = 0;
  /** Pieces on their way to the page cache, and frames that wait for all of them. */
  let writing = 0;
  let waiting = 0;
  const frames = new FrameCounter(4, () => (waiting += 1));
  socket.on('data', (chunk: Buffer) => {
    frames.push(chunk, chunk.length);
    if (mode === 'crc-write') crc32c(chunk);
    writing += 1;
    write(fd, chunk, 0, chunk.length, position, () => {
      writing -= 1;
      if (writing > 0) return;
      for (; waiting > 0; waiting -= 1) socket.write(answer);
    });
    position += chunk.length;
  });
}

const server = createServer((socket) => {
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  serve(socket);
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') process.stdout.write(`${address.port}\n`);
});
process.stdin.on('end', () => process.exit(0)).resume();
