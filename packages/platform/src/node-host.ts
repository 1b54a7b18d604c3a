import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { hostname } from 'node:os';

/** The machine's name, for listeners that advertise no host. */
export function hostName(): string {
  return hostname();
}

/** A variable of the process's environment; undefined when it is not set or empty. */
export function environmentVariable(name: string): string | undefined {
  const value = process.env[name];
  return value === '' ? undefined : value;
}

/** Whether a text is an address, or the name of a host that has one. A name is looked up as programs of this machine do. */
export async function isResolvableHost(name: string): Promise<boolean> {
  if (isIP(name) !== 0) return true;
  try {
    await lookup(name);
    return true;
  } catch {
    return false;
  }
}
