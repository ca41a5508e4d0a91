import { contentHash, parsePair, type DiagnosisRequest } from '#libs/model';
import type { MatrixCell, Network } from '#libs/provider-kit';
import { cellOf } from '#libs/engine';
import { genericProvider } from '#libs/providers/generic';
import { generatedCluster, generatedPods, type ClusterPlan } from '../test/fixtures/generated-cluster.js';
import { kubeProxyRules } from '../test/fixtures/kube-proxy-rules.js';

/** 1,000 pods on 20 nodes with 1,000 services, two nodes broken in different ways. */
const PLAN: ClusterPlan = { nodes: 20, podsPerNode: 50, iptables: kubeProxyRules(1000), brokenEvery: 10 };

export interface MatrixReport {
  /** Microseconds a pair: a whole answer as it is stored, hash included. */
  readonly full: number;
  /** Microseconds a cell, of all cells. */
  readonly cell: number;
  readonly cells: number;
  readonly unreachable: number;
  /** Cells of the sample whose verdict or first cause is not that of the whole answer. */
  readonly differing: readonly string[];
  readonly compared: number;
}

/** All pairs of 1,000 pods as verdicts, beside a sample of them as whole answers; the two take turns. */
export async function verdictMatrix(compared: number): Promise<MatrixReport> {
  const snapshot = generatedCluster(PLAN);
  const make = (): Promise<Network> => genericProvider.createNetwork({ snapshot, settings: {}, overrides: {} });
  const [whole, matrix] = [await make(), await make()];
  const pods = generatedPods(PLAN).map((name) => `pod/${name}`);
  const sample = samplePairs(pods, compared);
  const expected = new Map<string, MatrixCell>();
  const clock = { full: 0, cells: 0 };
  let unreachable = 0;
  const share = Math.ceil(sample.length / pods.length);
  for (const [row, source] of pods.entries()) {
    clock.full += await timed(async () => {
      for (const pair of sample.slice(row * share, (row + 1) * share)) {
        const diagnosis = await whole.diagnose(pair.request);
        contentHash(diagnosis);
        expected.set(pair.key, cellOf(diagnosis));
      }
    });
    const requests = pods.map((destination) => question(source, destination));
    clock.cells += await timed(async () => {
      for (const request of requests) if ((await cellIn(matrix, request)).verdict !== 'reachable') unreachable += 1;
    });
  }
  const differing: string[] = [];
  for (const { key, request } of sample) {
    const cell = await cellIn(matrix, request);
    if (JSON.stringify(cell) !== JSON.stringify(expected.get(key))) differing.push(key);
  }
  const cells = pods.length ** 2;
  return {
    full: (clock.full * 1000) / sample.length,
    cell: (clock.cells * 1000) / cells,
    cells,
    unreachable,
    differing,
    compared: sample.length,
  };
}

async function cellIn(network: Network, request: DiagnosisRequest): Promise<MatrixCell> {
  return (await network.verdict?.(request)) ?? cellOf(await network.diagnose(request));
}

async function timed(act: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await act();
  return performance.now() - began;
}

function question(source: string, destination: string): DiagnosisRequest {
  return parsePair({ source, destination, port: 8080, protocol: 'tcp' });
}

interface SampledPair {
  readonly key: string;
  readonly request: DiagnosisRequest;
}

/** The same pairs at each run, spread over all of them. */
function samplePairs(pods: readonly string[], count: number): SampledPair[] {
  const total = pods.length ** 2;
  return Array.from({ length: count }, (_, index) => {
    // A step that shares no factor with the number of pairs meets each at most once.
    const at = (index * 618_033 + 7) % total;
    const source = pods[Math.floor(at / pods.length)] ?? '';
    const destination = pods[at % pods.length] ?? '';
    return { key: `${source} -> ${destination}`, request: question(source, destination) };
  });
}
