/**
 * The compiled module of the cleaning thread; null when this runs from TypeScript sources, which a thread cannot load. In
 * the bundled command both lie in one folder too.
 */
export const cleanerThreadUrl = import.meta.url.endsWith('.js')
  ? new URL('./cleaner-thread.js', import.meta.url)
  : null;
