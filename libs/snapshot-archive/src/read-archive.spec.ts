import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { HopscopeError } from '#libs/model';
import { readSnapshotArchive } from './read-archive.js';

const MANIFEST = JSON.stringify({ format: 1, cluster: 'c1', takenAt: '2026-11-23T18:00:00Z', nodes: {} });
const POD = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web-0', namespace: 'default' } };

interface Raw {
  readonly name: string;
  readonly content?: string | Buffer;
  /** ustar type flag: 0 file, 1 hard link, 2 symlink, 3 device, 5 folder, 6 pipe. */
  readonly type?: string;
  readonly link?: string;
  readonly size?: number;
}

/** A tar made by hand: a library would refuse to write the hostile ones. */
function tar(entries: readonly Raw[], end = true): Buffer {
  const blocks: Buffer[] = [];
  for (const { name, content = '', type = '0', link = '', size } of entries) {
    const body = Buffer.from(content);
    const header = Buffer.alloc(512);
    header.write(name, 0, 100, 'latin1');
    header.write('0000644\0', 100);
    header.write('0000000\0', 108);
    header.write('0000000\0', 116);
    header.write(`${(size ?? body.length).toString(8).padStart(11, '0')}\0`, 124);
    header.write('00000000000\0', 136);
    header.fill(' ', 148, 156);
    header.write(type, 156);
    header.write(link, 157, 100, 'latin1');
    header.write('ustar\u000000', 257);
    let sum = 0;
    for (const byte of header) sum += byte;
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    blocks.push(header, body, Buffer.alloc((512 - (body.length % 512)) % 512));
  }
  if (end) blocks.push(Buffer.alloc(1024));
  return Buffer.concat(blocks);
}

function archive(...entries: readonly Raw[]): Buffer {
  return gzipSync(tar([{ name: 'snapshot.json', content: MANIFEST }, ...entries]));
}

async function refusal(bytes: Uint8Array | string, limits = {}): Promise<HopscopeError> {
  try {
    await readSnapshotArchive(bytes, limits);
  } catch (error) {
    if (error instanceof HopscopeError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

function codeOf(error: unknown): string {
  return error instanceof HopscopeError ? error.code : String(error);
}

describe('readSnapshotArchive', () => {
  it.each(['', './', 'snap/', './snap/', 'none/snapshot/'])('finds the snapshot below "%s"', async (prefix) => {
    const bytes = gzipSync(
      tar([
        { name: `${prefix}nodes/`, type: '5' },
        { name: `${prefix}nodes/node1/ip-addr.json`, content: '[]' },
        { name: `${prefix}nodes/node1/notes.txt`, content: 'unknown, ignored' },
        { name: `${prefix}pods/default_web-0/ss-listen.txt`, content: 'tcp LISTEN' },
        { name: `${prefix}pods/default_web-0/meta.json`, content: '{"kind":"pod","node":"node1","netnsInode":7}' },
        { name: `${prefix}kubernetes.json`, content: JSON.stringify({ kind: 'List', items: [POD] }) },
        { name: `${prefix}snapshot.json`, content: MANIFEST },
      ]),
    );

    const snapshot = await readSnapshotArchive(bytes);

    expect(snapshot.cluster).toBe('c1');
    expect(snapshot.objects).toEqual([POD]);
    expect(snapshot.cloud).toBeUndefined();
    expect(snapshot.dumps).toEqual([
      { kind: 'node', name: 'node1', files: new Map([['ip-addr.json', '[]']]) },
      expect.objectContaining({ kind: 'pod', namespace: 'default', name: 'web-0', node: 'node1', netnsInode: 7 }),
    ]);
  });

  it('tells "not collected" from "empty"', async () => {
    const snapshot = await readSnapshotArchive(archive({ name: 'nodes/n1/tc.txt', content: '' }));

    expect(snapshot.objects).toBeUndefined();
    expect(snapshot.dumps[0]?.files.get('tc.txt')).toBe('');
    expect(snapshot.dumps[0]?.files.has('ip-link.json')).toBe(false);
  });

  it.each<{ title: string; entries: Raw[]; code: string; path: string }>([
    { title: 'dots', entries: [{ name: '../evil' }], code: 'SNAPSHOT_PATH_TRAVERSAL', path: '../evil' },
    {
      title: 'dots inside',
      entries: [{ name: 'nodes/../../evil' }],
      code: 'SNAPSHOT_PATH_TRAVERSAL',
      path: 'nodes/../../evil',
    },
    { title: 'absolute', entries: [{ name: '/etc/passwd' }], code: 'SNAPSHOT_PATH_TRAVERSAL', path: '/etc/passwd' },
    { title: 'drive', entries: [{ name: 'C:evil' }], code: 'SNAPSHOT_PATH_TRAVERSAL', path: 'C:evil' },
    { title: 'backslash', entries: [{ name: 'nodes\\..\\x' }], code: 'SNAPSHOT_PATH_INVALID', path: 'nodes\\..\\x' },
    {
      title: 'symlink',
      entries: [{ name: 'nodes/a', type: '2', link: '/etc' }],
      code: 'SNAPSHOT_ENTRY_TYPE',
      path: 'nodes/a',
    },
    { title: 'hard link', entries: [{ name: 'a', type: '1', link: '/etc' }], code: 'SNAPSHOT_ENTRY_TYPE', path: 'a' },
    { title: 'device', entries: [{ name: 'a', type: '3' }], code: 'SNAPSHOT_ENTRY_TYPE', path: 'a' },
    { title: 'pipe', entries: [{ name: 'a', type: '6' }], code: 'SNAPSHOT_ENTRY_TYPE', path: 'a' },
    {
      title: 'duplicate',
      entries: [{ name: 'nodes/n1/tc.txt' }, { name: './nodes//n1/tc.txt' }],
      code: 'SNAPSHOT_DUPLICATE_ENTRY',
      path: 'nodes/n1/tc.txt',
    },
    { title: 'node name', entries: [{ name: 'nodes/A_B/tc.txt' }], code: 'SNAPSHOT_FOLDER_NAME', path: 'nodes/A_B' },
    { title: 'pod name', entries: [{ name: 'pods/web-0/tc.txt' }], code: 'SNAPSHOT_FOLDER_NAME', path: 'pods/web-0' },
    {
      title: 'depth',
      entries: [{ name: 'a/b/c/d/e/f/g/h/i' }],
      code: 'SNAPSHOT_PATH_TOO_DEEP',
      path: 'a/b/c/d/e/f/g/h/i',
    },
    {
      title: 'broken JSON',
      entries: [{ name: 'cloud.json', content: '{"a":' }],
      code: 'SNAPSHOT_BAD_JSON',
      path: 'cloud.json',
    },
    {
      title: 'not UTF-8',
      entries: [{ name: 'cloud.json', content: Buffer.from([0x22, 0xff, 0x22]) }],
      code: 'SNAPSHOT_BAD_JSON',
      path: 'cloud.json',
    },
    {
      title: 'deep JSON',
      entries: [{ name: 'cloud.json', content: '['.repeat(5000) + ']'.repeat(5000) }],
      code: 'SNAPSHOT_JSON_TOO_DEEP',
      path: 'cloud.json',
    },
    {
      title: '__proto__',
      entries: [{ name: 'underlay.json', content: '{"a":[{"\\u005f_proto__":{"x":1}}]}' }],
      code: 'SNAPSHOT_HOSTILE_KEY',
      path: 'underlay.json',
    },
    {
      title: 'Secret',
      entries: [
        { name: 'kubernetes.json', content: '{"items":[{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s"}}]}' },
      ],
      code: 'SNAPSHOT_HAS_SECRET',
      path: 'kubernetes.json:/items/0',
    },
    {
      title: 'no List',
      entries: [{ name: 'kubernetes.json', content: '[]' }],
      code: 'SNAPSHOT_NOT_A_LIST',
      path: 'kubernetes.json',
    },
    {
      title: 'no object',
      entries: [{ name: 'kubernetes.json', content: '{"items":[{"apiVersion":"v1","kind":"Pod","metadata":{}}]}' }],
      code: 'SNAPSHOT_OBJECT_INVALID',
      path: 'kubernetes.json:/items/0/metadata/name',
    },
    {
      title: 'meta.json',
      entries: [{ name: 'nodes/n1/meta.json', content: '{"netnsInode":"x"}' }],
      code: 'SNAPSHOT_META_INVALID',
      path: 'nodes/n1/meta.json:/netnsInode',
    },
  ])('refuses: $title', async ({ entries, code, path }) => {
    const error = await refusal(archive(...entries));

    expect({ code: error.code, path: error.problems[0]?.path }).toEqual({ code, path });
    expect(error.message).toContain(path);
  });

  it.each<{ title: string; manifest: string | undefined; code: string }>([
    { title: 'no snapshot.json', manifest: undefined, code: 'SNAPSHOT_NO_MANIFEST' },
    { title: 'another format', manifest: MANIFEST.replace('1', '2'), code: 'SNAPSHOT_FORMAT_UNSUPPORTED' },
    { title: 'no time', manifest: '{"format":1,"cluster":"c"}', code: 'SNAPSHOT_MANIFEST_INVALID' },
    { title: 'broken', manifest: '{"format":1', code: 'SNAPSHOT_BAD_JSON' },
    { title: 'null', manifest: 'null', code: 'SNAPSHOT_MANIFEST_INVALID' },
  ])('refuses a manifest: $title', async ({ manifest, code }) => {
    const entries = manifest === undefined ? [] : [{ name: 'snapshot.json', content: manifest }];

    expect((await refusal(gzipSync(tar(entries)))).code).toBe(code);
  });

  it('names all problems at once', async () => {
    const error = await refusal(
      archive({ name: '../a' }, { name: 'nodes/UP/tc.txt' }, { name: 'cloud.json', content: 'x' }),
    );

    expect(error.code).toBe('SNAPSHOT_INVALID');
    expect(error.problems.map((problem) => problem.code)).toEqual([
      'SNAPSHOT_PATH_TRAVERSAL',
      'SNAPSHOT_BAD_JSON',
      'SNAPSHOT_FOLDER_NAME',
    ]);
  });

  // Each is a header alone, its bytes missing or there: whatever the type, the reading ends.
  it.each(['0', '1', '2', '3', '4', '5', '6', '7', 'A', 'L', 'g', 'x'])(
    'comes to an end with an entry of type %s that says it has bytes',
    async (type) => {
      const ends: string[] = [];
      for (const name of ['a/', 'a', '../a/'])
        for (const bytes of [archive({ name, type, size: 1 }), archive({ name, type, content: 'x' })])
          ends.push(await readSnapshotArchive(bytes).then(({ cluster }) => cluster, codeOf));

      expect(ends).toHaveLength(6);
      for (const end of ends) expect(end).toMatch(/^(SNAPSHOT_[A-Z_]+|c1)$/);
    },
  );

  it.each(['a/', '../a/'])('refuses the folder %s when it says it has bytes', async (name) => {
    const error = await refusal(archive({ name, type: '5', size: 1 }));

    expect(error.problems).toMatchObject([{ code: 'SNAPSHOT_TAR_INVALID', path: name }]);
  });

  it('refuses an archive with two snapshots', async () => {
    const bytes = gzipSync(
      tar([
        { name: 'a/snapshot.json', content: MANIFEST },
        { name: 'b/snapshot.json', content: MANIFEST },
      ]),
    );

    expect((await refusal(bytes)).code).toBe('SNAPSHOT_AMBIGUOUS');
  });

  it('refuses every archive that was cut off', async () => {
    const whole = archive({ name: 'nodes/n1/ip-addr.json', content: '[{"ifname":"eth0"}]'.repeat(40) });
    const codes = new Set<string>();
    for (let length = 0; length < whole.length - 1; length++)
      codes.add((await refusal(whole.subarray(0, length))).code);

    expect([...codes].toSorted()).toEqual(['SNAPSHOT_NOT_GZIP', 'SNAPSHOT_TRUNCATED']);
  });

  it('refuses a tar that was cut off before it was compressed', async () => {
    const whole = tar([{ name: 'snapshot.json', content: MANIFEST }]);

    for (const length of [600, 1024]) {
      const error = await refusal(gzipSync(whole.subarray(0, length)));
      expect(error.code).toBe('SNAPSHOT_TRUNCATED');
    }
  });

  it('refuses a damaged gzip and a gzip of something else', async () => {
    const damaged = Buffer.from(archive());
    damaged[damaged.length - 6] = (damaged[damaged.length - 6] ?? 0) ^ 0xff;

    expect((await refusal(damaged)).code).toBe('SNAPSHOT_GZIP_INVALID');
    expect((await refusal(gzipSync('hello '.repeat(1000)))).code).toBe('SNAPSHOT_TAR_INVALID');
  });

  it.each<{ title: string; bytes: () => Buffer; code: string }>([
    { title: '100 MB of zeros', bytes: () => Buffer.alloc(100e6), code: 'SNAPSHOT_NOT_GZIP' },
    { title: '100 MB of zeros, gzipped', bytes: () => gzipSync(Buffer.alloc(100e6)), code: 'SNAPSHOT_TAR_INVALID' },
    {
      title: 'a file of 100 MB of zeros',
      bytes: () => archive({ name: 'kubernetes.json', content: Buffer.alloc(100e6) }),
      code: 'SNAPSHOT_TOO_LARGE',
    },
    {
      title: 'five files of 20 MB of zeros',
      bytes: () =>
        archive(...[1, 2, 3, 4, 5].map((n) => ({ name: `nodes/n${n}/nft.json`, content: Buffer.alloc(20e6) }))),
      code: 'SNAPSHOT_TOO_LARGE',
    },
  ])('stops early at $title', async ({ bytes, code }) => {
    const input = bytes();
    const before = process.memoryUsage().rss;
    const started = performance.now();

    const error = await refusal(input);

    expect(error.code).toBe(code);
    expect(performance.now() - started).toBeLessThan(20_000);
    expect(process.memoryUsage().rss - before).toBeLessThan(64e6);
  });

  it.each([
    { limits: { compressedBytes: 100 }, code: 'SNAPSHOT_TOO_LARGE' },
    { limits: { unpackedBytes: 1000 }, code: 'SNAPSHOT_TOO_LARGE' },
    { limits: { fileBytes: 10 }, code: 'SNAPSHOT_TOO_LARGE' },
    { limits: { entries: 2 }, code: 'SNAPSHOT_TOO_MANY_ENTRIES' },
    { limits: { pathLength: 14 }, code: 'SNAPSHOT_PATH_TOO_LONG' },
  ])('keeps the limit $limits', async ({ limits, code }) => {
    const bytes = archive({ name: 'nodes/n1/tc.txt', content: 'q' }, { name: 'nodes/n2/tc.txt', content: 'q' });

    expect((await refusal(bytes, limits)).code).toBe(code);
  });

  it('reads a file by its path, and names what it cannot open', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'hopscope-archive-'));
    try {
      await writeFile(join(dir, 'a.tar.gz'), archive());

      expect((await readSnapshotArchive(join(dir, 'a.tar.gz'))).cluster).toBe('c1');
      expect((await refusal(join(dir, 'b.tar.gz'))).message).toContain('b.tar.gz: cannot be opened (ENOENT)');
      expect((await refusal(dir)).code).toBe('SNAPSHOT_UNREADABLE');
    } finally {
      await rm(dir, { recursive: true });
    }
  });
});
