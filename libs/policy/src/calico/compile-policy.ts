import type { Policy, Rule, Tier } from '../rules.js';
import { within, type Selection } from '../roster.js';
import { matchSelector, NAMESPACE_LABEL, prefixSelector } from './match-selector.js';
import { YES } from '../match.js';
import { ADMIN_TIER, BASELINE_TIER } from '../admin/compile-admin-policy.js';
import { compileRules, type CalicoWorld } from './compile-rules.js';
import { ACCOUNT_LABEL, ACCOUNT_PREFIX, NAMESPACE_PREFIX } from './endpoints.js';
import { parseSelector, type Selector } from './parse-selector.js';
import type { CalicoPolicy } from './shapes.js';

export const DEFAULT_TIER = 'default';

/** The tiers that are there without an object (libcalico-go/lib/apis/v3: default, and those that hold the network policy API). */
export const BUILT_IN_TIERS: readonly Tier[] = [
  { name: ADMIN_TIER, order: 1000, otherwise: 'pass', tiesUndefined: true },
  { name: DEFAULT_TIER, order: 1_000_000, otherwise: 'deny', tiesUndefined: false },
  { name: BASELINE_TIER, order: 10_000_000, otherwise: 'pass', tiesUndefined: true },
];

/** Calico's names for the tiers of the network policy API. */
const SAME_TIER: ReadonlyMap<string, string> = new Map([
  ['adminnetworkpolicy', ADMIN_TIER],
  ['kube-admin', ADMIN_TIER],
  ['baselineadminnetworkpolicy', BASELINE_TIER],
  ['kube-baseline', BASELINE_TIER],
]);

export function tierName(name: string | null | undefined): string {
  const given = name ?? DEFAULT_TIER;
  return SAME_TIER.get(given) ?? given;
}

/** Compiles one Calico policy. Throws SelectorError and RangeError on what only looks right. */
export function compileCalicoPolicy({ kind, metadata, spec }: CalicoPolicy, world: CalicoWorld): Policy {
  const namespace = kind === 'NetworkPolicy' ? (metadata.namespace ?? 'default') : undefined;
  const selector = subjectSelector(spec);
  const types = spec.types ?? [];
  const rules: { ingress?: readonly Rule[]; egress?: readonly Rule[] } = {};
  // felix/calc/policy_sorter.go: a stored policy without types governs both directions.
  if (types.length === 0 || types.includes('Ingress'))
    rules.ingress = compileRules('spec.ingress', spec.ingress ?? [], namespace, world);
  if (types.length === 0 || types.includes('Egress'))
    rules.egress = compileRules('spec.egress', spec.egress ?? [], namespace, world);
  const stage = spec.doNotTrack === true ? 'untracked' : spec.preDNAT === true ? 'pre-dnat' : 'normal';
  return {
    ref: { kind: `projectcalico.org/${kind}`, namespace, name: metadata.name },
    family: 'calico',
    tier: tierName(spec.tier),
    order: spec.order ?? Number.POSITIVE_INFINITY,
    subject:
      stage === 'normal' ? subjectPods(selector, namespace, world) : { sure: world.roster.all.minus(world.roster.all) },
    rules,
    hosts: new Set(
      namespace === undefined
        ? world.endpoints.hosts.filter(({ labels }) => matchSelector(selector, labels) === YES).map(({ name }) => name)
        : [],
    ),
    stage,
    onForward: spec.applyOnForward === true,
    spec,
  };
}

function subjectSelector({ selector, namespaceSelector, serviceAccountSelector }: CalicoPolicy['spec']): Selector {
  const parts = [parseSelector(selector ?? '')];
  if (typeof namespaceSelector === 'string' && namespaceSelector !== '')
    parts.push(prefixSelector(parseSelector(namespaceSelector), NAMESPACE_PREFIX, NAMESPACE_LABEL));
  if (typeof serviceAccountSelector === 'string' && serviceAccountSelector !== '')
    parts.push(prefixSelector(parseSelector(serviceAccountSelector), ACCOUNT_PREFIX, ACCOUNT_LABEL));
  return { kind: 'and', parts };
}

function subjectPods(selector: Selector, namespace: string | undefined, { roster, endpoints }: CalicoWorld): Selection {
  const pods = endpoints.pods(selector);
  return namespace === undefined ? pods : within(pods, roster.inNamespace(namespace));
}
