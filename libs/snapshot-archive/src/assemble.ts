import { zodProblems, type NamespaceDump, type Snapshot } from '#libs/model';
import type { z } from 'zod';
import { DUMP_FILES } from './dump-files.js';
import { isFolder, parseFolderName, type DumpName } from './folder-name.js';
import { parseObjects } from './kubernetes-objects.js';
import { Manifest, Meta } from './manifest.js';
import { Problems } from './problems.js';
import { parseUntrustedJson } from './untrusted-json.js';

/** A Snapshot of files that came some other way than as an archive, by their path in a snapshot; others are ignored. */
export function assembleFiles(files: ReadonlyMap<string, Buffer>): Snapshot {
  return assembleSnapshot(files, new Problems());
}

/** Makes a Snapshot of files by path below its top, or throws with every problem that there is. */
export function assembleSnapshot(files: ReadonlyMap<string, Buffer>, problems: Problems): Snapshot {
  const manifest = parseFile('snapshot.json', files, Manifest, 'SNAPSHOT_MANIFEST_INVALID', problems);
  const kubernetes = parseJsonFile('kubernetes.json', files, problems);
  const objects = kubernetes === undefined ? undefined : parseObjects(kubernetes, problems);
  const cloud = parseJsonFile('cloud.json', files, problems);
  const underlay = parseJsonFile('underlay.json', files, problems);
  const dumps = assembleDumps(files, problems);
  problems.throwIfAny();
  if (manifest === undefined)
    return problems.stop('SNAPSHOT_NO_MANIFEST', 'snapshot.json', 'is missing, so this is no snapshot');
  const { cluster, takenAt, collector, nodes } = manifest;
  return { cluster, takenAt, collector, nodes: new Map(Object.entries(nodes)), objects, cloud, underlay, dumps };
}

function parseFile<S extends z.ZodType>(
  path: string,
  files: ReadonlyMap<string, Buffer>,
  schema: S,
  code: string,
  problems: Problems,
): z.output<S> | undefined {
  const json = parseJsonFile(path, files, problems);
  if (json === undefined) return undefined;
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  for (const problem of zodProblems(parsed.error)) {
    const isFormat = path === 'snapshot.json' && problem.path === '/format';
    problems.add(isFormat ? 'SNAPSHOT_FORMAT_UNSUPPORTED' : code, `${path}:${problem.path}`, problem.message);
  }
  return undefined;
}

function parseJsonFile(path: string, files: ReadonlyMap<string, Buffer>, problems: Problems): unknown {
  const content = files.get(path);
  return content === undefined ? undefined : parseUntrustedJson(path, content, problems);
}

function assembleDumps(files: ReadonlyMap<string, Buffer>, problems: Problems): NamespaceDump[] {
  const found = new Map<string, { readonly name: DumpName; readonly files: Map<string, string> }>();
  const refused = new Set<string>();
  // Sorted, so that the order in an archive makes no difference.
  for (const [path, content] of [...files].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const [folder = '', text = '', file = '', ...deeper] = path.split('/');
    if (!isFolder(folder) || file === '' || deeper.length > 0 || !DUMP_FILES.has(file)) continue;
    const key = `${folder}/${text}`;
    const name = parseFolderName(folder, text);
    if (name === undefined) {
      if (!refused.has(key)) problems.add('SNAPSHOT_FOLDER_NAME', key, expectedName(folder));
      refused.add(key);
      continue;
    }
    const dump = found.get(key) ?? { name, files: new Map<string, string>() };
    dump.files.set(file, content.toString('utf8'));
    found.set(key, dump);
  }
  return [...found].map(([key, dump]): NamespaceDump => {
    const meta = parseFile(`${key}/meta.json`, files, Meta, 'SNAPSHOT_META_INVALID', problems);
    const { node, uid, netnsInode } = meta ?? {};
    return {
      ...dump.name,
      ...(node === undefined ? {} : { node }),
      ...(uid === undefined ? {} : { uid }),
      ...(netnsInode === undefined ? {} : { netnsInode }),
      files: dump.files,
    };
  });
}

function expectedName(folder: 'nodes' | 'pods' | 'external'): string {
  switch (folder) {
    case 'nodes':
      return 'is not the name of a node (lower-case letters, digits, "-" and ".")';
    case 'pods':
      return 'is not <namespace>_<pod name> (lower-case letters, digits, "-" and ".")';
    case 'external':
      return 'is not the name of a host (letters, digits, "-", "_" and ".")';
  }
}
