import type { MessageSchema } from '../schema/message-schema.ts';
import * as messages from './index.ts';

/** Every message that is declared, for tools and tests. */
export const allMessages: readonly MessageSchema<unknown>[] = Object.values(messages);
