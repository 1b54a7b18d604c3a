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
