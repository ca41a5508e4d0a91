import { formatIp, formatSocket, ipv4, ipv6, type Evidence, type Ip } from '#libs/model';
import { showSkb, TCP, UDP } from '../../skb.js';
import { translateDestination, translateSource } from '../conntrack.js';
import type { RuleEnv } from '../matches/match.js';
import { masqueradeAddress, redirectAddress } from '../nat-address.js';
import type { Manip } from '../translate.js';
import type { HookObserver, RulesRun } from '../traverse.js';
import { ABSENT, type Evaluated } from './expression.js';
import {
  readVerdict,
  type NftVerdict,
  type Program,
  type ProgramChain,
  type ProgramRule,
  type Statement,
} from './program.js';
import { isConcat } from './value.js';

interface NftRun {
  readonly env: RuleEnv;
  readonly program: Program;
  readonly observer: HookObserver;
  readonly manip?: Manip;
}

type Verdict = 'accept' | 'continue';
/** `return` ends the chain, `break` the rule. */
type Outcome = Verdict | 'return' | 'break';

/** As in ../traverse.ts. */
const MAX_VISITS = 200_000;

interface State {
  readonly run: NftRun;
  visits: number;
  readonly running: Set<string>;
  natDone: boolean;
}

/** nft_do_chain() from a base chain. Gives true when a nat statement decided. A drop is told and passed over. */
export function runBaseChain(env: RulesRun, program: Program, chain: ProgramChain, manip?: Manip): boolean {
  const run: NftRun = { env, program, observer: env.observer, manip };
  const state: State = { run, natDone: false, visits: 0, running: new Set([chain.name]) };
  const verdict = runChain(state, chain, 0);
  if (verdict === 'continue' && chain.base?.policy === 'drop')
    run.observer.stopped({
      verdict: 'drop',
      cause: 'policy',
      evidence: {
        kind: 'chain',
        at: run.env.ns.place,
        locator: locate(run, chain),
        text: `chain ${chain.name} { policy drop; }`,
      },
    });
  return state.natDone;
}

function runChain(state: State, chain: ProgramChain, depth: number): Verdict {
  for (const rule of chain.rules) {
    if (++state.visits > MAX_VISITS) return tooLong(state, chain);
    const verdict = runRule(state, chain, rule, depth);
    if (verdict === 'accept') return 'accept';
    if (verdict === 'return') return 'continue';
  }
  return 'continue';
}

function runRule(state: State, chain: ProgramChain, rule: ProgramRule, depth: number): Outcome {
  const { env } = state.run;
  for (const statement of rule.statements) {
    if (statement.kind === 'match') {
      const matched =
        statement.test(env) ??
        env.chooser.guess(`whether rule ${locate(state.run, chain, rule)} of ${env.ns.id} matches: ${rule.text}`);
      if (!matched) return 'continue';
      continue;
    }
    const verdict = runStatement(state, chain, rule, statement, depth);
    if (verdict !== 'continue') return verdict;
  }
  return 'continue';
}

function runStatement(
  state: State,
  chain: ProgramChain,
  rule: ProgramRule,
  statement: Exclude<Statement, { kind: 'match' }>,
  depth: number,
): Outcome {
  const { env, observer } = state.run;
  const { skb } = env;
  switch (statement.kind) {
    case 'pass':
      return 'continue';
    case 'verdict':
      return follow(state, chain, rule, statement.verdict, depth);
    case 'vmap': {
      const verdict = lookUpVerdict(state, chain, rule, statement);
      return verdict === undefined ? 'continue' : follow(state, chain, rule, verdict, depth);
    }
    case 'reject':
      observer.step({
        kind: 'filter',
        text: `rejected with ${statement.with}`,
        evidence: evidence(state, chain, rule),
      });
      observer.stopped({
        verdict: 'reject',
        rejectWith: statement.with,
        cause: 'rule',
        evidence: evidence(state, chain, rule),
      });
      return 'continue';
    case 'notrack':
      if (skb.ct === undefined) skb.untracked = true;
      observer.step({ kind: 'filter', text: `${env.hook}: not tracked`, evidence: evidence(state, chain, rule) });
      return 'continue';
    case 'mark': {
      const value = statement.value(env);
      // A key that is not in the map breaks the rule off (NFT_BREAK).
      if (value === ABSENT) return 'break';
      if (typeof value !== 'number')
        env.chooser.guess(`which mark rule ${locate(state.run, chain, rule)} of ${env.ns.id} sets`);
      else if (statement.target === 'packet') skb.mark = value >>> 0;
      else if (skb.ct !== undefined) skb.ct.conn.mark = value >>> 0;
      return 'continue';
    }
    case 'zone': {
      const zone = statement.value(env);
      if (zone === ABSENT) return 'break';
      if (typeof zone !== 'number')
        env.chooser.guess(`which zone rule ${locate(state.run, chain, rule)} of ${env.ns.id} sets`);
      // nft_ct_set_zone_eval(): before the connection is looked up only.
      else if (skb.ct === undefined) {
        skb.template = {
          ...skb.template,
          zone: { original: statement.dir === 'reply' ? 0 : zone, reply: statement.dir === 'original' ? 0 : zone },
        };
        const text = `${env.hook}: tracked in another zone`;
        observer.step({ kind: 'filter', text, evidence: evidence(state, chain, rule) });
      }
      return 'continue';
    }
    case 'tos': {
      const value = statement.value(env);
      if (value === ABSENT) return 'break';
      if (typeof value !== 'number')
        env.chooser.guess(`which type of service rule ${locate(state.run, chain, rule)} of ${env.ns.id} sets`);
      else skb.tos = ((skb.tos ?? 0) & ~statement.mask) | ((value << statement.shift) & statement.mask);
      return 'continue';
    }
    case 'unknown':
      if (
        !env.chooser.guess(
          `whether "${statement.name}" of rule ${locate(state.run, chain, rule)} of ${env.ns.id} lets the packet pass`,
        )
      )
        observer.stopped({ verdict: 'drop', cause: 'rule', evidence: evidence(state, chain, rule) });
      return 'continue';
    default:
      return translate(state, chain, rule, statement);
  }
}

function lookUpVerdict(
  state: State,
  chain: ProgramChain,
  rule: ProgramRule,
  statement: Extract<Statement, { kind: 'vmap' }>,
): NftVerdict | undefined {
  const { env } = state.run;
  const value = statement.key(env);
  if (value === ABSENT) return undefined;
  const found = value === undefined ? 'unknown' : statement.set.find(value);
  if (found === 'absent') return undefined;
  if (found !== 'unknown') return readVerdict(found.data);
  env.chooser.guess(`what the verdict map of rule ${locate(state.run, chain, rule)} of ${env.ns.id} says`);
  return undefined;
}

function follow(state: State, chain: ProgramChain, rule: ProgramRule, verdict: NftVerdict, depth: number): Outcome {
  const { observer, program } = state.run;
  switch (verdict.kind) {
    case 'accept':
      observer.step({
        kind: 'filter',
        text: `${state.run.env.hook}: accepted`,
        evidence: evidence(state, chain, rule),
      });
      return 'accept';
    case 'drop':
      observer.step({ kind: 'filter', text: 'dropped', evidence: evidence(state, chain, rule) });
      observer.stopped({ verdict: 'drop', cause: 'rule', evidence: evidence(state, chain, rule) });
      return 'continue';
    case 'return':
      return 'return';
    case 'continue':
      return 'continue';
    case 'jump':
    case 'goto': {
      const next = program.chains.get(verdict.chain);
      // The kernel refuses deeper nesting (NFT_JUMP_STACK_SIZE 16), chains that call themselves, and chains that are not there.
      if (next === undefined) return 'continue';
      if (depth > 16 || state.running.has(next.name)) return tooLong(state, chain);
      state.running.add(next.name);
      const result = runChain(state, next, depth + 1);
      state.running.delete(next.name);
      if (result === 'accept') return 'accept';
      return verdict.kind === 'goto' ? 'return' : 'continue';
    }
  }
}

function tooLong(state: State, chain: ProgramChain): Verdict {
  const { env, observer } = state.run;
  const text = `what chain ${locate(state.run, chain)} of ${env.ns.id} does (its jumps do not end)`;
  observer.stopped({
    verdict: 'drop',
    cause: 'unknown',
    evidence: { kind: 'chain', at: env.ns.place, locator: locate(state.run, chain), text },
  });
  return 'accept';
}

type NatStatement = Extract<Statement, { kind: 'dnat' | 'snat' | 'redirect' | 'masquerade' }>;

function translate(state: State, chain: ProgramChain, rule: ProgramRule, statement: NatStatement): Outcome {
  const { env, manip, observer } = state.run;
  const { skb } = env;
  if (manip === undefined || skb.ct === undefined) return 'accept';
  const to = statement.kind === 'masquerade' ? {} : addressOf(state, chain, rule, statement);
  if (to === 'absent') return 'break';
  const before = showSkb(skb);
  const text = manip === 'destination' ? translateTo(env, statement, to) : translateFrom(env, statement, to);
  if (text === undefined) return noAddress(state, chain, rule, statement);
  state.natDone = true;
  observer.step({ kind: 'translate', text, evidence: evidence(state, chain, rule), before, after: showSkb(skb) });
  return 'accept';
}

/** nf_nat_redirect.c and nf_nat_masquerade.c: a device without an address to give drops the packet. */
function noAddress(state: State, chain: ProgramChain, rule: ProgramRule, { kind }: NatStatement): Outcome {
  const { env, observer } = state.run;
  const dev = kind === 'redirect' ? env.iif : env.oif;
  const found = evidence(state, chain, rule);
  observer.step({ kind: 'filter', text: `dropped: ${dev} has no address to translate to`, evidence: found });
  observer.stopped({ verdict: 'drop', cause: 'rule', evidence: found });
  return 'accept';
}

interface NatTarget {
  readonly ip?: Ip;
  readonly port?: number;
}

/** undefined: there is no address to translate to. */
function translateTo(env: RuleEnv, statement: NatStatement, { ip, port }: NatTarget): string | undefined {
  const { skb } = env;
  if (statement.kind === 'redirect') {
    const own = redirectAddress(env);
    if (own === undefined) return undefined;
    translateDestination(skb, own, port);
    return `redirect to ${formatSocket(skb.dst, skb.dport)}`;
  }
  if (statement.kind !== 'dnat') return 'not translated';
  translateDestination(skb, ip ?? skb.dst, port);
  return `DNAT to ${formatSocket(skb.dst, skb.dport)}`;
}

/** undefined: there is no address to translate to. */
function translateFrom(env: RuleEnv, statement: NatStatement, { ip, port }: NatTarget): string | undefined {
  const { skb } = env;
  if (statement.kind === 'masquerade') {
    const own = masqueradeAddress(env);
    if (own === undefined) return undefined;
    translateSource(skb, own, undefined);
    if (statement.randomPort) skb.sportUnknown = true;
    return `MASQUERADE as ${formatIp(skb.src)}`;
  }
  if (statement.kind !== 'snat') return 'not translated';
  translateSource(skb, ip ?? skb.src, port);
  return `SNAT to ${formatIp(skb.src)}`;
}

/** `absent`: the address or port comes from a map that does not have the key, which breaks the rule off (NFT_BREAK). */
function addressOf(
  state: State,
  chain: ProgramChain,
  rule: ProgramRule,
  statement: Extract<Statement, { kind: 'dnat' | 'snat' | 'redirect' }>,
): NatTarget | 'absent' {
  const { env } = state.run;
  const value = statement.addr?.(env);
  const ownPort = statement.port?.(env);
  if (value === ABSENT || ownPort === ABSENT) return 'absent';
  const pair = typeof value === 'object' && isConcat(value) ? value.parts : undefined;
  const ip = toIp(pair === undefined ? value : pair[0], env.skb.family);
  if (statement.addr !== undefined && ip === undefined)
    env.chooser.guess(`where rule ${locate(state.run, chain, rule)} of ${env.ns.id} translates to`);
  return { ip, port: portOf(state, ownPort ?? pair?.[1]) };
}

function toIp(value: Evaluated, family: number): Ip | undefined {
  if (typeof value === 'number' && family === 4) return ipv4(value);
  return typeof value === 'bigint' && family === 6 ? ipv6(value) : undefined;
}

function portOf(state: State, value: Evaluated): number | undefined {
  const { protocol } = state.run.env.skb;
  return typeof value === 'number' && (protocol === TCP || protocol === UDP) ? value : undefined;
}

function locate(run: NftRun, chain: ProgramChain, rule?: ProgramRule): string {
  const base = `${run.program.family} ${run.program.name}/${chain.name}`;
  return rule === undefined ? base : `${base}/${rule.handle}`;
}

function evidence(state: State, chain: ProgramChain, rule: ProgramRule): Evidence {
  return { kind: 'rule', at: state.run.env.ns.place, locator: locate(state.run, chain, rule), text: rule.text };
}
