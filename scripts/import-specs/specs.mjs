import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** All message specs below `folder`, sorted by name. They are JSON with `//` comments. */
export function readSpecs(folder) {
  const files = readdirSync(folder, { recursive: true }).filter((file) => file.endsWith('.json'));
  const specs = files.map((file) => parseSpec(readFileSync(join(folder, file), 'utf8')));
  const messages = specs.filter((spec) => typeof spec.validVersions === 'string');
  return messages.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function parseSpec(text) {
  return JSON.parse(text.replaceAll(/("(?:\\.|[^"\\])*")|\/\/[^\n]*/g, (_, literal) => literal ?? ''));
}
