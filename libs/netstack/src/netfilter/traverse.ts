import type { Evidence, Step } from '#libs/model';
import { showSkb } from '../skb.js';
import { candidates } from './chain-index.js';
import { addressKey, stateOf, type Header } from './header.js';
import type { RuleEnv } from './matches/match.js';
import { decides, ruleMatches, type Rule } from './rule.js';
import type { Chain, Table } from './ruleset.js';
import type { Target } from './targets.js';
import { describeTranslation, translate, type Manip, type NatTarget } from './translate.js';

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

/** What a packet is asked at a hook, and who is told. */
export interface RulesRun extends RuleEnv {
  readonly observer: HookObserver;
}

/** ipt_do_table(): one table from its chain for the hook. Gives true when a nat rule decided; `manip` is what it may decide. */
export function runTable(run: RulesRun, table: Table, chain: Chain, manip?: Manip): boolean {
  const walk = new TableWalk(run, table, manip);
  const verdict = runChain(walk, chain, 0);
  if (verdict === 'continue' && chain.policy === 'DROP')
    run.observer.stopped({
      verdict: 'drop',
      cause: 'policy',
      evidence: {
        kind: 'chain',
        at: run.ns.place,
        locator: `${table.name}/${chain.name}`,
        text: `:${chain.name} DROP`,
      },
    });
  return walk.natDone;
}

/** Rules that one traversal may look at: far more than the largest real rule set makes one packet visit. */
const MAX_VISITS = 200_000;
/** More levels than a rule set has that a kernel would load: it refuses chains that call themselves. */
const MAX_DEPTH = 512;

/** One packet in one table. */
class TableWalk implements Header {
  readonly src: number | bigint;
  readonly dst: number | bigint;
  readonly protocol: number;
  readonly dport: number;
  readonly iif: string;
  readonly oif: string;
  readonly records: boolean;
  /** A rule of this table may take the packet out of tracking. */
  state: number;
  visits = 0;
  natDone = false;

  constructor(
    readonly env: RulesRun,
    readonly table: Table,
    readonly manip: Manip | undefined,
  ) {
    const { skb } = env;
    this.src = addressKey(skb.src);
    this.dst = addressKey(skb.dst);
    this.protocol = skb.protocol;
    this.dport = skb.dport;
    this.iif = env.iif;
    this.oif = env.oif;
    this.state = stateOf(skb);
    this.records = env.observer.records !== false;
  }
}

type Outcome = Verdict | 'return';

function runChain(walk: TableWalk, chain: Chain, depth: number): Verdict {
  const { index } = chain;
  if (index !== undefined) return runIndexed(walk, chain, candidates(index, walk), depth);
  for (let rule = chain.first; rule !== undefined; rule = rule.next) {
    const outcome = visit(walk, chain, rule, depth);
    if (outcome === 'accept') return 'accept';
    if (outcome === 'return') return 'continue';
  }
  return 'continue';
}

function runIndexed(walk: TableWalk, chain: Chain, rules: readonly Rule[], depth: number): Verdict {
  for (let i = 0; i < rules.length; i++) {
    const rule = rules[i];
    const outcome = rule === undefined ? 'continue' : visit(walk, chain, rule, depth);
    if (outcome === 'accept') return 'accept';
    if (outcome === 'return') return 'continue';
  }
  return 'continue';
}

function visit(walk: TableWalk, chain: Chain, rule: Rule, depth: number): Outcome {
  if (++walk.visits > MAX_VISITS) return tooLong(walk, chain);
  if (!decides(rule) || !(ruleMatches(rule, walk.env, walk) ?? guess(walk, chain, rule))) return 'continue';
  return rule.jump === undefined ? act(walk, chain, rule, rule.target) : jump(walk, chain, rule, rule.jump, depth);
}

function guess({ env, table }: TableWalk, chain: Chain, rule: Rule): boolean {
  return env.chooser.guess(`whether rule ${locate(table, chain, rule)} of ${env.ns.id} matches: ${rule.text}`);
}

function act(walk: TableWalk, chain: Chain, rule: Rule, target: Target): Outcome {
  const { env } = walk;
  const { skb } = env;
  switch (target.kind) {
    // Jumps that lead somewhere have been followed.
    case 'jump':
    case 'none':
      return 'continue';
    case 'accept':
      if (walk.records) note(walk, chain, rule, `${env.hook}: accepted`);
      return 'accept';
    case 'return':
      return 'return';
    case 'drop':
    case 'reject':
      stop(walk, chain, rule, target);
      return 'continue';
    case 'mark': {
      const before = skb.mark;
      skb.mark = ((before & ~target.mask) ^ target.value) >>> 0;
      if (walk.records && skb.mark !== before)
        note(walk, chain, rule, `${env.hook}: mark set to 0x${skb.mark.toString(16)}`);
      return 'continue';
    }
    case 'connmark':
      connmark(env, target);
      return 'continue';
    case 'ttl': {
      const ttl =
        target.action === 'set' ? target.value : skb.ttl + (target.action === 'inc' ? target.value : -target.value);
      skb.ttl = Math.min(255, Math.max(0, ttl));
      if (walk.records) note(walk, chain, rule, `${env.hook}: hop limit set to ${skb.ttl}`);
      return 'continue';
    }
    case 'notrack':
      if (skb.ct === undefined) skb.untracked = true;
      walk.state = stateOf(skb);
      if (walk.records) note(walk, chain, rule, `${env.hook}: not tracked`);
      return 'continue';
    case 'template':
      if (skb.ct === undefined) {
        skb.template = { ...skb.template, ...target.template };
        if (walk.records && target.template.zone !== undefined)
          note(walk, chain, rule, `${env.hook}: tracked in another zone`);
      }
      return 'continue';
    case 'tos':
      skb.tos = ((skb.tos ?? 0) & ~target.clear) ^ target.flip;
      return 'continue';
    case 'tproxy':
      env.chooser.guess(
        `where rule ${locate(walk.table, chain, rule)} of ${env.ns.id} sends the packet (TPROXY): ${rule.text}`,
      );
      return 'accept';
    case 'unknown':
      return unknown(walk, chain, rule, target.name);
    default:
      return runNat(walk, chain, rule, target);
  }
}

function stop(walk: TableWalk, chain: Chain, rule: Rule, target: Extract<Target, { kind: 'drop' | 'reject' }>): void {
  const { skb } = walk.env;
  const isInvalid = target.kind === 'drop' && skb.ct === undefined && !skb.untracked && rule.text.includes('INVALID');
  const text = target.kind === 'drop' ? 'dropped' : `rejected with ${target.with}`;
  if (walk.records) note(walk, chain, rule, text);
  walk.env.observer.stopped({
    verdict: target.kind,
    rejectWith: target.kind === 'reject' ? target.with : undefined,
    evidence: ruleEvidence(walk, chain, rule),
    cause: isInvalid ? 'invalid' : 'rule',
  });
}

function unknown(walk: TableWalk, chain: Chain, rule: Rule, name: string): Verdict {
  const { env } = walk;
  const what = `whether target ${name} of rule ${locate(walk.table, chain, rule)} of ${env.ns.id} lets the packet pass`;
  if (!env.chooser.guess(what))
    env.observer.stopped({ verdict: 'drop', evidence: ruleEvidence(walk, chain, rule), cause: 'rule' });
  return 'continue';
}

function jump(walk: TableWalk, chain: Chain, rule: Rule, next: Chain, depth: number): Outcome {
  if (depth >= MAX_DEPTH) return tooLong(walk, chain);
  if (runChain(walk, next, depth + 1) === 'accept') return 'accept';
  // After a goto the end of the other chain returns to the caller of this one.
  return rule.target.kind === 'jump' && rule.target.goto ? 'return' : 'continue';
}

/** Nothing that a kernel would have loaded: what it does to the packet cannot be told. */
function tooLong({ env, table }: TableWalk, chain: Chain): Verdict {
  const text = `what chain ${chain.name} of table ${table.name} of ${env.ns.id} does (its jumps do not end)`;
  env.observer.stopped({
    verdict: 'drop',
    cause: 'unknown',
    evidence: { kind: 'chain', at: env.ns.place, locator: `${table.name}/${chain.name}`, text },
  });
  return 'accept';
}

function connmark({ skb }: RuleEnv, target: Extract<Target, { kind: 'connmark' }>): void {
  const conn = skb.ct?.conn;
  if (conn === undefined) return;
  if (target.action === 'save') conn.mark = ((conn.mark & ~target.mask) ^ (skb.mark & target.nfmask)) >>> 0;
  else if (target.action === 'restore') skb.mark = ((skb.mark & ~target.nfmask) ^ (conn.mark & target.mask)) >>> 0;
  else conn.mark = ((conn.mark & ~target.mask) ^ target.value) >>> 0;
}

function runNat(walk: TableWalk, chain: Chain, rule: Rule, target: NatTarget): Verdict {
  const { env, manip } = walk;
  const { skb } = env;
  if (manip === undefined || skb.ct === undefined) return 'accept';
  const before = walk.records ? showSkb(skb) : undefined;
  if (!translate(env, manip, rule, target)) return noAddress(walk, chain, rule, target);
  walk.natDone = true;
  if (before !== undefined)
    env.observer.step({
      kind: 'translate',
      text: describeTranslation(manip, target, skb),
      evidence: ruleEvidence(walk, chain, rule),
      before,
      after: showSkb(skb),
    });
  return 'accept';
}

/** nf_nat_redirect.c and nf_nat_masquerade.c: a device without an address to give drops the packet. */
function noAddress(walk: TableWalk, chain: Chain, rule: Rule, { kind }: NatTarget): Verdict {
  const dev = kind === 'redirect' ? walk.env.iif : walk.env.oif;
  if (walk.records) note(walk, chain, rule, `dropped: ${dev} has no address to translate to`);
  walk.env.observer.stopped({ verdict: 'drop', evidence: ruleEvidence(walk, chain, rule), cause: 'rule' });
  return 'accept';
}

function locate(table: Table, chain: Chain, rule: Rule): string {
  return `${table.name}/${chain.name}/${rule.position}`;
}

function ruleEvidence({ env, table }: TableWalk, chain: Chain, rule: Rule): Evidence {
  return { kind: 'rule', at: env.ns.place, locator: locate(table, chain, rule), text: rule.text };
}

function note(walk: TableWalk, chain: Chain, rule: Rule, text: string): void {
  walk.env.observer.step({ kind: 'filter', text, evidence: ruleEvidence(walk, chain, rule) });
}
