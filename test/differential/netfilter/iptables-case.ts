import type { Family } from '#libs/model';
import { attempt, must } from '../world/command.js';
import { inside } from '../world/namespaces.js';
import type { Router } from '../world/router.js';
import type { Flow } from './flow.js';
import { count, type Tally } from './tally.js';
import { ruleKey } from './watched-namespace.js';
import type { NamespaceDump } from '#libs/model';

export type HookName = 'PREROUTING' | 'INPUT' | 'FORWARD' | 'OUTPUT' | 'POSTROUTING';

/** A rule in pieces that can be taken away one by one. */
export interface IptablesRule {
  readonly table: string;
  readonly chain: string;
  readonly matches: readonly string[];
  readonly target: string;
}

export interface IptablesChain {
  readonly table: string;
  readonly name: string;
  /** Built-in chains only. */
  readonly policy?: 'ACCEPT' | 'DROP';
}

export interface IptablesCase {
  readonly backend: 'nft' | 'legacy';
  readonly family: Family;
  readonly chains: readonly IptablesChain[];
  readonly rules: readonly IptablesRule[];
  readonly ipsets: readonly string[];
  readonly flows: readonly Flow[];
}

/** The tables and their built-in chains, all of which every case names: a restore replaces only what it names. */
export const TABLES: Readonly<Record<string, readonly HookName[]>> = {
  raw: ['PREROUTING', 'OUTPUT'],
  mangle: ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'],
  nat: ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'],
  filter: ['INPUT', 'FORWARD', 'OUTPUT'],
  security: ['INPUT', 'FORWARD', 'OUTPUT'],
};

export function printRules({ chains, rules }: Pick<IptablesCase, 'chains' | 'rules'>): string {
  const lines: string[] = [];
  for (const table of Object.keys(TABLES)) {
    lines.push(`*${table}`);
    for (const hook of TABLES[table] ?? []) {
      const own = chains.find((chain) => chain.table === table && chain.name === hook);
      lines.push(`:${hook} ${own?.policy ?? 'ACCEPT'}`);
    }
    for (const chain of chains) if (chain.table === table && chain.policy === undefined) lines.push(`:${chain.name} -`);
    for (const rule of rules)
      if (rule.table === table) lines.push(['-A', rule.chain, ...rule.matches, rule.target].filter(Boolean).join(' '));
    lines.push('COMMIT');
  }
  return `${lines.join('\n')}\n`;
}

const program = (family: Family, backend: string, what: string): string =>
  `ip${family === 6 ? '6' : ''}tables-${backend}-${what}`;

/** False, with the reason, when iptables does not take the rules. */
export function loadRules(one: IptablesCase): string | undefined {
  // Emptied, not destroyed: the kernel lets go of the last case's rules, and so of their sets, only some time later.
  const emptied = one.ipsets.flatMap((line) =>
    line.startsWith('create ') ? [`${line} -exist`, `flush ${line.split(' ')[1]}`] : [line],
  );
  must([...inside('router'), 'ipset', 'restore'], `${emptied.join('\n')}\n`);
  const done = attempt([...inside('router'), program(one.family, one.backend, 'restore')], printRules(one));
  if (done.ok) return undefined;
  const line = Number(/line (\d+)/.exec(done.stderr)?.[1] ?? 0);
  return `${done.stderr.trim()}\n${printRules(one).split('\n')[line - 1] ?? ''}`;
}

/** The other back end's rules would be in force too. */
export function unloadRules(one: IptablesCase): void {
  must([...inside('router'), program(one.family, one.backend, 'restore')], printRules({ chains: [], rules: [] }));
}

function save(one: IptablesCase): string {
  return must([...inside('router'), program(one.family, one.backend, 'save'), '-c']);
}

export function dumpRules(router: Router, one: IptablesCase): NamespaceDump {
  return router.dump({
    [`ip${one.family === 6 ? '6' : ''}tables-${one.backend}-save.txt`]: save(one),
    'ipset-save.txt': must([...inside('router'), 'ipset', 'save']),
  });
}

/** Rules without a target and those that only log or colour decide nothing, and the walk passes them over. */
export function readCounters(one: IptablesCase, tally: Tally): void {
  let table = '';
  const positions = new Map<string, number>();
  for (const line of save(one).split('\n')) {
    if (line.startsWith('*')) table = line.slice(1);
    const found = /^\[(\d+):\d+\] -A (\S+)(.*)$/.exec(line);
    if (found === null) continue;
    const [, packets, chain = '', rest = ''] = found;
    const place = `${table}/${chain}`;
    const position = (positions.get(place) ?? 0) + 1;
    positions.set(place, position);
    if (/ -[jg] /.test(rest) && !/ -j (LOG|NFLOG|CLASSIFY)\b/.test(rest))
      count(tally, ruleKey(table, chain, position), Number(packets));
  }
}
