import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSnapshotArchive } from '#libs/snapshot-archive';
import { parsePair, type DiagnosisRequest, type Snapshot } from '#libs/model';

/** Real dumps of small clusters, in which the fuzzer breaks things. */
export interface Base {
  readonly name: string;
  readonly archive: Buffer;
  readonly snapshot: Snapshot;
  readonly requests: readonly DiagnosisRequest[];
}

const NAMES = ['calico-vxlan.iptables.nft', 'flannel-vxlan.iptables.legacy', 'kindnet.nftables.nft'];

/** `root` is the repository's. */
export async function readCorpus(root: string): Promise<readonly Base[]> {
  const folder = join(root, 'test', 'fuzz', 'corpus');
  return Promise.all(
    NAMES.map(async (name) => {
      const archive = readFileSync(join(folder, `${name}.tar.gz`));
      const lines = readFileSync(join(folder, `${name}.pairs.jsonl`), 'utf8')
        .trim()
        .split('\n');
      return {
        name,
        archive,
        snapshot: await readSnapshotArchive(archive),
        requests: lines.map((line) => parsePair(JSON.parse(line))),
      };
    }),
  );
}

/** All texts of a file name in the corpus, without doubles and without empty ones. */
export function textsOf(corpus: readonly Base[], file: string): readonly string[] {
  const texts = corpus.flatMap(({ snapshot }) => snapshot.dumps.flatMap(({ files }) => files.get(file) ?? []));
  return [...new Set(texts)].filter((text) => text.length > 10);
}
