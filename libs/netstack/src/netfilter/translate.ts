import { formatIp, formatSocket, ipv4, ipv6, type Cidr, type Ip } from '#libs/model';
import { TCP, UDP, type Skb } from '../skb.js';
import { translateDestination, translateSource } from './conntrack.js';
import type { RuleEnv } from './matches/match.js';
import { masqueradeAddress, redirectAddress } from './nat-address.js';
import type { Rule } from './rule.js';
import type { NatRange, Target } from './targets.js';

/** What the nat table of a hook may still decide. */
export type Manip = 'destination' | 'source';

export type NatTarget = Extract<Target, { kind: 'dnat' | 'snat' | 'masquerade' | 'redirect' | 'netmap' }>;

/** nf_nat_setup_info(): rewrites the packet as the target says. false: there is no address to translate to. */
export function translate(env: RuleEnv, manip: Manip, rule: Rule, target: NatTarget): boolean {
  return manip === 'destination' ? translateTo(env, rule, target) : translateFrom(env, rule, target);
}

function translateTo(env: RuleEnv, rule: Rule, target: NatTarget): boolean {
  const { skb } = env;
  if (target.kind === 'redirect') {
    const local = redirectAddress(env);
    if (local === undefined) return false;
    translateDestination(skb, local, hasPorts(skb) ? target.ports?.from : undefined);
  } else if (target.kind === 'netmap') translateDestination(skb, mapNet(skb.dst, target.to), undefined);
  else if (target.kind === 'dnat')
    translateDestination(skb, pickAddress(env, rule, target.to) ?? skb.dst, hasPorts(skb) ? target.to.port : undefined);
  return true;
}

function translateFrom(env: RuleEnv, rule: Rule, target: NatTarget): boolean {
  const { skb } = env;
  if (target.kind === 'masquerade') {
    const address = masqueradeAddress(env);
    if (address === undefined) return false;
    translateSource(skb, address, hasPorts(skb) ? target.ports?.from : undefined);
    if (target.randomPort) skb.sportUnknown = true;
  } else if (target.kind === 'netmap') translateSource(skb, mapNet(skb.src, target.to), undefined);
  else if (target.kind === 'snat') {
    translateSource(skb, pickAddress(env, rule, target.to) ?? skb.src, hasPorts(skb) ? target.to.port : undefined);
    if (target.randomPort) skb.sportUnknown = true;
  }
  return true;
}

/** What was done, for people; `skb` is the packet afterwards. */
export function describeTranslation(manip: Manip, { kind }: NatTarget, skb: Skb): string {
  const word = WORDS[kind];
  if (manip === 'source')
    return kind === 'redirect' || kind === 'dnat' ? 'not translated' : `${word} ${formatIp(skb.src)}`;
  if (kind === 'netmap') return `${word} ${formatIp(skb.dst)}`;
  return kind === 'redirect' || kind === 'dnat' ? `${word} ${formatSocket(skb.dst, skb.dport)}` : 'not translated';
}

const WORDS = {
  dnat: 'DNAT to',
  snat: 'SNAT to',
  masquerade: 'MASQUERADE as',
  redirect: 'REDIRECT to',
  netmap: 'NETMAP to',
} as const;

/** One of the addresses of a range: the kernel hashes, so each is a branch. */
function pickAddress({ chooser, ns, hook }: RuleEnv, rule: Rule, { from, to }: NatRange): Ip | undefined {
  if (typeof from !== 'number' || typeof to !== 'number' || to <= from || to - from >= 64) return from;
  const at = chooser.pick(`nat range ${ns.id} ${hook} ${rule.text}`, Array<number>(to - from + 1).fill(1));
  return ipv4(from + at);
}

/** The host part of the address in another network. */
function mapNet(ip: Ip, net: Cidr): Ip {
  if (typeof ip === 'number' && typeof net.net === 'number')
    return ipv4(net.net | (net.length === 32 ? 0 : ip & (0xffffffff >>> net.length)));
  if (typeof ip === 'bigint' && typeof net.net === 'bigint')
    return ipv6(net.net | (ip & ((1n << BigInt(128 - net.length)) - 1n)));
  return ip;
}

function hasPorts({ protocol }: Skb): boolean {
  return protocol === TCP || protocol === UDP;
}
