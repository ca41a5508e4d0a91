import { targetPortFinding, type Asker, type ProxyCheck, type ServiceEntry } from '#libs/kube-proxy';
import {
  formatSocket,
  isLoopback,
  parseIp,
  type Endpoint,
  type Ip,
  type Place,
  type Skipped,
  type SuspicionCode,
} from '#libs/model';
import type { NetNamespace } from '#libs/netstack';
import type { Finding } from '#libs/provider-kit';
import type { Exchange } from './exchange.js';
import type { RecordedObstacle } from './trace-recorder.js';
import type { World } from './world.js';

/** The question, as far as services are concerned. */
export interface ServiceQuestion {
  readonly source: Endpoint;
  readonly dst: Ip;
  readonly port: number;
  readonly protocol: 'tcp' | 'udp';
}

/** Reasons of the objects for which an entry has nothing to send to. */
const EMPTY: ReadonlySet<SuspicionCode> = new Set([
  'NO_ENDPOINTS',
  'SELECTOR_MATCHES_NOTHING',
  'NO_READY_ENDPOINTS',
  'NAMED_PORT_UNRESOLVED',
  'FAMILY_MISMATCH',
  'EXTERNAL_POLICY_LOCAL_NO_ENDPOINT',
  'INTERNAL_POLICY_LOCAL_NO_ENDPOINT',
  'SOURCE_RANGE_DENIED',
]);

/** Rules that send to a backend that is none. */
const STALE: ReadonlySet<SuspicionCode> = new Set(['PROXY_STALE_ENDPOINT', 'PROXY_RULE_WRONG', 'IPVS_SERVER_EXTRA']);

/** Rules that do not serve an entry at all, or not as they should. */
const UNSERVED: ReadonlySet<SuspicionCode> = new Set([
  'PROXY_RULES_MISSING',
  'PROXY_RULE_WRONG',
  'PROXY_ENDPOINT_MISSING',
  'PROXY_NOT_SYNCED',
  'IPVS_SERVICE_MISSING',
  'IPVS_SERVER_MISSING',
  'IPVS_ADDRESS_MISSING',
  'SERVICE_CIDR_OVERLAP',
]);

const REFUSALS: ReadonlySet<SuspicionCode> = new Set([
  'FILTER_REJECT',
  'FILTER_DROP',
  'NFT_DROP',
  'CHAIN_POLICY_DROP',
  'PROXY_RULES_MISSING',
  'NO_LISTENER',
]);

/** The service that was asked for: what its objects say, and whether the node that translates does it. */
export class AskedService {
  readonly skipped: readonly Skipped[];
  private readonly objects: readonly Finding[];
  /** By node that may translate: the first on the way, and the one whose address was asked for. */
  private readonly checks: ReadonlyMap<NetNamespace | undefined, ProxyCheck>;
  private readonly serves: boolean;

  private constructor(
    private readonly world: World,
    private readonly question: ServiceQuestion,
    private readonly entry: ServiceEntry,
    private readonly node: NetNamespace | undefined,
  ) {
    const { proxy } = world;
    const asker = askerOf(question.source);
    const name = node?.place.name ?? '';
    this.objects = proxy.findings(name, entry, asker);
    this.serves = proxy.expected(name, entry, asker).outcome === 'backends';
    const asked = world.cluster.nodeAt(entry.ip);
    const nodes = [node, asked === undefined ? undefined : world.namespaces.get(`node/${asked.name}`)];
    this.checks = new Map(nodes.flatMap((ns) => (ns === undefined ? [] : [[ns, proxy.on(ns).check(entry)]])));
    this.skipped = [...this.checks.values()].flatMap(({ skipped }) => skipped);
  }

  /** undefined when the destination is no service's. The node is the first one on the way: there services are translated. */
  static of(world: World, question: ServiceQuestion, exchange: Exchange | undefined): AskedService | undefined {
    // The loopback address of a node stands for the node: its node ports are there too.
    const own = isLoopback(question.dst)
      ? world.cluster.nodes.get(question.source.name ?? '')?.internalIps[0]
      : undefined;
    const entry = world.proxy.find(own ?? question.dst, question.port, question.protocol === 'tcp' ? 'TCP' : 'UDP');
    if (entry === undefined) return undefined;
    const first = exchange?.forward.hops.find(({ at }) => at.kind === 'node')?.at;
    const node = first === undefined ? undefined : world.namespaces.get(`node/${first.name}`);
    return new AskedService(world, question, entry, node);
  }

  /** What is to be said of the service beside the causes. Where the packet got through, whatever took it, nothing was lacking. */
  findings(reached: boolean): readonly Finding[] {
    return [...this.objects.filter(({ code }) => !reached || !EMPTY.has(code)), ...this.rules];
  }

  /** Why a packet that was meant for the service, or for one of its backends, met this obstacle. */
  causesOf({ obstacle, at }: RecordedObstacle): readonly Finding[] {
    const { code } = obstacle.facts;
    const { dst, dport } = obstacle.skb;
    if (dst === this.question.dst && dport === this.question.port) {
      if (!this.serves && !REFUSALS.has(code)) return [];
      const found = this.serves
        ? this.rulesAt(at).filter((finding) => UNSERVED.has(finding.code))
        : this.objects.filter((finding) => EMPTY.has(finding.code));
      return found
        .slice(0, 2)
        .map((finding, index) => (index === 0 ? withEvidence(finding, obstacle.facts.evidence) : finding));
    }
    const backend = formatSocket(dst, dport);
    const rules = this.rulesAt(at);
    const stale = rules.filter(({ code: one, details }) => STALE.has(one) && details?.backend === backend);
    if (stale.length === 0 && MISTAKEN.has(code)) return rules.filter(masquerades).slice(0, 1);
    if (stale.length > 0 || code !== 'NO_LISTENER') return stale;
    return this.isDeclared(dst, dport)
      ? []
      : [targetPortFinding(this.world.cluster, this.entry, { ip: dst, port: dport })];
  }

  private get rules(): readonly Finding[] {
    return this.checks.get(this.node)?.findings ?? [];
  }

  /** What is wrong with the rules of the first node on the way, and of the one where the packet stopped if it translates too. */
  private rulesAt({ kind, name }: Place): readonly Finding[] {
    const here = kind === 'node' ? this.world.namespaces.get(`node/${name}`) : undefined;
    return here === this.node ? this.rules : [...this.rules, ...(this.checks.get(here)?.findings ?? [])];
  }

  /** Whether a pod says that it has the port, or says nothing of its ports. */
  private isDeclared(ip: Ip, port: number): boolean {
    const declared = this.world.cluster.podsAt(ip).flatMap((pod) => pod.ports);
    return declared.length === 0 || declared.some((one) => one.port === port);
  }
}

/** Obstacles of answers and sources that were not translated as they should. */
const MISTAKEN: ReadonlySet<SuspicionCode> = new Set([
  'MARTIAN_SOURCE',
  'WRONG_SOURCE_ADDRESS',
  // A pod is sent 127.0.0.1 of its node: what comes to a node port on loopback is masqueraded.
  'ROUTE_LOCALNET_OFF',
  'NO_ROUTE',
  'NEIGH_FAILED',
  'CLOUD_NO_ROUTE',
]);

/** Whether a finding is about the rules that masquerade packets of services. */
function masquerades({ code, evidence }: Finding): boolean {
  if (!UNSERVED.has(code) && code !== 'MASQUERADE_MISSING') return false;
  return evidence.some(({ locator, text }) => /POSTROUTING|MARK-MASQ|masquerad/i.test(`${locator} ${text}`));
}

function withEvidence(finding: Finding, evidence: Finding['evidence']): Finding {
  return { ...finding, evidence: [...finding.evidence, ...evidence] };
}

function askerOf({ kind, ip }: Endpoint): Asker {
  const asker = kind === 'pod' || kind === 'node' ? kind : 'outside';
  const address = ip === null ? undefined : parseIp(ip);
  return address === undefined ? { kind: asker } : { kind: asker, ip: address };
}
