// A loader hook that records every imported file. Usage: node --import ./list-loaded-files.mjs …
import { appendFileSync } from 'node:fs';
import { register } from 'node:module';

register(
  `data:text/javascript,${encodeURIComponent(`
    import { appendFileSync } from 'node:fs';
    export async function load(url, context, next) {
      if (url.startsWith('file:')) appendFileSync(process.env.LOADED_FILES, url + '\\n');
      return next(url, context);
    }
  `)}`,
);
appendFileSync(process.env.LOADED_FILES, '');
