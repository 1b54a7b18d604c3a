import { spawn } from 'node:child_process';

/** Runs one client in a process of its own; the plan goes in as its argument, the report comes out as its only line. */
export function runWorker<Report>(worker: string, plan: { readonly client: string }): Promise<Report> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--no-warnings', worker, JSON.stringify(plan)], {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 120_000,
    });
    let out = '';
    let errors = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
    child.once('close', (code) => {
      if (code === 0) resolve(JSON.parse(out) as Report);
      else reject(new Error(`The client ${plan.client} ended with ${code}: ${errors.slice(-800)}`));
    });
  });
}
