import { decodeResponse, encodeResponse } from '@ottla/protocol';
import { mutate, randomMessage, seededRandom, type SeededRandom } from '@ottla/protocol/testing';
import type { Answer, Delivery, Tamper } from './tampering-proxy.ts';

/** `wire`: what comes is true or unreadable. `lies`: answers may also say what is not so. */
export type TamperKind = 'wire' | 'lies';

type Trick = (answer: Answer, random: SeededRandom) => Delivery;

function withInt32(frame: Buffer, position: number, value: number): Buffer {
  const bytes = Buffer.from(frame);
  bytes.writeInt32BE(value | 0, position);
  return bytes;
}

const LENGTHS = [0x7fff_ffff, -1, 0, 3, 0x0300_0000, -0x8000_0000];

const wireTricks: readonly Trick[] = [
  ({ frame }, random) => ({ bytes: frame.subarray(0, random.nextInt(frame.length)), isLast: true }),
  ({ frame }, random) => ({ bytes: frame.subarray(0, random.nextInt(frame.length)), isStall: true }),
  () => ({ bytes: Buffer.alloc(0), isLast: true }),
  () => ({ bytes: Buffer.alloc(0), isStall: true }),
  // Lost: the next answer comes in its place.
  () => ({ bytes: Buffer.alloc(0) }),
  ({ frame }, random) => ({ bytes: frame, delayMs: 1 + random.nextInt(400) }),
  ({ frame }) => ({ bytes: Buffer.concat([frame, frame]) }),
  ({ frame }, random) => ({ bytes: withInt32(frame, 0, LENGTHS[random.nextInt(LENGTHS.length)]!) }),
  ({ frame }, random) => ({ bytes: withInt32(frame, 0, frame.length - 4 + random.nextInt(9) - 4) }),
  ({ frame, correlationId }, random) => ({
    bytes: withInt32(frame, 4, correlationId + 1 + random.nextInt(3)),
  }),
  () => ({ bytes: Buffer.from('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n') }),
];

/** The last whole answer that passed, for giving it to somebody else. */
function swapped(): Trick {
  let last: Buffer | null = null;
  return ({ frame, correlationId }) => {
    const bytes = last === null ? frame : withInt32(last, 4, correlationId);
    last = frame;
    return { bytes };
  };
}

function lyingTricks(port: number): readonly Trick[] {
  return [
    (answer, random) => ({ bytes: mutated(answer, random, port) }),
    (answer, random) => ({ bytes: nonsense(answer, random, port) }),
    swapped(),
  ];
}

/** Bytes changed, with a length that fits. */
function mutated(answer: Answer, random: SeededRandom, port: number): Buffer {
  const { schema, version, correlationId, frame } = answer;
  const head = frame.subarray(0, 8);
  const bytes = Buffer.concat([head, mutate(frame.subarray(8), random)]);
  bytes.writeInt32BE(bytes.length - 4, 0);
  let value: unknown;
  try {
    ({ value } = decodeResponse(schema, version, bytes.subarray(4)));
  } catch {
    return bytes;
  }
  return hasAddress(value)
    ? Buffer.concat(encodeResponse(schema, version, correlationId, atHome(value, port) as never))
    : bytes;
}

/** A readable answer that says anything. */
function nonsense({ schema, version, correlationId }: Answer, random: SeededRandom, port: number): Buffer {
  const value = atHome(randomMessage(schema, version, random), port);
  return Buffer.concat(encodeResponse(schema, version, correlationId, value as never));
}

function hasAddress(value: unknown): boolean {
  if (Buffer.isBuffer(value) || typeof value !== 'object' || value === null) return false;
  return 'host' in value || Object.values(value).some(hasAddress);
}

/** Every address in an answer is the proxy's: a test does not call on strangers. */
function atHome(value: unknown, port: number): unknown {
  if (Buffer.isBuffer(value) || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((each) => atHome(each, port));
  const changed = Object.entries(value).map(([name, each]) => [name, atHome(each, port)]);
  const result = Object.fromEntries(changed) as Record<string, unknown>;
  // Fields that the version does not have are at their defaults, and must stay there.
  if (typeof result['host'] === 'string' && result['host'] !== '') result['host'] = '127.0.0.1';
  if (typeof result['port'] === 'number' && result['port'] !== 0) result['port'] = port;
  return result;
}

function hash(text: string): number {
  let mixed = 0x811c_9dc5;
  for (const letter of text) mixed = Math.imul(mixed ^ letter.codePointAt(0)!, 0x0100_0193);
  return mixed;
}

/** How many of a thousand answers are tampered with. */
const RATES = [60, 150, 350];

/**
 * What a seed does to answers. The n-th answer of an API is treated by its own numbers, so that the order in which the answers of several
 * connections come changes nothing.
 */
export function seededTamper(seed: number, kind: TamperKind, port: number): Tamper {
  const tricks = kind === 'wire' ? wireTricks : [...wireTricks.slice(0, 3), ...lyingTricks(port)];
  const rate = RATES[Math.abs(seed) % RATES.length]!;
  return (answer) => {
    const random = seededRandom(hash(`${seed} ${answer.api} ${answer.index}`));
    if (random.nextInt(1_000) >= rate) return { bytes: answer.frame };
    return tricks[random.nextInt(tricks.length)]!(answer, random);
  };
}
