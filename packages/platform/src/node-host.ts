import { hostname } from 'node:os';

/** The machine's name, for listeners that advertise no host. */
export function hostName(): string {
  return hostname();
}
