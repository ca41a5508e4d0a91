import { parsePair } from '#libs/model';
import type { InfraShim, Network } from '#libs/provider-kit';
import { kubeProxyRules } from '../../../test/fixtures/kube-proxy-rules.js';
import { PLAIN } from '../../../test/fixtures/plain-plugin.js';
import {
  generatedCluster,
  generatedPods,
  podIp,
  type ClusterPlan,
  type NodeRules,
} from '../../../test/fixtures/generated-cluster.js';
import { cellOf, composeNetwork } from './network.js';

const unknown = { delivery: { kind: 'unknown' }, suspicions: [], steps: [], skipped: [] } as const;
const SILENT: InfraShim = {
  ignoresPackets: true,
  evaluate: () => unknown,
  nodeToNode: () => Promise.resolve(unknown),
  nodeToExternal: () => Promise.resolve(unknown),
};

function networkOf(plan: ClusterPlan, shim: InfraShim = SILENT): Network {
  return composeNetwork({ snapshot: generatedCluster(plan), cniPlugins: [PLAIN], shim, overrides: {} });
}

/** All pairs, in an order in which the first rows teach what the others are answered by. */
async function differences(plan: ClusterPlan): Promise<{ cells: number; reachable: number; differing: string[] }> {
  const network = networkOf(plan);
  const pods = generatedPods(plan).map((name) => `pod/${name}`);
  const differing: string[] = [];
  let reachable = 0;
  for (const source of pods)
    for (const destination of pods) {
      const request = parsePair({ source, destination, port: 8080 });
      const cell = await network.verdict?.(request);
      const whole = cellOf(await network.diagnose(request));
      if (whole.verdict === 'reachable') reachable += 1;
      if (JSON.stringify(cell) !== JSON.stringify(whole)) differing.push(`${source} -> ${destination}`);
    }
  return { cells: pods.length ** 2, reachable, differing };
}

/** Rules as administrators and policy engines write them: single pods, networks, sets, chains, with and without exceptions. */
class RandomRules {
  constructor(
    private state: number,
    private readonly plan: Pick<ClusterPlan, 'nodes' | 'podsPerNode'>,
  ) {}

  next(): NodeRules {
    const chain = (name: string): string[] => this.list(3, () => `-A ${name} ${this.match()} -j ${this.target([])}`);
    return {
      forward: this.list(4, () => `-A FORWARD ${this.match()} -j ${this.target(['ONE', 'TWO'])}`),
      chains: { ONE: chain('ONE'), TWO: chain('TWO') },
      sets: [
        'create some hash:ip family inet',
        ...this.list(4, () => `add some ${this.pod()}`),
        'create nets hash:net family inet',
        ...this.list(3, () => `add nets ${this.network()}${this.below(3) === 0 ? ' nomatch' : ''}`),
        'create pairs hash:ip,ip family inet',
        ...this.list(6, () => `add pairs ${this.pod()},${this.pod()}`),
        '',
      ].join('\n'),
    };
  }

  private match(): string {
    const not = this.below(4) === 0 ? '! ' : '';
    switch (this.below(6)) {
      case 0:
        return `${not}-${this.end()} ${this.pod()}/32`;
      case 1:
        return `${not}-${this.end()} ${this.network()}`;
      case 2:
        return `-m set ${not}--match-set some ${this.below(2) === 0 ? 'src' : 'dst'}`;
      case 3:
        return `-m set ${not}--match-set nets ${this.below(2) === 0 ? 'src' : 'dst'}`;
      case 4:
        return '-m set --match-set pairs src,dst';
      default:
        return `-s ${this.network()} -d ${this.pod()}/32`;
    }
  }

  private target(chains: readonly string[]): string {
    const all = ['DROP', 'ACCEPT', 'RETURN', ...chains, ...chains];
    return all[this.below(all.length)] ?? 'DROP';
  }

  private end(): string {
    return this.below(2) === 0 ? 's' : 'd';
  }

  private pod(): string {
    return podIp(this.below(this.plan.nodes), this.below(this.plan.podsPerNode));
  }

  private network(): string {
    const length = 24 + this.below(8);
    const [a = 0, b = 0, c = 0, d = 0] = this.pod().split('.').map(Number);
    return `${a}.${b}.${c}.${d & (0xff << (32 - length)) & 0xff}/${length}`;
  }

  private list(max: number, one: () => string): string[] {
    return Array.from({ length: this.below(max + 1) }, one);
  }

  private below(limit: number): number {
    this.state = (Math.imul(this.state, 1664525) + 1013904223) >>> 0;
    return Math.floor((this.state / 2 ** 32) * limit);
  }
}

const SIZE = { nodes: 4, podsPerNode: 4, iptables: kubeProxyRules(3) };

describe('Network.verdict()', () => {
  it('says of all pairs what whole answers say, in a cluster with broken nodes', async () => {
    const { differing, reachable, cells } = await differences({ ...SIZE, nodes: 6, podsPerNode: 3, brokenEvery: 1 });

    expect(differing).toEqual([]);
    expect([reachable > 0, reachable < cells]).toEqual([true, true]);
  });

  it.each([105, 110, 114, 117, 191, 219])('agrees with whole answers under random rules, seed %i', async (seed) => {
    const rules = new RandomRules(seed, SIZE);
    const perNode = Array.from({ length: SIZE.nodes }, () => rules.next());
    const none = { forward: [], chains: {}, sets: '' };

    const { differing } = await differences({ ...SIZE, brokenEvery: 0, rulesOf: (node) => perNode[node] ?? none });

    expect(differing).toEqual([]);
  });

  it('asks a shim that looks at packets for each pair', async () => {
    const asked = new Set<string>();
    const shim: InfraShim = {
      nodeToNode: (_source, _oif, _destination, { src, dst }) => {
        asked.add(`${src} ${dst}`);
        return Promise.resolve(unknown);
      },
      nodeToExternal: () => Promise.resolve(unknown),
    };
    const network = networkOf({ ...SIZE, nodes: 2, brokenEvery: 0 }, shim);
    const ask = (source: number, destination: number) =>
      network.verdict?.(
        parsePair({ source: `pod/bench/pod-0-${source}`, destination: `pod/bench/pod-1-${destination}`, port: 8080 }),
      );

    for (const [source, destination] of [
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ] as const)
      await ask(source, destination);

    expect(asked).toContain(`${podIp(0, 1)} ${podIp(1, 1)}`);
  });
});
