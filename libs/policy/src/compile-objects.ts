import type { ClusterIndex } from '#libs/cluster';
import type { KubernetesObject } from '#libs/model';
import { z } from 'zod';
import { compileAdminPolicy } from './admin/compile-admin-policy.js';
import { AdminPolicy, isAdminPolicy } from './admin/shapes.js';
import { BUILT_IN_TIERS, compileCalicoPolicy, DEFAULT_TIER, tierName } from './calico/compile-policy.js';
import { CalicoEndpoints } from './calico/endpoints.js';
import { SelectorError } from './calico/tokenize-selector.js';
import { CalicoPolicy, CalicoTier, isCalico } from './calico/shapes.js';
import { compileNetworkPolicy } from './kubernetes/compile-network-policy.js';
import { isNetworkPolicy, NetworkPolicy } from './kubernetes/network-policy.js';
import type { PolicyProblem } from './problem.js';
import type { PolicyRef } from './policy-ref.js';
import type { Roster } from './roster.js';
import type { Policy, Tier } from './rules.js';

export interface CompiledObjects {
  readonly policies: readonly Policy[];
  readonly tiers: ReadonlyMap<string, Tier>;
  readonly problems: readonly PolicyProblem[];
  /** Undefined when nothing of Calico's is in the snapshot. */
  readonly endpoints?: CalicoEndpoints;
}

const KINDS = [
  'NetworkPolicy',
  'AdminNetworkPolicy',
  'BaselineAdminNetworkPolicy',
  'ClusterNetworkPolicy',
  'GlobalNetworkPolicy',
  'CiliumNetworkPolicy',
  'CiliumClusterwideNetworkPolicy',
  'MultiNetworkPolicy',
] as const;

/** Compiles every policy object of a snapshot. What cannot be read or is of a language not known here becomes a problem, by name. */
export function compileObjects(cluster: ClusterIndex, roster: Roster, ipBlockMatchesCluster: boolean): CompiledObjects {
  const objects = KINDS.flatMap((kind) => cluster.all(kind));
  const problems: PolicyProblem[] = [];
  const usesCalico = objects.some(isCalico) || cluster.all('HostEndpoint').some(isCalico);
  const endpoints = usesCalico ? new CalicoEndpoints(cluster, roster) : undefined;
  if (endpoints !== undefined) problems.push(...endpoints.problems);
  const tiers = readTiers(cluster, problems);
  const policies = withoutCopies(objects).flatMap((object): Policy[] => {
    try {
      return compile(object, cluster, roster, ipBlockMatchesCluster, endpoints);
    } catch (error) {
      const message = reason(error);
      if (message === undefined) throw error;
      problems.push({ code: 'POLICY_MALFORMED', policy: refOf(object), namespace: refOf(object).namespace, message });
      return [];
    }
  });
  for (const object of objects)
    if (!isNetworkPolicy(object) && !isAdminPolicy(object) && !isCalico(object)) problems.push(unsupported(object));
  for (const { tier, ref } of policies)
    if (!tiers.has(tier)) {
      problems.push({ code: 'TIER_MISSING', policy: ref, message: `there is no tier ${tier}` });
      // felix/calc/policy_sorter.go TierLess: tiers without an object come last.
      tiers.set(tier, { name: tier, order: Number.POSITIVE_INFINITY, otherwise: 'deny', tiesUndefined: false });
    }
  return { policies, tiers, problems, endpoints };
}

function compile(
  object: KubernetesObject,
  cluster: ClusterIndex,
  roster: Roster,
  ipBlockMatchesCluster: boolean,
  endpoints: CalicoEndpoints | undefined,
): Policy[] {
  const shown = (policy: Policy): Policy[] => [{ ...policy, spec: object.spec }];
  if (isNetworkPolicy(object))
    return shown(
      compileNetworkPolicy(NetworkPolicy.parse(object), { roster, tier: DEFAULT_TIER, ipBlockMatchesCluster }),
    );
  if (isAdminPolicy(object)) return shown(compileAdminPolicy(AdminPolicy.parse(object), cluster, roster));
  if (isCalico(object) && endpoints !== undefined)
    return shown(compileCalicoPolicy(CalicoPolicy.parse(object), { cluster, roster, endpoints }));
  return [];
}

function readTiers(cluster: ClusterIndex, problems: PolicyProblem[]): Map<string, Tier> {
  const tiers = new Map(BUILT_IN_TIERS.map((tier) => [tier.name, tier]));
  for (const object of cluster.all('Tier').filter(isCalico)) {
    const parsed = CalicoTier.safeParse(object);
    if (!parsed.success) {
      problems.push({ code: 'POLICY_MALFORMED', policy: refOf(object), message: z.prettifyError(parsed.error) });
      continue;
    }
    const { metadata, spec } = parsed.data;
    const name = tierName(metadata.name);
    const builtIn = tiers.get(name);
    tiers.set(name, {
      name,
      order: spec?.order ?? builtIn?.order ?? Number.POSITIVE_INFINITY,
      otherwise:
        spec?.defaultAction === 'Pass'
          ? 'pass'
          : spec?.defaultAction === 'Deny'
            ? 'deny'
            : (builtIn?.otherwise ?? 'deny'),
      tiesUndefined: builtIn?.tiesUndefined ?? false,
    });
  }
  return tiers;
}

/** Calico's objects may have been collected twice, from its API server and as the CRDs behind it; the latter carry the tier in the name. */
function withoutCopies(objects: readonly KubernetesObject[]): readonly KubernetesObject[] {
  const served = new Set(objects.filter(({ apiVersion }) => apiVersion.startsWith('projectcalico.org/')).map(bareName));
  return objects.filter(
    (object) => !object.apiVersion.startsWith('crd.projectcalico.org/') || !served.has(bareName(object)),
  );
}

function bareName({ kind, metadata }: KubernetesObject): string {
  return `${kind}/${metadata.namespace ?? ''}/${metadata.name.replace(/^default\./, '')}`;
}

function unsupported(object: KubernetesObject): PolicyProblem {
  const policy = refOf(object);
  return {
    code: 'POLICY_KIND_UNSUPPORTED',
    policy,
    namespace: policy.namespace,
    message: `policies of ${object.apiVersion} are not evaluated`,
  };
}

function refOf({ kind, apiVersion, metadata }: KubernetesObject): PolicyRef {
  const group = apiVersion.slice(0, apiVersion.indexOf('/'));
  const plain = group === 'networking.k8s.io' || group === 'policy.networking.k8s.io' || group.includes('cilium');
  return { kind: plain ? kind : `${group}/${kind}`, namespace: metadata.namespace, name: metadata.name };
}

/** Undefined when it is not the object's fault. */
function reason(error: unknown): string | undefined {
  if (error instanceof z.ZodError) return z.prettifyError(error);
  return error instanceof SelectorError || error instanceof RangeError ? error.message : undefined;
}
