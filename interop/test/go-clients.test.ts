import { describe, expect, test } from 'vitest';
import { absent, bootstrap, interop, runProgram, title, unique } from './support.ts';

describe.skipIf(absent(interop.go))(title('Go clients', interop.go), () => {
  test.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'])(
    'franz-go writes with %s, reads as a group and manages the topic',
    async (codec) => {
      const result = await runProgram(interop.go, ['franz', bootstrap, unique(`franz-${codec}`), codec]);
      expect(result).toEqual({ sent: 500, read: 500, committed: 500, group: true });
    },
  );

  test('franz-go copies exactly once in transactions of which some are aborted', async () => {
    const result = await runProgram(interop.go, [
      'franz-transactions',
      bootstrap,
      unique('franz-txn'),
      'none',
    ]);
    expect(result).toEqual({ sent: 500, read: 500, committed: 500, group: true });
  });

  test.each(['none', 'lz4', 'zstd'])(
    'sarama writes with %s, reads as a group and manages the topic',
    async (codec) => {
      const result = await runProgram(interop.go, ['sarama', bootstrap, unique(`sarama-${codec}`), codec]);
      expect(result).toEqual({ sent: 500, read: 500, committed: 500, group: true });
    },
  );
});
