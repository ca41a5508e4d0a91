import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The version in the package.json above this file, be it source or built. */
export function programVersion(): string {
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    const path = join(folder, 'package.json');
    if (existsSync(path)) {
      const content: unknown = JSON.parse(readFileSync(path, 'utf8'));
      if (typeof content === 'object' && content !== null && 'version' in content) return String(content.version);
    }
    if (dirname(folder) === folder) return 'unknown';
  }
}
