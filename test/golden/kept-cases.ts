import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';
import { SYMPTOMS, type Snapshot, type Symptom } from '#libs/model';
import { z } from 'zod';

/** A snapshot that the full lab took of a fault, and the question that shows the fault. */
export interface KeptCase {
  /** `flannel-vxlan.legacy.fdb-missing`: topology, writer of its rules, and what is broken. */
  readonly name: string;
  readonly pair: KeptPair;
  /** What the kernel did in the lab: each symptom that its clients saw. */
  readonly kernel: readonly Symptom[];
  readonly snapshot: Snapshot;
}

export const KeptPair = z.object({
  source: z.string(),
  destination: z.string(),
  port: z.number(),
  protocol: z.enum(['tcp', 'udp']),
});
export type KeptPair = z.output<typeof KeptPair>;

const KubernetesObject = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
});

const Dump = z.object({
  kind: z.enum(['node', 'pod', 'external']),
  namespace: z.string().optional(),
  name: z.string(),
  node: z.string().optional(),
  uid: z.string().optional(),
  netnsInode: z.number().optional(),
  /** File name and number of its text. */
  files: z.record(z.string(), z.number()),
});

/** Snapshots of clusters that are alike share most of their texts, so each text is kept once. */
const KeptFile = z.object({
  texts: z.array(z.string()),
  cases: z.array(
    z.object({
      name: z.string(),
      pair: KeptPair,
      kernel: z.array(z.enum(SYMPTOMS)).min(1),
      cluster: z.string(),
      takenAt: z.string(),
      collector: z.string(),
      nodes: z.record(z.string(), z.object({ takenAt: z.string().optional(), error: z.string().nullable() })),
      /** Number of the text with all objects. */
      objects: z.number().optional(),
      dumps: z.array(Dump),
    }),
  ),
});
type KeptFile = z.output<typeof KeptFile>;

const FILE = join('test', 'golden', 'kept-cases.json.br');
/** Counters and notes of the collector: no walk reads them. */
const UNREAD = /^(proc-|stderr|meta)/;

/** All kept cases, in order of their names. */
export function readKeptCases(root: string): readonly KeptCase[] {
  const path = join(root, FILE);
  if (!existsSync(path)) return [];
  const file = KeptFile.parse(JSON.parse(brotliDecompressSync(readFileSync(path)).toString('utf8')));
  const textOf = (index: number): string => {
    const text = file.texts[index];
    if (text === undefined) throw new Error(`${FILE} has no text ${index}`);
    return text;
  };
  return file.cases.map(({ name, pair, kernel, cluster, takenAt, collector, nodes, objects, dumps }) => ({
    name,
    pair,
    kernel,
    snapshot: {
      cluster,
      takenAt,
      collector,
      nodes: new Map(Object.entries(nodes)),
      objects: objects === undefined ? undefined : z.array(KubernetesObject).parse(JSON.parse(textOf(objects))),
      cloud: undefined,
      underlay: undefined,
      dumps: dumps.map(({ files, ...dump }) => ({
        ...dump,
        files: new Map(Object.entries(files).map(([file, index]) => [file, textOf(index)])),
      })),
    },
  }));
}

/** Writes them all anew. Equal cases give an equal file. */
export function writeKeptCases(root: string, cases: readonly KeptCase[]): void {
  const numbers = new Map<string, number>();
  const numberOf = (text: string): number => {
    const known = numbers.get(text);
    if (known !== undefined) return known;
    numbers.set(text, numbers.size);
    return numbers.size - 1;
  };
  const kept: KeptFile['cases'] = cases
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, pair, kernel, snapshot: { cluster, takenAt, collector, nodes, objects, dumps } }) => ({
      name,
      pair,
      kernel: [...kernel],
      cluster,
      takenAt,
      collector,
      nodes: Object.fromEntries(nodes),
      ...(objects === undefined ? {} : { objects: numberOf(JSON.stringify(objects)) }),
      dumps: dumps.map(({ files, ...dump }) => ({
        ...dump,
        files: Object.fromEntries(
          [...files].filter(([file]) => !UNREAD.test(file)).map(([file, text]) => [file, numberOf(text)]),
        ),
      })),
    }));
  const text = JSON.stringify({ texts: [...numbers.keys()], cases: kept } satisfies KeptFile);
  const packed = brotliCompressSync(text, {
    params: { [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS, [constants.BROTLI_PARAM_QUALITY]: 11 },
  });
  writeFileSync(join(root, FILE), packed);
}
