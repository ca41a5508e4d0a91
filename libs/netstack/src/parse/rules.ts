import { parseCidr, type Cidr } from '#libs/model';
import { z } from 'zod';
import { parseRows } from './dump-file.js';

/** One policy rule of `ip rule`. */
export interface PolicyRule {
  readonly priority: number;
  readonly invert: boolean;
  readonly from?: Cidr;
  readonly to?: Cidr;
  readonly mark?: { readonly value: number; readonly mask: number };
  readonly iif?: string;
  readonly oif?: string;
  readonly protocol?: string;
  readonly sport?: PortRange;
  readonly dport?: PortRange;
  readonly uid?: { readonly start: number; readonly end: number };
  readonly tos?: number;
  readonly action: 'lookup' | 'goto' | 'nop' | 'blackhole' | 'unreachable' | 'prohibit';
  readonly table?: string;
  readonly target?: number;
  readonly suppressPrefixLength?: number;
  /** A selector that is not modelled (l3mdev, tun_id...): whether the rule matches cannot be told. */
  readonly unknown?: string;
  readonly text: string;
}

interface PortRange {
  readonly from: number;
  readonly to: number;
}

const Scalar = z.union([z.string(), z.number()]);
const RuleRow = z.looseObject({
  priority: z.number().optional(),
  not: z.unknown().optional(),
  src: z.string().optional(),
  srclen: z.number().optional(),
  dst: z.string().optional(),
  dstlen: z.number().optional(),
  fwmark: Scalar.optional(),
  fwmask: Scalar.optional(),
  iif: z.string().optional(),
  oif: z.string().optional(),
  ipproto: Scalar.optional(),
  sport: Scalar.optional(),
  dport: Scalar.optional(),
  sport_start: z.number().optional(),
  sport_end: z.number().optional(),
  dport_start: z.number().optional(),
  dport_end: z.number().optional(),
  uid_start: z.number().optional(),
  uid_end: z.number().optional(),
  tos: Scalar.optional(),
  table: Scalar.optional(),
  suppress_prefixlen: z.number().optional(),
  action: z.string().optional(),
  goto: Scalar.optional(),
  protocol: Scalar.optional(),
});
type RuleRow = z.output<typeof RuleRow>;

const KNOWN = new Set([...Object.keys(RuleRow.shape), 'iif_detached', 'oif_detached', 'dsfield', 'unresolved']);

export function parseRules(file: string, text: string): PolicyRule[] {
  const rules = parseRows(file, text, RuleRow).map((row) => toRule(row));
  return rules.toSorted((a, b) => a.priority - b.priority);
}

function toRule(row: RuleRow): PolicyRule {
  const unknown = Object.keys(row).filter((key) => !KNOWN.has(key));
  for (const [name, text, length] of [
    ['src', row.src, row.srclen],
    ['dst', row.dst, row.dstlen],
  ] as const)
    if (text !== undefined && text !== 'all' && selector(text, length) === undefined) unknown.push(name);
  return {
    priority: row.priority ?? 0,
    invert: 'not' in row,
    from: selector(row.src, row.srclen),
    to: selector(row.dst, row.dstlen),
    mark:
      row.fwmark === undefined
        ? undefined
        : { value: Number(row.fwmark) >>> 0, mask: Number(row.fwmask ?? 0xffffffff) >>> 0 },
    iif: row.iif,
    oif: row.oif,
    protocol: row.ipproto === undefined ? undefined : String(row.ipproto),
    sport: range(row.sport, row.sport_start, row.sport_end),
    dport: range(row.dport, row.dport_start, row.dport_end),
    uid: row.uid_start === undefined ? undefined : { start: row.uid_start, end: row.uid_end ?? row.uid_start },
    tos: row.tos === undefined ? undefined : Number(row.tos),
    ...action(row),
    suppressPrefixLength: row.suppress_prefixlen,
    unknown: unknown.length === 0 ? undefined : unknown.join(', '),
    text: ruleText(row),
  };
}

function action(row: RuleRow): Pick<PolicyRule, 'action' | 'table' | 'target'> {
  if (row.goto !== undefined) return { action: 'goto', target: Number(row.goto) };
  switch (row.action) {
    case 'blackhole':
    case 'unreachable':
    case 'prohibit':
    case 'nop':
      return { action: row.action };
    default:
      return row.table === undefined ? { action: 'nop' } : { action: 'lookup', table: String(row.table) };
  }
}

function selector(text: string | undefined, length: number | undefined): Cidr | undefined {
  if (text === undefined || text === 'all') return undefined;
  return parseCidr(length === undefined || text.includes('/') ? text : `${text}/${length}`);
}

function range(
  value: string | number | undefined,
  start: number | undefined,
  end: number | undefined,
): PortRange | undefined {
  if (start !== undefined) return { from: start, to: end ?? start };
  if (value === undefined) return undefined;
  const [from, to] = String(value).split('-').map(Number);
  return from === undefined ? undefined : { from, to: to ?? from };
}

function ruleText(row: RuleRow): string {
  const parts = [`${row.priority ?? 0}:`];
  if ('not' in row) parts.push('not');
  parts.push('from', row.srclen === undefined ? (row.src ?? 'all') : `${row.src}/${row.srclen}`);
  if (row.dst !== undefined) parts.push('to', row.dstlen === undefined ? row.dst : `${row.dst}/${row.dstlen}`);
  if (row.fwmark !== undefined)
    parts.push('fwmark', `${row.fwmark}${row.fwmask === undefined ? '' : `/${row.fwmask}`}`);
  for (const key of ['iif', 'oif', 'ipproto', 'sport', 'dport'] as const)
    if (row[key] !== undefined) parts.push(key, String(row[key]));
  if (row.goto !== undefined) parts.push('goto', String(row.goto));
  else if (row.table !== undefined) parts.push('lookup', String(row.table));
  else if (row.action !== undefined) parts.push(row.action);
  return parts.join(' ');
}
