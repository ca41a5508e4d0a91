import { readFile, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { Attempt } from '../traffic/agents.js';

/** What the kernel did in one cluster, to be compared with whatever the program will say tomorrow. */
export const Truth = z.object({
  cluster: z.string(),
  /** Names of the faults that were injected; none: healthy. */
  faults: z.array(z.string()),
  probes: z.array(
    z.object({
      kind: z.string(),
      pair: z.object({
        id: z.string(),
        source: z.string(),
        destination: z.string(),
        port: z.number(),
        protocol: z.enum(['tcp', 'udp']),
      }),
      /** Whether it connects when nothing is broken. */
      worksHealthy: z.boolean(),
      attempts: z.array(Attempt),
    }),
  ),
});
export type Truth = z.output<typeof Truth>;
export type TrueProbe = Truth['probes'][number];

export function worksIn({ attempts }: Pick<TrueProbe, 'attempts'>): boolean {
  return attempts.length > 0 && attempts.every(({ outcome }) => outcome === 'connected');
}

/** The file beside a kept snapshot. */
export function truthPath(archive: string): string {
  return archive.replace(/\.tar\.gz$/, '.truth.json');
}

export async function writeTruth(archive: string, truth: Truth): Promise<void> {
  const probes = truth.probes.map((probe) => `    ${JSON.stringify(probe)}`).join(',\n');
  const { cluster, faults } = truth;
  const head = `  "cluster": ${JSON.stringify(cluster)},\n  "faults": ${JSON.stringify(faults)},\n`;
  await writeFile(truthPath(archive), `{\n${head}  "probes": [\n${probes}\n  ]\n}\n`);
}

export async function readTruth(archive: string): Promise<Truth> {
  return Truth.parse(JSON.parse(await readFile(truthPath(archive), 'utf8')));
}
