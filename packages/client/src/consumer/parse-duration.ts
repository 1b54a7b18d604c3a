const UNITS_MS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000 } as const;

/** Milliseconds of an ISO-8601 duration of days to seconds, as Java's `Duration.parse` takes it (`P2DT3H`, `PT0.5S`); null when it is none. */
export function parseDurationMs(text: string): number | null {
  const match = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d{1,9})?)S)?)?$/i.exec(text);
  if (match === null || /[PT]$/i.test(text)) return null;
  const [days, hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
  ];
  return Math.floor(days * UNITS_MS.d + hours * UNITS_MS.h + minutes * UNITS_MS.m + seconds * UNITS_MS.s);
}
