import { configTable, type ConfigSection } from '#libs/config';
import { aliyunProcess, aliyunSettings } from '#libs/providers/aliyun';
import { genericProvider } from '#libs/providers/generic';
import * as server from '#libs/server';
import * as standalone from '../../apps/standalone/src/standalone-config.js';
import { listRooms, readText } from '../tree/read-tree.js';
import { pageHead, type ReferencePage } from './page.js';

/** The rooms that export sections. A section declared elsewhere is noticed by `listDeclaredIds`. */
const EXPORTS: readonly Readonly<Record<string, unknown>>[] = [
  server,
  standalone,
  { generic: genericProvider.config, aliyunSettings, aliyunProcess },
];

function isSection(value: unknown): value is ConfigSection<unknown> {
  return typeof value === 'object' && value !== null && 'id' in value && 'title' in value && 'schema' in value;
}

function listSections(): readonly ConfigSection<unknown>[] {
  const found = EXPORTS.flatMap((room) => Object.values(room)).filter(isSection);
  return [...new Map(found.map((section) => [section.id, section])).values()];
}

/** The ids of all `defineConfig({ id: '…'` in the sources. */
function listDeclaredIds(root: string): readonly string[] {
  return listRooms(root)
    .flatMap((room) => room.files)
    .filter((file) => !file.endsWith('.spec.ts'))
    .flatMap((file) =>
      [...readText(root, file).matchAll(/defineConfig(?:<[^>]*>)?\(\{\s*id: '([^']+)'/g)].map(([, id]) => id ?? ''),
    );
}

export const configPage: ReferencePage = {
  path: 'docs/reference/config.md',
  render: (root) => {
    const sections = listSections().toSorted((a, b) => a.id.localeCompare(b.id, 'en'));
    const missing = listDeclaredIds(root).filter((id) => !sections.some((section) => section.id === id));
    if (missing.length > 0)
      throw new Error(
        `config sections that docs/reference/config.md would lack: ${missing.join(', ')}. Add their room to EXPORTS in tools/reference/config-page.ts.`,
      );
    return [
      pageHead('Configuration', 'the `defineConfig` sections in the code'),
      'Server processes read the environment. The flag is the name of the same setting where a command takes it: which ones it takes,',
      'its `--help` says. All problems are reported at once, by name.\n',
      ...sections.map(configTable),
    ]
      .join('\n')
      .trimEnd()
      .concat('\n');
  },
};
