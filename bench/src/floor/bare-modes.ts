/** What a bare server does for a fetch: it answers from memory, from a file read on the event loop, or by the thread pool. */
export const fetchModes = ['memory', 'file-sync', 'file-pool'] as const;
export type FetchMode = (typeof fetchModes)[number];

/** What it does for a produce request: it writes what comes to a file through the thread pool, with its CRC-32C or without. */
export const produceModes = ['write', 'crc-write'] as const;
export type ProduceMode = (typeof produceModes)[number];
