export { mutate } from './mutate.ts';
export { randomMessage, seededRandom, type SeededRandom } from './random-message.ts';
