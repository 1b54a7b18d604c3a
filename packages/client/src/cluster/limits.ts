/** How long a caller is willing to wait, and how it says that it no longer is. */
export interface CallLimits {
  /** Default: the client's `defaultApiTimeoutMs` for operations, `requestTimeoutMs` for single requests. */
  readonly timeoutMs?: number | undefined;
  /** Ends the call with the signal's reason. What was sent may still take effect. */
  readonly signal?: AbortSignal | undefined;
}
