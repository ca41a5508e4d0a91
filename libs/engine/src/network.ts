import { ClusterIndex } from '#libs/cluster';
import { HopscopeError, type Diagnosis, type DiagnosisRequest, type Snapshot } from '#libs/model';
import type {
  ClusterOverrides,
  CniNetwork,
  CniPlugin,
  InfraAnswer,
  InfraQuestion,
  InfraShim,
  MatrixCell,
  Network,
} from '#libs/provider-kit';
import { KubeProxy } from '#libs/kube-proxy';
import { PolicyIndex } from '#libs/policy';
import { Fabric } from './fabric.js';
import { Inspection } from './inspection.js';
import { checkedOverrides } from './overrides.js';
import { KnownHalves } from './known-halves.js';
import { isReachable, walk } from './walk.js';
import { buildNamespaces, infraKey, ownerOf, type World } from './world.js';

/** More crossings than one packet can make; beyond it the shim and the walk do not agree with each other. */
const MAX_QUESTIONS = 500;
/** Far more than one walk asks for; bounds the memory of a bulk whose packets all differ. */
const MAX_REMEMBERED = 20_000;

export interface NetworkParts {
  readonly snapshot: Snapshot;
  /** In order of preference; the last should detect itself always. */
  readonly cniPlugins: readonly CniPlugin[];
  readonly shim: InfraShim;
  readonly overrides: ClusterOverrides;
}

/** Engine × CNI plugin × InfraShim. Parses the snapshot once; every answer of the shim is asked for once. */
export function composeNetwork(parts: NetworkParts): Network {
  const overrides = checkedOverrides(parts.overrides);
  const cluster = new ClusterIndex(parts.snapshot, overrides);
  const namespaces = buildNamespaces(cluster);
  const infra = new Map<string, InfraAnswer>();
  const cni = chooseCni(parts.cniPlugins, cluster, overrides.networkPlugin);
  const world: World = {
    cluster,
    namespaces,
    fabric: new Fabric(namespaces, cluster),
    filtersFrames: [...namespaces.values()].some((ns) => ns.filtersFrames),
    cni,
    inspection: new Inspection(cluster, namespaces, cni),
    proxy: new KubeProxy(cluster, { mode: overrides.proxyMode }),
    policies: new PolicyIndex(cluster),
    infra: (question) => parts.shim.evaluate?.(question) ?? infra.get(infraKey(question)),
    ownerOf: ownerOf(namespaces),
  };
  return new WalkingNetwork(world, infra, parts.shim);
}

function chooseCni(plugins: readonly CniPlugin[], cluster: ClusterIndex, override: string | undefined): CniNetwork {
  if (override !== undefined) {
    const named = plugins.find((plugin) => plugin.name === override);
    if (named !== undefined) return named.forCluster(cluster);
    const names = plugins.map((plugin) => plugin.name).join(', ');
    throw new HopscopeError('UNKNOWN_NETWORK_PLUGIN', `network plugin "${override}" is not known; there are: ${names}`);
  }
  const detected = plugins.find((plugin) => plugin.detect(cluster).detected);
  if (detected === undefined) throw new Error('no CNI plugin detects itself: put `unknown` last');
  return detected.forCluster(cluster);
}

class WalkingNetwork implements Network {
  private readonly halves: KnownHalves;

  constructor(
    private readonly world: World,
    private readonly infra: Map<string, InfraAnswer>,
    private readonly shim: InfraShim,
  ) {
    this.halves = new KnownHalves(world, shim.ignoresPackets === true);
  }

  async diagnose(request: DiagnosisRequest, signal?: AbortSignal): Promise<Diagnosis> {
    for (let asked = 0; asked < MAX_QUESTIONS; asked++) {
      signal?.throwIfAborted();
      const result = walk(request, this.world);
      if (result.kind === 'diagnosis') return result.diagnosis;
      await this.lookUp(result.questions);
    }
    throw tooManyQuestions();
  }

  async verdict(request: DiagnosisRequest, signal?: AbortSignal): Promise<MatrixCell> {
    for (let asked = 0; asked < MAX_QUESTIONS; asked++) {
      signal?.throwIfAborted();
      const result = isReachable(request, this.world, this.halves);
      if (result === true) return REACHABLE;
      if (result === false) return cellOf(await this.diagnose(request, signal));
      await this.lookUp(result.questions);
    }
    throw tooManyQuestions();
  }

  private async lookUp(questions: readonly InfraQuestion[]): Promise<void> {
    for (const question of questions) this.keep(infraKey(question), await this.ask(question));
  }

  /** Every distinct crossing is asked for once while it is remembered; the oldest are forgotten first. */
  private keep(key: string, answer: InfraAnswer): void {
    const [oldest] = this.infra.keys();
    if (this.infra.size >= MAX_REMEMBERED && oldest !== undefined) this.infra.delete(oldest);
    this.infra.set(key, answer);
  }

  async *diagnoseMany(requests: Iterable<DiagnosisRequest>, signal?: AbortSignal): AsyncIterable<Diagnosis> {
    for (const request of requests) yield await this.diagnose(request, signal);
  }

  /** A shim that fails answers "unknown", with the reason: not being able to look is no finding. */
  private async ask(question: InfraQuestion): Promise<InfraAnswer> {
    try {
      return await this.askShim(question);
    } catch (error) {
      const reason = error instanceof HopscopeError ? error.message : 'the look-up failed';
      return {
        delivery: { kind: 'unknown' },
        suspicions: [],
        steps: [],
        skipped: [{ code: 'INFRA_LOOKUP_FAILED', reason: `${question.kind}: ${reason}` }],
      };
    }
  }

  private askShim(question: InfraQuestion): Promise<InfraAnswer> {
    const { shim } = this;
    switch (question.kind) {
      case 'nodeToNode':
        return shim.nodeToNode(question.source, question.oif, question.destination, question.packet);
      case 'nodeToExternal':
        return shim.nodeToExternal(question.source, question.oif, question.packet);
      case 'externalToNode':
        return shim.externalToNode?.(question.destination, question.packet) ?? Promise.resolve(UNKNOWN);
      case 'externalToLoadBalancer':
        return (
          shim.externalToLoadBalancer?.(question.service, question.packet, question.backends) ??
          Promise.resolve(UNKNOWN)
        );
    }
  }
}

const REACHABLE: MatrixCell = { verdict: 'reachable' };

/** What a matrix shows of an answer. */
export function cellOf({ verdict, blocking: [cause] }: Pick<Diagnosis, 'verdict' | 'blocking'>): MatrixCell {
  return cause === undefined ? { verdict } : { verdict, cause: { code: cause.code, fingerprint: cause.fingerprint } };
}

function tooManyQuestions(): Error {
  return new Error(`a walk asked more than ${MAX_QUESTIONS} questions about the network outside`);
}

const UNKNOWN: InfraAnswer = { delivery: { kind: 'unknown' }, suspicions: [], steps: [], skipped: [] };
