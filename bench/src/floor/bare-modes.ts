/** Where a bare server has its answers from: memory, a file read on the event loop, or one read by the thread pool. */
export const bareModes = ['memory', 'file-sync', 'file-pool'] as const;
export type BareMode = (typeof bareModes)[number];
