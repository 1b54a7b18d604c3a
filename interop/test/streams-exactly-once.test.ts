import { ApiKeys } from '@ottla/protocol';
import { afterEach, describe, expect, test } from 'vitest';
import { eventually, type Peer } from '../src/index.ts';
import { announces } from './requests.ts';
import { expectedOutput, outputByKind, StreamsApplication, streamsBrokerProperties } from './streams.ts';
import { absent, interop, startPeer, title } from './support.ts';

const COUNT = 4_000;
const RATE = 400;

let peer: Peer | undefined;
let application: StreamsApplication | undefined;

afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') console.error(application?.tails());
  await application?.dispose();
  await peer?.dispose();
  application = peer = undefined;
});

const served = { classic: true, streams: await announces(ApiKeys.StreamsGroupHeartbeat) };

describe.skipIf(absent(interop.java))(title('Kafka Streams with exactly_once_v2', interop.java), () => {
  test.for(['classic', 'streams'] as const)(
    'counts, windows and joins each input once, while instances come, are killed, come back and leave, by the protocol %s',
    { timeout: 240_000 },
    async (protocol, { skip }) => {
      if (!served[protocol]) skip('the broker does not announce StreamsGroupHeartbeat');
      peer = await startPeer({ properties: streamsBrokerProperties });
      application = new StreamsApplication(peer, protocol);
      await application.prepare();
      const reader = application.read();
      const [one, two] = [application.start('one'), application.start('two', 'leave=true')];
      await Promise.all([one.line(/^state RUNNING/), two.line(/^state RUNNING/)]);
      const writer = application.write(COUNT, RATE);
      const written = (part: number) =>
        eventually('Input', () => (writer.out.length > part * COUNT ? true : undefined), 60_000);
      await written(0.2);
      await one.end('SIGKILL');
      const again = application.start('one');
      await again.line(/^state RUNNING/);
      await written(0.6);
      // Has nothing on its disk: takes its state from the changelogs.
      const three = application.start('three');
      await two.end('SIGTERM');
      const output = await application.allOutput(reader, COUNT * 3);
      expect((await writer.done).out.filter((line) => line.startsWith('failed'))).toEqual([]);
      expect(outputByKind(output)).toEqual(expectedOutput(COUNT));
      const failures = [one, two, again, three].flatMap((each) =>
        each.out.filter((line) => line.startsWith('failed')),
      );
      expect(failures).toEqual([]);
    },
  );
});
