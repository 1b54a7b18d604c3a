import { expect, test } from 'vitest';
import { BrokerConfig } from '../../src/config/broker-config.ts';

const buffersOf = (properties: Record<string, string>) =>
  BrokerConfig.parse(new Map(Object.entries(properties))).socketBuffers;

test('the buffers of sockets are those that are set, and of our choice otherwise', () => {
  expect(buffersOf({})).toEqual({ sendBytes: 524_288, receiveBytes: -1 });
  const both = { 'socket.send.buffer.bytes': '102400', 'socket.receive.buffer.bytes': '65536' };
  expect(buffersOf(both)).toEqual({ sendBytes: 102_400, receiveBytes: 65_536 });
  expect(buffersOf({ 'socket.send.buffer.bytes': '-1' })).toEqual({ sendBytes: -1, receiveBytes: -1 });
});
