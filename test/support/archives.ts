import { createGzip, gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';

/** A .tar.gz of files by path. */
export async function packArchive(files: Readonly<Record<string, string | Buffer>>): Promise<Buffer> {
  const tar = pack();
  for (const [name, content] of Object.entries(files)) tar.entry({ name }, content);
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar.pipe(createGzip())) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** The least that is a snapshot. */
export function smallSnapshot(cluster: string, takenAt = '2026-11-01T00:00:00Z'): Promise<Buffer> {
  return packArchive({
    'snapshot.json': JSON.stringify({
      format: 1,
      cluster,
      takenAt,
      collector: 'test',
      nodes: { node1: { takenAt, error: null } },
    }),
    'kubernetes.json': JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [] }),
  });
}

export function zeros(bytes: number): Buffer {
  return gzipSync(Buffer.alloc(bytes));
}
