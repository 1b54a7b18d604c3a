import { NodeDisk } from '@ottla/platform';
import { checkLogDirs } from '@ottla/storage';
import type { Peer } from '../peer.ts';
import type { Verdict } from './acked-load.ts';

/**
 * Reads the files of a broker at the end of a scenario, once after a kill -9 and once after the start and clean stop that
 * follow: each problem there counts as something wrong. The broker is stopped afterwards.
 */
export async function withSoundFiles(
  peer: Peer,
  verdict: Verdict,
  say: (line: string) => void,
): Promise<Verdict> {
  await peer.stop('SIGKILL');
  const killed = await problemsIn(peer, say);
  await peer.restart();
  await peer.stop();
  const recovered = await problemsIn(peer, say);
  return { ...verdict, wrong: verdict.wrong + killed + recovered };
}

async function problemsIn(peer: Peer, say: (line: string) => void): Promise<number> {
  const { problemCount } = await checkLogDirs({
    disk: new NodeDisk(),
    dirs: [peer.logDir],
    onProblem: ({ severity, partition, file, offset, problem }) => {
      if (severity === 'problem') say(`${file ?? partition ?? peer.logDir} (offset ${offset}): ${problem}`);
    },
  });
  return problemCount;
}
