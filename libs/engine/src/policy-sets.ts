import { cidrContains, formatIp, type Evidence, type Ip } from '#libs/model';
import type { NetNamespace, Skb } from '#libs/netstack';
import { recogniseDrop, type DirectionVerdict, type PolicyIndex, type PolicyRef } from '#libs/policy';
import type { Finding } from '#libs/provider-kit';

type IpSet = NonNullable<NetNamespace['ipsets']> extends ReadonlyMap<string, infer S> ? S : never;

/**
 * A policy that allows the packet is programmed on the node, but the sets of addresses that its rules ask lack the packet's end:
 * Felix renders each selector as a set, and a rule of the policy's chain asks it (felix/rules/policy.go).
 */
export function staleSets(
  policies: PolicyIndex,
  ns: NetNamespace | undefined,
  skb: Skb,
  { reason, direction }: DirectionVerdict,
): Finding[] {
  if (ns === undefined || reason.kind !== 'rule') return [];
  const { ref } = reason.rule;
  const asks = rulesOf(ns, skb, ref, policies.refs).flatMap((evidence) => setsOf(evidence, direction, skb));
  const lacking = asks.filter(({ set, ip }) => isLacking(ns.ipsets?.get(set), ip));
  const [first] = lacking;
  // One of the sets has the address: then it is not for lack of it that the rules do not match.
  if (first === undefined || lacking.length < asks.length) return [];
  return [
    {
      code: 'IPSET_STALE',
      subject: ns.place,
      evidence: lacking.flatMap(({ set, ip, rule }): Evidence[] => [
        { kind: 'rule', at: ns.place, locator: `ipset/${set}`, text: `no member contains ${formatIp(ip)}` },
        rule,
      ]),
      details: { set: first.set },
      remedy: `Restart calico-node on node ${ns.place.name}: Felix fills its sets again.`,
    },
  ];
}

/** The rules of the chains of a policy, in every back end. */
function rulesOf(ns: NetNamespace, skb: Skb, ref: PolicyRef, known: readonly PolicyRef[]): Evidence[] {
  const found: Evidence[] = [];
  for (const ruleset of ns.iptables(skb.family))
    for (const [chain, { rules }] of ruleset?.tables.get('filter')?.chains ?? []) {
      if (!chain.startsWith('cali-p')) continue;
      const named = rules.map(({ text }) => recogniseDrop({ table: 'filter', chain, rule: text }, known)?.policy);
      if (!named.some((policy) => policy !== undefined && isSamePolicy(policy, ref))) continue;
      for (const { position, text } of rules)
        found.push({ kind: 'rule', at: ns.place, locator: `filter/${chain}/${position}`, text });
    }
  return found;
}

function isSamePolicy(a: PolicyRef, b: PolicyRef): boolean {
  return a.kind === b.kind && a.namespace === b.namespace && a.name === b.name;
}

interface SetQuestion {
  readonly set: string;
  readonly ip: Ip;
  readonly rule: Evidence;
}

function setsOf(rule: Evidence, direction: DirectionVerdict['direction'], skb: Skb): SetQuestion[] {
  const [, set, side] = /(?<!! )--match-set (\S+) (src|dst)(?![,\w])/.exec(rule.text) ?? [];
  if (set === undefined) return [];
  // Ingress rules select sources, egress rules destinations.
  const wanted = direction === 'ingress' ? 'src' : 'dst';
  return side === wanted ? [{ set, ip: side === 'src' ? skb.src : skb.dst, rule }] : [];
}

/** A set that is not there is another finding. */
function isLacking(set: IpSet | undefined, ip: Ip): boolean {
  if (set === undefined) return false;
  return !set.members.some(({ parts: [part] }) => part?.kind === 'net' && cidrContains(part.net, ip));
}
