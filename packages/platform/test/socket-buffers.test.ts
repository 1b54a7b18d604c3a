import { connect, createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { setSocketBuffers } from '../src/index.ts';
import { libc } from '../src/node-libc.ts';

/** Bytes that a connection takes from a writer while nobody reads them. */
async function takenUnread(sendBytes: number): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  expect(setSocketBuffers(server, { sendBytes, receiveBytes: sendBytes })).toBe(true);
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const far = connect((server.address() as { port: number }).port, '127.0.0.1').pause();
  const near = await accepted;
  for (let i = 0; i < 64; i++) near.write(Buffer.alloc(256 * 1024));
  for (let left = -1; left !== near.writableLength;) {
    left = near.writableLength;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const taken = 64 * 256 * 1024 - near.writableLength;
  for (const socket of [near, far]) socket.on('error', () => {}).destroy();
  server.close();
  return taken;
}

test.skipIf(libc() === null)('accepted sockets have the buffers of the listening one', async () => {
  const small = await takenUnread(8 * 1024);
  const large = await takenUnread(1024 * 1024);
  expect(large).toBeGreaterThan(small + 512 * 1024);
});

test('nothing has to be set where the system decides', () => {
  expect(setSocketBuffers(createServer(), { sendBytes: -1, receiveBytes: -1 })).toBe(true);
  // Not listening: there is no socket yet.
  expect(setSocketBuffers(createServer(), { sendBytes: 1, receiveBytes: -1 })).toBe(false);
});
