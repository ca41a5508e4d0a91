import type { Cidr, Evidence, Ip, Place } from '#libs/model';

/**
 * A rule of kube-proxy as data: what it asks and what it does. iptables rules, nftables rules and map elements are read into
 * this one shape, so that one evaluation serves both modes.
 */
export interface ProxyRule {
  /** `nat/KUBE-SVC-XRY76EGRC3BSCIIJ/2`, `ip kube-proxy/services/52`, `ip kube-proxy/@service-ips`. */
  readonly locator: string;
  readonly text: string;
  readonly tests: readonly Test[];
  readonly actions: readonly Action[];
}

export type Test =
  | { readonly kind: 'source' | 'destination'; readonly nets: readonly Cidr[]; readonly invert: boolean }
  | { readonly kind: 'source-local' | 'destination-local'; readonly invert: boolean }
  | { readonly kind: 'protocol' | 'dport'; readonly value: number; readonly invert: boolean }
  | { readonly kind: 'iif'; readonly name: string; readonly invert: boolean }
  | { readonly kind: 'mark'; readonly value: number; readonly mask: number; readonly invert: boolean }
  /** Matches with this probability. */
  | { readonly kind: 'chance'; readonly probability: number }
  /** The client was seen lately: session affinity. */
  | { readonly kind: 'remembered'; readonly name: string; readonly seconds?: number }
  /** Notes the client; always matches. */
  | { readonly kind: 'remember'; readonly name: string }
  | { readonly kind: 'unknown'; readonly text: string };

export type Action =
  | { readonly kind: 'call'; readonly chain: string; readonly goto: boolean }
  | { readonly kind: 'dnat'; readonly ip: Ip; readonly port: number }
  | { readonly kind: 'set-mark'; readonly value: number; readonly mask: number }
  | { readonly kind: 'accept' | 'drop' | 'reject' | 'return' | 'masquerade' }
  /** One of `mod` equally likely numbers, each with its own action; a number without one goes on. */
  | { readonly kind: 'spread'; readonly mod: number; readonly to: ReadonlyMap<number, Action> }
  | { readonly kind: 'lookup'; readonly map: string; readonly key: readonly ('ip' | 'protocol' | 'dport')[] }
  | { readonly kind: 'remember'; readonly name: string }
  | { readonly kind: 'unknown'; readonly text: string };

/** Where rules come from: the chains of one table. */
export interface RuleSource {
  /** The rules of a chain that a packet may match, in order; undefined when the chain is not there. */
  rules(chain: string, packet: ProxyPacket): readonly ProxyRule[] | undefined;
  /** An element of a verdict map. */
  element(map: string, key: string): ProxyRule | undefined;
}

/** A packet, or rather a kind of packet: who sends it, and to what. */
export interface ProxyPacket {
  readonly src: Ip;
  readonly srcIsLocal: boolean;
  /** Came in by an interface of a pod, where the rules tell pods by interface. */
  readonly fromPod: boolean;
  readonly dst: Ip;
  readonly dstIsLocal: boolean;
  readonly protocol: number;
  readonly dport: number;
}

export function ruleEvidence(rule: Pick<ProxyRule, 'locator' | 'text'>, at: Place): Evidence {
  return { kind: 'rule', at, locator: rule.locator, text: rule.text };
}
