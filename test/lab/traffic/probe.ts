import { z } from 'zod';
import type { Protocol } from '../cluster/spec.js';
import { netnsName } from '../netns/lab-namespaces.js';
import { runCommand } from '#libs/collector';
import { scriptPath } from './script-path.js';

export interface Probe {
  readonly id: string;
  /** The namespace that it starts from. */
  readonly from: string;
  readonly address: string;
  readonly port: number;
  readonly protocol: Protocol;
  /** More than one where the kernel throws dice. */
  readonly attempts: number;
}

/** What one real connection did. `backend` and `source` as the listener saw them. */
const Attempt = z.object({ outcome: z.string(), backend: z.string().optional(), source: z.string().optional() });
export type Attempt = z.output<typeof Attempt>;
const Results = z.array(z.object({ id: z.string(), attempts: z.array(Attempt) }));

/** Makes all connections, at the same time, from the namespaces where they start. */
export async function runProbes(
  probes: readonly Probe[],
  timeoutMs: number,
): Promise<ReadonlyMap<string, readonly Attempt[]>> {
  const sources = [...new Set(probes.map(({ from }) => from))];
  const answers = await Promise.all(
    sources.map((source) =>
      probeFrom(
        source,
        probes.filter(({ from }) => from === source),
        timeoutMs,
      ),
    ),
  );
  return new Map(answers.flat().map(({ id, attempts }) => [id, attempts]));
}

async function probeFrom(from: string, probes: readonly Probe[], timeoutMs: number) {
  const argv = ['ip', 'netns', 'exec', netnsName(from), process.execPath, scriptPath('prober.mjs')];
  const { status, stdout, stderr } = await runCommand(argv, JSON.stringify({ timeoutMs, probes }));
  if (status !== 0) throw new Error(`lab: the prober in ${from} failed: ${stderr}`);
  return Results.parse(JSON.parse(stdout));
}
