import type { NamespaceDump } from '#libs/model';
import { z } from 'zod';
import { attempt, must } from '../world/command.js';
import { inside } from '../world/namespaces.js';
import type { Router } from '../world/router.js';
import type { Flow } from './flow.js';
import { count, type Tally } from './tally.js';
import { ruleKey } from './watched-namespace.js';

export interface NftRule {
  readonly chain: string;
  readonly matches: readonly string[];
  /** What is done when they are all true, behind a counter. */
  readonly statement: string;
}

export interface NftChain {
  readonly name: string;
  /** `type filter hook input priority 0; policy accept;` of base chains. */
  readonly base?: string;
}

/** One native table, named `tested`. */
export interface NftCase {
  readonly family: 'ip' | 'inet' | 'ip6';
  readonly sets: readonly string[];
  readonly chains: readonly NftChain[];
  readonly rules: readonly NftRule[];
  readonly flows: readonly Flow[];
}

export function printTable({ family, sets, chains, rules }: Omit<NftCase, 'flows'>): string {
  const lines = [`table ${family} tested {`, ...sets.map((set) => `  ${set}`)];
  // Callees first: a jump needs a chain that is there.
  for (const { name, base } of chains.toReversed()) {
    lines.push(`  chain ${name} {`);
    if (base !== undefined) lines.push(`    ${base}`);
    for (const rule of rules)
      if (rule.chain === name) lines.push(`    ${[...rule.matches, 'counter', rule.statement].join(' ')}`);
    lines.push('  }');
  }
  return `${[...lines, '}'].join('\n')}\n`;
}

/** The reason when nft does not take the table, or cannot print it. */
export function loadTable(one: NftCase): string | undefined {
  const done = attempt([...inside('router'), 'nft', '-f', '-'], printTable(one));
  if (!done.ok) return done.stderr === '' ? 'nft crashed' : done.stderr;
  const listed = attempt(list(one));
  if (listed.ok) return undefined;
  unloadTable(one);
  return `nft cannot print it: ${listed.stderr}`;
}

function list(one: NftCase): string[] {
  return [...inside('router'), 'nft', '-j', 'list', 'table', one.family, 'tested'];
}

export function unloadTable(one: NftCase): void {
  must([...inside('router'), 'nft', 'delete', 'table', one.family, 'tested']);
}

export function dumpTable(router: Router, one: NftCase): NamespaceDump {
  return router.dump({ 'nft.json': must(list(one)) });
}

const Listing = z.object({
  nftables: z.array(
    z.looseObject({
      rule: z
        .looseObject({ chain: z.string(), handle: z.number(), expr: z.array(z.record(z.string(), z.unknown())) })
        .optional(),
    }),
  ),
});
const Counter = z.object({ packets: z.number() });

export function readRuleCounters(one: NftCase, tally: Tally): void {
  for (const { rule } of Listing.parse(JSON.parse(must(list(one)))).nftables) {
    if (rule === undefined) continue;
    const counter = rule.expr.find((statement) => 'counter' in statement);
    const { packets } = Counter.parse(counter?.counter);
    count(tally, ruleKey(`${one.family} tested`, rule.chain, rule.handle), packets);
  }
}
