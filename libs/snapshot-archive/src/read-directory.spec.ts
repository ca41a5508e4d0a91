import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Snapshot } from '#libs/model';
import { readSnapshotDirectory } from './read-directory.js';
import { readSnapshot } from './read-snapshot.js';
import { writeSnapshotArchive } from './write-archive.js';
import { writeSnapshotDirectory } from './write-directory.js';

const SNAPSHOT: Snapshot = {
  cluster: 'c1',
  takenAt: '2026-11-23T18:00:00Z',
  collector: 'spec',
  nodes: new Map([['node1', { error: 'exec: i/o timeout' }]]),
  objects: [{ apiVersion: 'v1', kind: 'Node', metadata: { name: 'node1' } }],
  cloud: undefined,
  underlay: { unknown: 'lost' },
  dumps: [{ kind: 'node', name: 'node1', node: 'node1', files: new Map([['ip-addr.json', '[]']]) }],
};

describe('readSnapshotDirectory', () => {
  let dir = '';
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'hopscope-directory-'));
  });
  afterEach(async () => {
    await rm(dir, { recursive: true });
  });

  it('reads what writeSnapshotDirectory wrote, as it reads the archive', async () => {
    await writeSnapshotDirectory(SNAPSHOT, join(dir, 'snap'));
    await writeFile(join(dir, 'snap.tar.gz'), await writeSnapshotArchive(SNAPSHOT));

    const fromDirectory = await readSnapshot(join(dir, 'snap'));

    expect(fromDirectory).toMatchObject({ cluster: 'c1', nodes: SNAPSHOT.nodes, objects: SNAPSHOT.objects });
    expect(fromDirectory.dumps[0]?.files.get('ip-addr.json')).toBe('[]');
    expect(await readSnapshot(join(dir, 'snap.tar.gz'))).toEqual(fromDirectory);
  });

  it('ignores files and folders that it does not know', async () => {
    await writeSnapshotDirectory(SNAPSHOT, join(dir, 'snap'));
    await mkdir(join(dir, 'snap/nodes/node1/deeper'));
    await writeFile(join(dir, 'snap/nodes/README'), 'x');
    await writeFile(join(dir, 'snap/notes'), 'x');

    expect((await readSnapshotDirectory(join(dir, 'snap'))).dumps).toHaveLength(1);
  });

  it.each([
    { title: 'a file', link: 'nodes/node1/ip-link.json', target: '/etc/hostname' },
    { title: 'a namespace', link: 'nodes/node2', target: '/etc' },
    { title: 'a folder', link: 'external', target: '/etc' },
    { title: 'a top file', link: 'cloud.json', target: '/etc/hostname' },
  ])('refuses a link for $title', async ({ link, target }) => {
    await writeSnapshotDirectory(SNAPSHOT, join(dir, 'snap'));
    await symlink(target, join(dir, 'snap', link));

    const refused = readSnapshotDirectory(join(dir, 'snap'));

    await expect(refused).rejects.toMatchObject({ code: 'SNAPSHOT_ENTRY_TYPE', problems: [{ path: link }] });
  });

  it.each([
    { limits: { fileBytes: 1 }, code: 'SNAPSHOT_TOO_LARGE' },
    { limits: { unpackedBytes: 150 }, code: 'SNAPSHOT_TOO_LARGE' },
    { limits: { entries: 1 }, code: 'SNAPSHOT_TOO_MANY_ENTRIES' },
  ])('keeps the limit $limits', async ({ limits, code }) => {
    await writeSnapshotDirectory(SNAPSHOT, join(dir, 'snap'));

    await expect(readSnapshotDirectory(join(dir, 'snap'), limits)).rejects.toMatchObject({ code });
  });

  it('says where the snapshot is when it lies one folder below', async () => {
    await writeSnapshotDirectory(SNAPSHOT, join(dir, 'snapshot'));

    await expect(readSnapshotDirectory(dir)).rejects.toMatchObject({
      code: 'SNAPSHOT_NO_MANIFEST',
      message: expect.stringContaining('did you mean its folder "snapshot"?'),
    });
  });

  it('names a path that is not there', async () => {
    await expect(readSnapshot(join(dir, 'gone'))).rejects.toMatchObject({ code: 'SNAPSHOT_UNREADABLE' });
  });

  it('is never written over another', async () => {
    await writeSnapshotDirectory(SNAPSHOT, join(dir, 'snap'));

    await expect(writeSnapshotDirectory(SNAPSHOT, join(dir, 'snap'))).rejects.toMatchObject({
      code: 'SNAPSHOT_DIRECTORY_NOT_EMPTY',
    });
  });
});
