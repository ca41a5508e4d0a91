import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';

/** A .tar.gz of texts as they are, whatever they hold. */
export async function packArchive(files: Readonly<Record<string, string>>): Promise<Buffer> {
  const tar = pack();
  for (const [name, text] of Object.entries(files)) tar.entry({ name }, text);
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  return gzipSync(Buffer.concat(chunks), { level: 1 });
}
