import type { NamespaceDump, Snapshot } from '#libs/model';
import { DUMP_FILES } from './dump-files.js';
import { FOLDERS, formatFolderName, isFolder, parseFolderName } from './folder-name.js';
import { parseObjects } from './kubernetes-objects.js';
import { SNAPSHOT_FORMAT } from './manifest.js';
import { Problems } from './problems.js';

/** The files of a snapshot by path, in the order of their paths. Refuses what the reader would refuse. */
export function snapshotFiles(snapshot: Snapshot): ReadonlyMap<string, string> {
  const problems = new Problems();
  const files = new Map<string, string>();
  const { cluster, takenAt, collector, nodes, objects, cloud, underlay, dumps } = snapshot;
  const manifest = { format: SNAPSHOT_FORMAT, cluster, takenAt, collector, nodes: Object.fromEntries(nodes) };
  files.set('snapshot.json', `${JSON.stringify(manifest, null, 2)}\n`);
  if (objects !== undefined) {
    parseObjects({ items: objects }, problems);
    // One object a line: two snapshots can be compared line by line.
    const lines = objects.map((object) => JSON.stringify(object)).join(',\n');
    files.set('kubernetes.json', `{"apiVersion":"v1","kind":"List","items":[\n${lines}\n]}\n`);
  }
  if (cloud !== undefined) files.set('cloud.json', `${JSON.stringify(cloud, null, 2)}\n`);
  if (underlay !== undefined) files.set('underlay.json', `${JSON.stringify(underlay, null, 2)}\n`);
  for (const dump of dumps) addDump(dump, files, problems);
  problems.throwIfAny();
  return new Map([...files].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function addDump(dump: NamespaceDump, files: Map<string, string>, problems: Problems): void {
  const folder = formatFolderName(dump);
  const [top = '', name = ''] = folder.split('/', 2);
  if (folder.split('/').length !== 2 || !isFolder(top) || parseFolderName(top, name) === undefined) {
    problems.add('SNAPSHOT_FOLDER_NAME', folder, `is not a folder of a snapshot (${Object.keys(FOLDERS).join(', ')})`);
    return;
  }
  if (!dump.files.has('meta.json')) {
    const { kind, namespace, uid, node, netnsInode } = dump;
    files.set(
      `${folder}/meta.json`,
      `${JSON.stringify({ kind, namespace, name: dump.name, uid, node, netnsInode })}\n`,
    );
  }
  for (const [file, text] of dump.files) {
    if (DUMP_FILES.has(file)) files.set(`${folder}/${file}`, text);
    else problems.add('SNAPSHOT_UNKNOWN_FILE', `${folder}/${file}`, 'is not a file of the snapshot format');
  }
}
