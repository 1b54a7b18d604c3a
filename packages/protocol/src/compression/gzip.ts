import { gunzipSync, gzipSync } from 'node:zlib';
import { refuseCompressed, refuseTooLarge, type Codec } from './codec.ts';

export const gzip: Codec = {
  compress(bytes, level) {
    return gzipSync(bytes, level === undefined ? {} : { level });
  },

  decompress(bytes, maxBytes) {
    try {
      return gunzipSync(bytes, { maxOutputLength: maxBytes });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
        return refuseTooLarge('gzip', maxBytes);
      }
      return refuseCompressed('gzip', (error as Error).message);
    }
  },
};
