import {
  cidrContains,
  formatIp,
  formatSocket,
  ipv4,
  ipv6,
  type Cidr,
  type Evidence,
  type Ip,
  type Step,
} from '#libs/model';
import type { Tri } from '../chooser.js';
import { showSkb, TCP, UDP } from '../skb.js';
import { translateDestination, translateSource } from './conntrack.js';
import type { RuleEnv } from './matches/match.js';
import { masqueradeAddress, redirectAddress } from './nat-address.js';
import { candidates, type Chain, type Rule, type Ruleset, type Selector, type Table } from './ruleset.js';
import type { NatRange, Target } from './targets.js';

/** A rule or policy that stops the packet. */
export interface FilterStop {
  readonly verdict: 'drop' | 'reject';
  /** icmp-port-unreachable, tcp-reset, ... as iptables-extensions(8) names them. */
  readonly rejectWith?: string;
  readonly evidence: Evidence;
  readonly cause: 'rule' | 'policy' | 'invalid' | 'unknown' | 'full';
}

/** Told of everything that happens; a stop does not end the traversal: it goes on as if the rule were not there. */
export interface HookObserver {
  /** false: nobody reads the steps, so none are made. */
  readonly records?: boolean;
  step(step: Step): void;
  stopped(stop: FilterStop): void;
}

type Verdict = 'accept' | 'continue';

/** What the nat table of a hook may still decide. */
export type Manip = 'destination' | 'source';

export interface TableRun {
  readonly env: RuleEnv;
  readonly ruleset: Ruleset;
  readonly observer: HookObserver;
  readonly manip?: Manip;
}

/** ipt_do_table(): one table at one hook. Gives true when a nat rule decided. */
export function runTable(run: TableRun, name: string): boolean {
  const table = run.ruleset.tables.get(name);
  const chain = table?.chains.get(run.env.hook);
  if (table === undefined || chain === undefined) return false;
  const state = { run, table, natDone: false, visits: 0, running: new Set([chain.name]) };
  const verdict = runChain(state, chain, 0);
  if (verdict === 'continue' && chain.policy === 'DROP')
    run.observer.stopped({
      verdict: 'drop',
      cause: 'policy',
      evidence: {
        kind: 'chain',
        at: run.env.ns.place,
        locator: `${name}/${chain.name}`,
        text: `:${chain.name} DROP`,
      },
    });
  return state.natDone;
}

/** Rules that one traversal may look at: far more than the largest real rule set makes one packet visit. */
const MAX_VISITS = 200_000;

interface TraverseState {
  visits: number;
  /** Chains that are being run: the kernel refuses rule sets in which one calls itself. */
  readonly running: Set<string>;
  readonly run: TableRun;
  readonly table: Table;
  natDone: boolean;
}

function runChain(state: TraverseState, chain: Chain, depth: number): Verdict {
  const { env } = state.run;
  const { skb } = env;
  const picked = candidates(chain, skb, env.iif, env.oif);
  const count = picked === undefined ? chain.rules.length : picked.length;
  for (let i = 0; i < count; i++) {
    const rule = chain.rules[picked === undefined ? i : (picked[i] ?? 0)];
    if (++state.visits > MAX_VISITS) return tooLong(state, chain);
    if (rule === undefined || rule.target.kind === 'none' || !applies(state, chain, rule)) continue;
    const verdict = act(state, chain, rule, depth);
    if (verdict === 'accept') return 'accept';
    if (verdict === 'return') return 'continue';
  }
  return 'continue';
}

function applies(state: TraverseState, chain: Chain, rule: Rule): boolean {
  const matched = ruleMatches(rule, state.run.env);
  if (matched !== undefined) return matched;
  const { ns, chooser } = state.run.env;
  return chooser.guess(`whether rule ${locate(state.table, chain, rule)} of ${ns.id} matches: ${rule.text}`);
}

/** Three-valued match of one rule, selectors first: they are cheap. */
export function ruleMatches(rule: Rule, env: RuleEnv): Tri {
  const { skb } = env;
  if (rule.src !== undefined && cidrContains(rule.src.value, skb.src) === rule.src.invert) return false;
  if (rule.dst !== undefined && cidrContains(rule.dst.value, skb.dst) === rule.dst.invert) return false;
  if (rule.protocol !== undefined && (rule.protocol.value === skb.protocol) === rule.protocol.invert) return false;
  if (rule.iif !== undefined && sameInterface(rule.iif, env.iif) === rule.iif.invert) return false;
  if (rule.oif !== undefined && sameInterface(rule.oif, env.oif) === rule.oif.invert) return false;
  if (rule.fragment !== undefined && !rule.fragment.invert) return false;
  let result: Tri = true;
  for (const match of rule.matches) {
    const one = match(env);
    if (one === false) return false;
    if (one === undefined) result = undefined;
  }
  return result;
}

/** A trailing `+` stands for anything; an interface that is not there (in OUTPUT, say) matches only `+`. */
function sameInterface(selector: Selector<string>, name: string): boolean {
  const pattern = selector.value;
  return pattern.endsWith('+') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

function act(state: TraverseState, chain: Chain, rule: Rule, depth: number): Verdict | 'return' {
  const { env, observer } = state.run;
  const { skb } = env;
  const target = rule.target;
  switch (target.kind) {
    case 'none':
      return 'continue';
    case 'accept':
      note(state, chain, rule, 'filter', 'accepted');
      return 'accept';
    case 'return':
      return 'return';
    case 'drop':
    case 'reject': {
      const cause =
        target.kind === 'drop' && rule.text.includes('INVALID') && skb.ct === undefined && !skb.untracked
          ? 'invalid'
          : 'rule';
      const evidence = ruleEvidence(state, chain, rule);
      const rejectWith = target.kind === 'reject' ? target.with : undefined;
      observer.step({
        kind: 'filter',
        text: target.kind === 'drop' ? 'dropped' : `rejected with ${target.with}`,
        evidence,
      });
      observer.stopped({ verdict: target.kind, rejectWith, evidence, cause });
      return 'continue';
    }
    case 'jump':
      return jump(state, chain, rule, target, depth);
    case 'mark': {
      const before = skb.mark;
      skb.mark = ((skb.mark & ~target.mask) ^ target.value) >>> 0;
      if (skb.mark !== before) note(state, chain, rule, 'filter', `mark set to 0x${skb.mark.toString(16)}`);
      return 'continue';
    }
    case 'connmark':
      connmark(state, target);
      return 'continue';
    case 'ttl':
      skb.ttl = Math.min(
        255,
        Math.max(
          0,
          target.action === 'set' ? target.value : skb.ttl + (target.action === 'inc' ? target.value : -target.value),
        ),
      );
      return 'continue';
    case 'notrack':
      if (skb.ct === undefined) skb.untracked = true;
      note(state, chain, rule, 'filter', 'not tracked');
      return 'continue';
    case 'tproxy':
      env.chooser.guess(
        `where rule ${locate(state.table, chain, rule)} of ${env.ns.id} sends the packet (TPROXY): ${rule.text}`,
      );
      return 'accept';
    case 'unknown':
      if (
        !env.chooser.guess(
          `whether target ${target.name} of rule ${locate(state.table, chain, rule)} of ${env.ns.id} lets the packet pass`,
        )
      )
        observer.stopped({ verdict: 'drop', evidence: ruleEvidence(state, chain, rule), cause: 'rule' });
      return 'continue';
    default:
      return translate(state, chain, rule, target);
  }
}

function jump(
  state: TraverseState,
  chain: Chain,
  rule: Rule,
  target: Extract<Target, { kind: 'jump' }>,
  depth: number,
): Verdict | 'return' {
  const next = state.table.chains.get(target.chain);
  if (next === undefined) return act(state, chain, { ...rule, target: { kind: 'unknown', name: target.chain } }, depth);
  // The kernel refuses rule sets with loops; a dump from elsewhere may have one.
  if (depth > 512 || state.running.has(next.name)) return tooLong(state, chain);
  state.running.add(next.name);
  const verdict = runChain(state, next, depth + 1);
  state.running.delete(next.name);
  if (verdict === 'accept') return 'accept';
  // After a goto the end of the other chain returns to the caller of this one.
  return target.goto ? 'return' : 'continue';
}

/** Nothing that a kernel would have loaded: what it does to the packet cannot be told. */
function tooLong(state: TraverseState, chain: Chain): Verdict {
  const { env, observer } = state.run;
  const text = `what chain ${chain.name} of table ${state.table.name} of ${env.ns.id} does (its jumps do not end)`;
  observer.stopped({
    verdict: 'drop',
    cause: 'unknown',
    evidence: { kind: 'chain', at: env.ns.place, locator: `${state.table.name}/${chain.name}`, text },
  });
  return 'accept';
}

function connmark(state: TraverseState, target: Extract<Target, { kind: 'connmark' }>): void {
  const { skb } = state.run.env;
  const conn = skb.ct?.conn;
  if (conn === undefined) return;
  if (target.action === 'save') conn.mark = ((conn.mark & ~target.mask) ^ (skb.mark & target.nfmask)) >>> 0;
  else if (target.action === 'restore') skb.mark = ((skb.mark & ~target.nfmask) ^ (conn.mark & target.mask)) >>> 0;
  else conn.mark = ((conn.mark & ~target.mask) ^ target.value) >>> 0;
}

type NatTarget = Extract<Target, { kind: 'dnat' | 'snat' | 'masquerade' | 'redirect' | 'netmap' }>;

function translate(state: TraverseState, chain: Chain, rule: Rule, target: NatTarget): Verdict {
  const { env, manip } = state.run;
  const { skb } = env;
  if (manip === undefined || skb.ct === undefined) return 'accept';
  const before = showSkb(skb);
  const text = manip === 'destination' ? destinationNat(state, rule, target) : sourceNat(state, rule, target);
  if (text === undefined) return noAddress(state, chain, rule, target);
  state.natDone = true;
  state.run.observer.step({
    kind: 'translate',
    text,
    evidence: ruleEvidence(state, chain, rule),
    before,
    after: showSkb(skb),
  });
  return 'accept';
}

/** nf_nat_redirect.c and nf_nat_masquerade.c: a device without an address to give drops the packet. */
function noAddress(state: TraverseState, chain: Chain, rule: Rule, { kind }: NatTarget): Verdict {
  const { env, observer } = state.run;
  const evidence = ruleEvidence(state, chain, rule);
  const dev = kind === 'redirect' ? env.iif : env.oif;
  observer.step({ kind: 'filter', text: `dropped: ${dev} has no address to translate to`, evidence });
  observer.stopped({ verdict: 'drop', evidence, cause: 'rule' });
  return 'accept';
}

/** undefined: there is no address to translate to. */
function destinationNat(state: TraverseState, rule: Rule, target: NatTarget): string | undefined {
  const { env } = state.run;
  const { skb } = env;
  if (target.kind === 'redirect') {
    const local = redirectAddress(env);
    if (local === undefined) return undefined;
    translateDestination(skb, local, hasPorts(env) ? target.ports?.from : undefined);
    return `REDIRECT to ${formatSocket(skb.dst, skb.dport)}`;
  }
  if (target.kind === 'netmap') {
    translateDestination(skb, mapNet(skb.dst, target.to), undefined);
    return `NETMAP to ${formatIp(skb.dst)}`;
  }
  if (target.kind !== 'dnat') return 'not translated';
  const range = pickRange(state, rule, target.to);
  translateDestination(skb, range.ip ?? skb.dst, hasPorts(env) ? range.port : undefined);
  return `DNAT to ${formatSocket(skb.dst, skb.dport)}`;
}

/** undefined: there is no address to translate to. */
function sourceNat(state: TraverseState, rule: Rule, target: NatTarget): string | undefined {
  const { env } = state.run;
  const { skb } = env;
  if (target.kind === 'masquerade') {
    const address = masqueradeAddress(env);
    if (address === undefined) return undefined;
    translateSource(skb, address, hasPorts(env) ? target.ports?.from : undefined);
    if (target.randomPort) skb.sportUnknown = true;
    return `MASQUERADE as ${formatIp(skb.src)}`;
  }
  if (target.kind === 'netmap') {
    translateSource(skb, mapNet(skb.src, target.to), undefined);
    return `NETMAP to ${formatIp(skb.src)}`;
  }
  if (target.kind !== 'snat') return 'not translated';
  const range = pickRange(state, rule, target.to);
  translateSource(skb, range.ip ?? skb.src, hasPorts(env) ? range.port : undefined);
  if (target.randomPort) skb.sportUnknown = true;
  return `SNAT to ${formatIp(skb.src)}`;
}

/** One of the addresses of a range: the kernel hashes, so each is a branch. */
function pickRange(state: TraverseState, rule: Rule, ranges: readonly NatRange[]): { ip?: Ip; port?: number } {
  const [range] = ranges;
  if (range === undefined) return {};
  const { from, to } = range;
  const { chooser, ns, hook } = state.run.env;
  if (typeof from === 'number' && typeof to === 'number' && to > from && to - from < 64) {
    const at = chooser.pick(`nat range ${ns.id} ${hook} ${rule.text}`, Array<number>(to - from + 1).fill(1));
    return { ip: offset(from, at), port: range.ports?.from };
  }
  return { ip: from, port: range.ports?.from };
}

function offset(ip: Ip, by: number): Ip {
  return typeof ip === 'number' ? ipv4(ip + by) : ipv6(ip + BigInt(by));
}

/** The host part of the address in another network. */
function mapNet(ip: Ip, net: Cidr): Ip {
  if (typeof ip === 'number' && typeof net.net === 'number')
    return ipv4(net.net | (net.length === 32 ? 0 : ip & (0xffffffff >>> net.length)));
  if (typeof ip === 'bigint' && typeof net.net === 'bigint')
    return ipv6(net.net | (ip & ((1n << BigInt(128 - net.length)) - 1n)));
  return ip;
}

function hasPorts(env: RuleEnv): boolean {
  return env.skb.protocol === TCP || env.skb.protocol === UDP;
}

function locate(table: Table, chain: Chain, rule: Rule): string {
  return `${table.name}/${chain.name}/${rule.position}`;
}

function ruleEvidence(state: TraverseState, chain: Chain, rule: Rule): Evidence {
  return { kind: 'rule', at: state.run.env.ns.place, locator: locate(state.table, chain, rule), text: rule.text };
}

function note(state: TraverseState, chain: Chain, rule: Rule, kind: 'filter', text: string): void {
  state.run.observer.step({ kind, text: `${state.run.env.hook}: ${text}`, evidence: ruleEvidence(state, chain, rule) });
}
