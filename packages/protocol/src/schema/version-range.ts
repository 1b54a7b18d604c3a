/** A closed range of versions; empty when `min` is above `max`. `max` is Infinity for an open range. */
export interface VersionRange {
  readonly min: number;
  readonly max: number;
}

const EMPTY_RANGE: VersionRange = { min: Infinity, max: -1 };
const RANGE = /^(\d+)(?:(\+)|-(\d+))?$/;

/** Reads Kafka's notation: `3`, `1-4`, `2+`, `none`. Throws on anything else: a slip in a declaration. */
export function parseVersions(text: string): VersionRange {
  if (text === 'none') return EMPTY_RANGE;
  const match = RANGE.exec(text);
  if (match === null) throw new Error(`Version range "${text}" is not one of "3", "1-4", "2+", "none"`);
  const min = Number(match[1]);
  if (match[2] === '+') return { min, max: Infinity };
  return { min, max: match[3] === undefined ? min : Number(match[3]) };
}

/** Whether `version` lies in the range `text`; false when `text` is absent. */
export function inVersions(text: string | undefined, version: number): boolean {
  if (text === undefined) return false;
  const range = parseVersions(text);
  return version >= range.min && version <= range.max;
}
