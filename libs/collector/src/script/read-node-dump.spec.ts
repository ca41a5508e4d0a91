import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { readNodeDump } from './read-node-dump.js';

const MANIFEST = '{"format":1,"cluster":"c","takenAt":"2026-11-25T00:00:00Z","nodes":{"node1":{"error":null}}}';
const FILES: Readonly<Record<string, string>> = {
  'snapshot.json': MANIFEST,
  'collect-report.txt':
    'dumped shop/web-0 \nnotFound shop/web-1 \ndumped -/router \npartial shop/slow stopped after 60 s\nwhat a/b\n',
  'nodes/node1/ip-link.json': '[{"ifname":"eth0"}]\n',
  'nodes/node1/unknown.txt': 'ignored',
  'pods/shop_web-0/meta.json': '{"node":"node1","uid":"u-1","netnsInode":7}',
  'pods/shop_web-0/ip-addr.json': '[]',
  'external/router/ip-addr.json': '[]',
};

async function asTar(files: Readonly<Record<string, string>>): Promise<Buffer> {
  const tar = pack();
  for (const [name, text] of Object.entries(files)) tar.entry({ name: `./${name}` }, text);
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function asLines(files: Readonly<Record<string, string>>): Buffer {
  const parts = Object.entries(files).map(
    ([name, text]) => `hopscope-file ${Buffer.byteLength(text)} ${name}\n${text}`,
  );
  return Buffer.from(`${parts.join('')}hopscope-end\n`);
}

async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

describe('readNodeDump', () => {
  it.each([
    { form: 'a tar', bytes: () => asTar(FILES) },
    { form: 'lines', bytes: async () => asLines(FILES) },
    { form: 'a gzip of a tar', bytes: async () => gzipSync(await asTar(FILES)) },
    { form: 'a gzip of lines', bytes: async () => gzipSync(asLines(FILES)) },
  ])('reads $form, in chunks of any size', async ({ bytes }) => {
    const whole = await bytes();
    for (const size of [1, 7, 512, 100_000]) {
      const dump = await readNodeDump(inChunks(whole, size));

      expect(dump).toMatchObject({ node: 'node1', takenAt: '2026-11-25T00:00:00Z', error: null, truncated: false });
      expect(dump.pods).toEqual([
        { outcome: 'dumped', namespace: 'shop', name: 'web-0' },
        { outcome: 'notFound', namespace: 'shop', name: 'web-1' },
        { outcome: 'dumped', name: 'router' },
        { outcome: 'partial', namespace: 'shop', name: 'slow', detail: 'stopped after 60 s' },
      ]);
      expect(dump.dumps.map(({ kind, name, node, uid }) => ({ kind, name, node, uid }))).toEqual([
        { kind: 'external', name: 'router', node: undefined, uid: undefined },
        { kind: 'node', name: 'node1', node: undefined, uid: undefined },
        { kind: 'pod', name: 'web-0', node: 'node1', uid: 'u-1' },
      ]);
      expect([...(dump.dumps[1]?.files.keys() ?? [])]).toEqual(['ip-link.json']);
    }
  });

  it.each([
    { form: 'tar', bytes: () => asTar(FILES) },
    { form: 'lines', bytes: async () => asLines(FILES) },
    { form: 'gzip', bytes: async () => gzipSync(await asTar(FILES)) },
  ])('reads a $form that was cut off as far as it goes', async ({ bytes }) => {
    const whole = await bytes();
    let read = 0;
    for (let length = 1; length < whole.length; length += 97) {
      const dump = await readNodeDump(inChunks(whole.subarray(0, length), 64)).catch((error: unknown) => error);
      if (dump instanceof Error) {
        expect(dump).toMatchObject({ code: 'COLLECTOR_OUTPUT_INVALID' });
        continue;
      }
      // The last bytes of a gzip are its check sum: everything is there already.
      if (length < whole.length - 20) expect(dump).toMatchObject({ node: 'node1', truncated: true });
      read++;
    }
    expect(read).toBeGreaterThan(0);
  });

  it.each([
    { what: 'nothing', bytes: Buffer.alloc(0), message: 'the collector sent nothing' },
    { what: 'text', bytes: Buffer.from('bash: warning: setlocale\n'.repeat(100)), message: /does not begin with/ },
  ])('refuses $what', async ({ bytes, message }) => {
    await expect(readNodeDump(inChunks(bytes, 64))).rejects.toMatchObject({
      code: 'COLLECTOR_OUTPUT_INVALID',
      message: expect.stringMatching(message),
    });
  });

  it.each([{ bytes: 1000 }, { fileBytes: 10 }, { files: 3 }])('stops beyond %j', async (limits) => {
    for (const whole of [await asTar(FILES), asLines(FILES), gzipSync(await asTar(FILES))])
      if ((limits.bytes ?? 0) < whole.length)
        await expect(readNodeDump(inChunks(whole, 64), limits)).rejects.toMatchObject({
          code: 'COLLECTOR_OUTPUT_TOO_LARGE',
        });
  });

  it('tells a stream that breaks from one that ends', async () => {
    async function* breaking(): AsyncGenerator<Uint8Array> {
      yield (await asTar(FILES)).subarray(0, 3000);
      throw new Error('connection reset');
    }

    await expect(readNodeDump(breaking())).rejects.toThrow('connection reset');
  });
});
