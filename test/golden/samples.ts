import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parsePair, type Diagnosis, type DiagnosisRequest, type Snapshot } from '#libs/model';
import type { Network } from '#libs/provider-kit';
import { genericProvider } from '#libs/providers/generic';
import { readSnapshot } from '#libs/snapshot-archive';
import { z } from 'zod';

/** The samples of this repository: clusters that the lab recorded, with the kernel's own answers beside them. */
const Samples = z.array(
  z.looseObject({
    name: z.string(),
    archive: z.string(),
    pairs: z.array(
      z.looseObject({
        id: z.string(),
        source: z.string(),
        destination: z.string(),
        port: z.union([z.number(), z.string()]),
        protocol: z.enum(['tcp', 'udp']),
        expect: z.looseObject({ verdict: z.string(), symptom: z.string(), codes: z.array(z.string()) }),
      }),
    ),
  }),
);
export type Sample = z.output<typeof Samples>[number];
export type SamplePair = Sample['pairs'][number];

/** What there is to ask, of whatever a list holds besides. */
type Question = Pick<SamplePair, 'source' | 'destination' | 'port' | 'protocol'>;

export function listSamples(root: string): readonly Sample[] {
  return Samples.parse(JSON.parse(readFileSync(join(root, 'samples', 'cases.json'), 'utf8')));
}

export function readSample(root: string, sample: Pick<Sample, 'archive'>): Promise<Snapshot> {
  return readSnapshot(join(root, 'samples', sample.archive));
}

/** As worker and CLI make it: the generic provider, nothing overridden. */
export function networkOf(snapshot: Snapshot): Promise<Network> {
  return genericProvider.createNetwork({ snapshot, settings: {}, overrides: {} });
}

function requestOf({ source, destination, port, protocol }: Question): DiagnosisRequest {
  return parsePair({ source, destination, port, protocol });
}

export async function diagnosePair(network: Network, pair: Question): Promise<Diagnosis> {
  return network.diagnose(requestOf(pair));
}
