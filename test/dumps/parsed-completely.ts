import { SYN, TCP, type NetNamespace, type Skb, type Chooser } from '#libs/netstack';
import { parseIp, type NamespaceDump } from '#libs/model';
import { ruleMatches } from '../../libs/netstack/src/netfilter/rule.js';
import type { RuleEnv } from '../../libs/netstack/src/netfilter/matches/match.js';

/** Rules and chains of a dump: what the text holds and what came out of the parser. */
export interface Completeness {
  readonly rules: number;
  readonly chains: number;
  readonly problems: readonly string[];
}

/** Counts the lines by a plain look at the text, and asks each compiled rule: nothing lost, nothing that cannot be told. */
export function checkCompleteness(dump: NamespaceDump, ns: NetNamespace): Completeness {
  const problems = ns
    .missingFiles()
    .filter(({ reason }) => reason.startsWith('cannot be read'))
    .map(({ file, reason }) => `${file} ${reason}`);
  const iptables = (['nft', 'legacy'] as const).map((backend, at) =>
    checkIptables(dump.files.get(`iptables-${backend}-save.txt`), ns, at, problems),
  );
  const native = checkNative(dump.files.get('nft.json'), ns, problems);
  const all = [...iptables, native];
  return {
    rules: all.reduce((sum, { rules }) => sum + rules, 0),
    chains: all.reduce((sum, { chains }) => sum + chains, 0),
    problems,
  };
}

interface Count {
  rules: number;
  chains: number;
}

function checkIptables(text: string | undefined, ns: NetNamespace, at: number, problems: string[]): Count {
  const written = { rules: count(text, /^(\[\d+:\d+\] )?-A /gm), chains: count(text, /^:/gm) };
  const read = { rules: 0, chains: 0 };
  const ruleset = ns.iptables(4)[at];
  for (const table of ruleset?.tables.values() ?? [])
    for (const chain of table.chains.values()) {
      read.chains++;
      for (const rule of chain.rules) {
        read.rules++;
        const { target } = rule;
        const here = `${table.name}/${chain.name}/${rule.position}: ${rule.text}`;
        if (target.kind === 'unknown') problems.push(`unknown target: ${here}`);
        if (target.kind === 'jump' && !table.chains.has(target.chain)) problems.push(`jump to nowhere: ${here}`);
        if (PACKETS.some((packet) => ruleMatches(rule, envOf(ns, packet)) === undefined))
          problems.push(`cannot be told: ${here}`);
      }
    }
  compare(`iptables ${at === 0 ? 'nft' : 'legacy'}`, written, read, problems);
  return read;
}

function checkNative(text: string | undefined, ns: NetNamespace, problems: string[]): Count {
  const read = { rules: 0, chains: 0 };
  for (const program of ns.native ?? [])
    for (const chain of program.chains.values()) {
      read.chains++;
      for (const rule of chain.rules) {
        read.rules++;
        const here = `${program.name}/${chain.name}/${rule.handle}: ${rule.text}`;
        for (const statement of rule.statements) {
          if (statement.kind === 'unknown') problems.push(`unknown statement ${statement.name}: ${here}`);
          if (statement.kind === 'match' && PACKETS.some((packet) => statement.test(envOf(ns, packet)) === undefined))
            problems.push(`cannot be told: ${here}`);
          if (statement.kind === 'vmap' && PACKETS.some((packet) => statement.key(envOf(ns, packet)) === undefined))
            problems.push(`key cannot be told: ${here}`);
        }
      }
    }
  // Tables of iptables-nft are in the text too, and come from the save files; they are told apart by their name.
  const native = nativeOnly(text);
  compare('native nft', native, read, problems);
  return read;
}

const IPTABLES = new Set(['raw', 'mangle', 'nat', 'filter', 'security']);

function nativeOnly(text: string | undefined): Count {
  const found = { rules: 0, chains: 0 };
  const document: unknown = text === undefined || text === '' ? {} : JSON.parse(text);
  for (const item of itemsOf(document)) {
    if ('rule' in item && isNative(item.rule)) found.rules++;
    if ('chain' in item && isNative(item.chain)) found.chains++;
  }
  return found;
}

function itemsOf(document: unknown): object[] {
  if (typeof document !== 'object' || document === null || !('nftables' in document)) return [];
  const items: unknown = document.nftables;
  return Array.isArray(items) ? items.filter((item: unknown) => typeof item === 'object' && item !== null) : [];
}

function isNative(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'table' in body && !IPTABLES.has(String(body.table));
}

function compare(what: string, written: Count, read: Count, problems: string[]): void {
  if (written.rules !== read.rules) problems.push(`${what}: ${written.rules} rules written, ${read.rules} read`);
  if (written.chains !== read.chains) problems.push(`${what}: ${written.chains} chains written, ${read.chains} read`);
}

function count(text: string | undefined, pattern: RegExp): number {
  return text?.match(pattern)?.length ?? 0;
}

/** A packet that meets no rule's address shows little; these come from and go to what kube-proxy's rules name. */
const PACKETS: readonly Skb[] = [
  packet('10.244.0.200', '172.21.0.1', 443, TCP),
  packet('10.99.0.11', '10.99.0.11', 30080, TCP),
  packet('203.0.113.200', '203.0.113.11', 80, TCP),
  packet('10.244.0.2', '10.244.0.2', 8080, TCP),
];

function packet(from: string, to: string, dport: number, protocol: number): Skb {
  const src = parseIp(from);
  const dst = parseIp(to);
  if (src === undefined || dst === undefined) throw new Error(`"${from}" or "${to}" is no address`);
  return { family: 4, src, dst, protocol, sport: 45678, dport, tcpFlags: SYN, ttl: 64, mark: 0x4000, length: 60 };
}

const firstOutcome: Chooser = { pick: () => 0, guess: () => false };

function envOf(ns: NetNamespace, skb: Skb): RuleEnv {
  return { ns, hook: 'PREROUTING', skb, iif: 'cni0', oif: 'eth0', chooser: firstOutcome };
}
