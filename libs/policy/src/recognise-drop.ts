import type { Direction, PolicyRef } from './policy-ref.js';
import type { Enforcer } from './enforcers.js';
import { urlHash } from './url-hash.js';

/** Where a packet was dropped, as the walk knows it. Chains of native nftables are named as nft prints them. */
export interface DropPlace {
  readonly table: string;
  readonly chain: string;
  /** The rule's text, as iptables-save or nft prints it; absent when a chain's policy dropped. */
  readonly rule?: string;
}

/** A drop that a policy engine ordered. */
export interface PolicyDrop {
  readonly enforcer: Enforcer['name'];
  /**
   * `rule`: a rule of a policy. `default-deny`: policies select the pod and none let it through. `no-profile`: not even the namespace's
   * profile allows. `queue`: the agent in user space decides. `guard`: no policy, but the engine's own protection (invalid or
   * encapsulated packets, unknown interfaces, a spoofed source).
   */
  readonly kind: 'rule' | 'default-deny' | 'no-profile' | 'queue' | 'guard';
  /** Seen from the pod or host; undefined where the engine uses one chain for both. */
  readonly direction?: Direction;
  readonly policy?: PolicyRef;
  readonly tier?: string;
  readonly pod?: { readonly namespace: string; readonly name: string };
  /** The host's side of the pod's link, as the chain names it. A long name is cut to a hash and not told. */
  readonly interface?: string;
}

/** felix/rules/rule_defs.go. Chains of nftables mode carry their table's name in front: `filter-cali-tw-…`. */
const CALICO =
  /^(?:(?:filter|raw|mangle|nat)-)?cali-(tw|fw|th|fh|thfw|fhfw|pi|po|pri|pro|gi|go|from-wl-dispatch|to-wl-dispatch|from-hep|to-hep|rpf|wl-to-host|from-host-endpoint|to-host-endpoint|cidr-block)(?:-(.*))?$/;
const INGRESS_CHAINS: ReadonlySet<string> = new Set(['tw', 'fh', 'fhfw', 'pi', 'pri', 'gi', 'to-wl-dispatch']);
const POLICY_KINDS: ReadonlyMap<string, string> = new Map([
  ['knp', 'NetworkPolicy'],
  ['np', 'projectcalico.org/NetworkPolicy'],
  ['gnp', 'projectcalico.org/GlobalNetworkPolicy'],
  ['kcnp', 'ClusterNetworkPolicy'],
]);

/**
 * Tells whose rule dropped a packet; undefined when it is no policy engine's, or not known here. `known` are the policies that a hashed
 * chain name may stand for (PolicyIndex.refs).
 */
export function recogniseDrop(place: DropPlace, known: readonly PolicyRef[] = []): PolicyDrop | undefined {
  return recogniseCalico(place, known) ?? recogniseKubeRouter(place) ?? recogniseQueue(place) ?? recogniseWeave(place);
}

function recogniseCalico({ chain, rule = '' }: DropPlace, known: readonly PolicyRef[]): PolicyDrop | undefined {
  const [, part, suffix = ''] = CALICO.exec(chain) ?? [];
  if (part === undefined) return undefined;
  const direction: Direction = INGRESS_CHAINS.has(part) ? 'ingress' : 'egress';
  switch (part) {
    case 'pi':
    case 'po':
    case 'gi':
    case 'go':
      return {
        enforcer: 'calico',
        kind: 'rule',
        direction,
        policy: commentedPolicy(rule) ?? namedPolicy(suffix) ?? hashedPolicy(suffix, known),
      };
    case 'pri':
    case 'pro':
      return { enforcer: 'calico', kind: 'rule', direction, policy: profileOf(suffix) };
    case 'tw':
    case 'fw':
    case 'th':
    case 'fh':
    case 'thfw':
    case 'fhfw':
      return { enforcer: 'calico', direction, ...ofEndpointChain(rule), ...deviceOf(suffix) };
    case 'rpf':
      return { enforcer: 'calico', kind: 'guard', direction: 'egress' };
    default:
      return { enforcer: 'calico', kind: 'guard', direction };
  }
}

/** An endpoint's own chain drops at the end of a tier, after the profiles, and what is no proper packet of a connection. */
function ofEndpointChain(rule: string): Pick<PolicyDrop, 'kind' | 'tier'> {
  if (/no policies passed packet/i.test(rule)) {
    const tier = /End of tier ([\w.-]+?)\. /.exec(rule)?.[1];
    return { kind: 'default-deny', tier: tier ?? 'default' };
  }
  return { kind: /no profiles matched/i.test(rule) ? 'no-profile' : 'guard' };
}

function deviceOf(suffix: string): Pick<PolicyDrop, 'interface'> {
  return suffix === '' || suffix.startsWith('_') ? {} : { interface: suffix };
}

/** Newer versions say which policy it is in the comment of a chain's first rule: `NetworkPolicy prod/db ingress`. */
function commentedPolicy(rule: string): PolicyRef | undefined {
  const [, kind, name] =
    /["']?(?:Policy|((?:Kubernetes|Staged)?(?:Global|Cluster|Admin)?NetworkPolicy)) ([\w./-]+) (?:ingress|egress)\b/.exec(
      rule,
    ) ?? [];
  if (name === undefined) return undefined;
  if (kind === undefined) return policyOfId(name);
  const [namespace, short] = name.includes('/') ? name.split('/', 2) : [undefined, name];
  if (short === undefined) return undefined;
  if (kind === 'KubernetesNetworkPolicy') return { kind: 'NetworkPolicy', namespace, name: short };
  return { kind: `projectcalico.org/${kind}`, namespace, name: short };
}

function namedPolicy(suffix: string): PolicyRef | undefined {
  return suffix === '' || suffix.startsWith('_') ? undefined : policyOfId(suffix);
}

/** `knp/prod/db`, `gnp/name` (3.31 and later); `prod/knp.default.db`, `prod/default.db`, `default.name` (before). */
function policyOfId(id: string): PolicyRef | undefined {
  const parts = id.split('/');
  const short = POLICY_KINDS.get(parts[0] ?? '');
  if (short !== undefined && parts.length === 3) return { kind: short, namespace: parts[1], name: parts[2] ?? '' };
  if (short !== undefined && parts.length === 2) return { kind: short, name: parts[1] ?? '' };
  const [namespace, full] = parts.length === 2 ? parts : [undefined, parts[0]];
  if (full === undefined || parts.length > 2) return undefined;
  if (full.startsWith('knp.default.'))
    return { kind: 'NetworkPolicy', namespace, name: full.slice('knp.default.'.length) };
  const kind = namespace === undefined ? 'GlobalNetworkPolicy' : 'NetworkPolicy';
  return { kind: `projectcalico.org/${kind}`, namespace, name: full.replace(/^default\./, '') };
}

function profileOf(suffix: string): PolicyRef | undefined {
  return suffix === '' || suffix.startsWith('_') ? undefined : { kind: 'projectcalico.org/Profile', name: suffix };
}

function hashedPolicy(suffix: string, known: readonly PolicyRef[]): PolicyRef | undefined {
  if (!suffix.startsWith('_')) return undefined;
  const hash = suffix.slice(1);
  return known.find((ref) => calicoIds(ref).some((id) => urlHash(id).startsWith(hash)));
}

/** The names that versions of Calico have given a policy, before they were hashed into a chain's name. */
function calicoIds({ kind, namespace, name }: PolicyRef): readonly string[] {
  switch (kind) {
    case 'NetworkPolicy':
      return [`${namespace ?? ''}/knp.default.${name}`, `knp/${namespace ?? ''}/${name}`];
    case 'projectcalico.org/NetworkPolicy': {
      const bare = name.replace(/^default\./, '');
      return [
        `${namespace ?? ''}/default.${bare}`,
        `${namespace ?? ''}/${name}`,
        `np/${namespace ?? ''}/${name}`,
        `np/${namespace ?? ''}/${bare}`,
      ];
    }
    case 'projectcalico.org/GlobalNetworkPolicy': {
      const bare = name.replace(/^default\./, '');
      return [`default.${bare}`, name, `gnp/${name}`, `gnp/${bare}`];
    }
    case 'AdminNetworkPolicy':
      return [`kanp.adminnetworkpolicy.${name}`];
    case 'ClusterNetworkPolicy':
      return [`kcnp.kube-admin.${name}`, `kcnp.kube-baseline.${name}`, `kcnp/${name}`];
    default:
      return [];
  }
}

/** pkg/controllers/netpol of kube-router: one chain a pod for both directions; its policies only mark, the pod's chain rejects what has no mark. */
function recogniseKubeRouter({ chain, rule = '' }: DropPlace): PolicyDrop | undefined {
  if (!/^KUBE-(POD-FW|NWPLCY|ROUTER)-/.test(chain)) return undefined;
  const [, name, namespace] = /POD name:\s*(\S+) namespace:\s*([\w.-]+)/.exec(rule) ?? [];
  const pod = name === undefined || namespace === undefined ? {} : { pod: { namespace, name } };
  return { enforcer: 'kube-router', kind: chain.startsWith('KUBE-POD-FW-') ? 'default-deny' : 'rule', ...pod };
}

/** kindnet and kube-network-policies hand new connections to an agent in user space (nfqueue); no rule of theirs drops. */
function recogniseQueue({ table }: DropPlace): PolicyDrop | undefined {
  if (/(^|[ /])kindnet-network-policies$/.test(table)) return { enforcer: 'kindnet', kind: 'queue' };
  if (/(^|[ /])kube-network-policies$/.test(table)) return { enforcer: 'kube-network-policies', kind: 'queue' };
  return undefined;
}

function recogniseWeave({ chain }: DropPlace): PolicyDrop | undefined {
  if (!chain.startsWith('WEAVE-NPC')) return undefined;
  return { enforcer: 'weave', kind: 'default-deny', direction: chain.includes('EGRESS') ? 'egress' : 'ingress' };
}
