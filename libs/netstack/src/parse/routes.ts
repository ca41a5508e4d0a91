import { parseCidr, parseIp, type Cidr, type Family, type Ip } from '#libs/model';
import { z } from 'zod';
import { parseRows } from './dump-file.js';
import { scopeNumber } from './links.js';

export interface NextHop {
  readonly dev?: string;
  readonly gateway?: Ip;
  readonly weight: number;
  readonly dead: boolean;
  readonly linkdown: boolean;
  readonly onlink: boolean;
}

/** One route as the kernel keeps it. `text` is what `ip route` prints, for evidence. */
export interface Route {
  readonly type: string;
  readonly dst: Cidr;
  readonly table: string;
  readonly metric: number;
  readonly tos: number;
  readonly scope: number;
  readonly prefsrc?: Ip;
  readonly nextHops: readonly NextHop[];
  readonly mtu?: number;
  /** Its next hops are an object of `ip nexthop`. */
  readonly ofObject?: boolean;
  readonly text: string;
}

const HopFields = {
  gateway: z.string().optional(),
  via: z.looseObject({ host: z.string() }).optional(),
  dev: z.string().optional(),
  flags: z.array(z.string()).optional(),
};

const RouteRow = z.looseObject({
  ...HopFields,
  type: z.string().optional(),
  dst: z.string(),
  table: z.union([z.string(), z.number()]).optional(),
  protocol: z.string().optional(),
  scope: z.string().optional(),
  prefsrc: z.string().optional(),
  metric: z.number().optional(),
  tos: z.union([z.string(), z.number()]).optional(),
  // The kernel takes 2^16 at most; a dump from elsewhere may claim more.
  nexthops: z
    .array(z.looseObject({ ...HopFields, weight: z.number().int().min(1).max(256).optional() }))
    .max(4096)
    .optional(),
  metrics: z.array(z.record(z.string(), z.unknown())).optional(),
  nhid: z.number().optional(),
});
type RouteRow = z.output<typeof RouteRow>;

export function parseRoutes(file: string, text: string, family: Family): Route[] {
  return parseRows(file, text, RouteRow).flatMap((row): Route[] => {
    const dst = row.dst === 'default' ? anywhere(family) : parseCidr(row.dst);
    if (dst === undefined) return [];
    const type = row.type ?? 'unicast';
    const hops =
      row.nexthops ??
      (row.dev === undefined && row.gateway === undefined && row.via === undefined ? [] : [{ ...row, weight: 1 }]);
    return [
      {
        type,
        dst,
        table: String(row.table ?? 'main'),
        metric: row.metric ?? 0,
        tos: Number(row.tos ?? 0) || 0,
        scope: scopeNumber(row.scope),
        prefsrc: row.prefsrc === undefined ? undefined : parseIp(row.prefsrc),
        nextHops: hops.map(toNextHop),
        mtu: routeMtu(row.metrics),
        ...(row.nhid === undefined ? {} : { ofObject: true }),
        text: routeText(row, type),
      },
    ];
  });
}

function anywhere(family: Family): Cidr {
  const any = parseCidr(family === 4 ? '0.0.0.0/0' : '::/0');
  if (any === undefined) throw new Error('unreachable: constant prefix');
  return any;
}

function toNextHop(row: {
  gateway?: string;
  via?: { host: string };
  dev?: string;
  flags?: string[];
  weight?: number;
}): NextHop {
  const gateway = row.gateway ?? row.via?.host;
  const flags = row.flags ?? [];
  return {
    dev: row.dev,
    gateway: gateway === undefined ? undefined : parseIp(gateway),
    weight: row.weight ?? 1,
    dead: flags.includes('dead'),
    linkdown: flags.includes('linkdown'),
    onlink: flags.includes('onlink'),
  };
}

function routeMtu(metrics: Record<string, unknown>[] | undefined): number | undefined {
  for (const metric of metrics ?? []) if (typeof metric.mtu === 'number') return metric.mtu;
  return undefined;
}

/** Evidence is for people. */
const SHOWN_HOPS = 16;

function routeText(row: RouteRow, type: string): string {
  const parts = type === 'unicast' ? [row.dst] : [type, row.dst];
  const via = (hop: { gateway?: string; via?: { host: string }; dev?: string }): void => {
    if (hop.gateway !== undefined) parts.push('via', hop.gateway);
    else if (hop.via !== undefined) parts.push('via', 'inet6', hop.via.host);
    if (hop.dev !== undefined) parts.push('dev', hop.dev);
  };
  via(row);
  if (row.table !== undefined && row.table !== 'main') parts.push('table', String(row.table));
  if (row.protocol !== undefined) parts.push('proto', row.protocol);
  if (row.scope !== undefined) parts.push('scope', row.scope);
  if (row.prefsrc !== undefined) parts.push('src', row.prefsrc);
  if (row.metric !== undefined) parts.push('metric', String(row.metric));
  const hops = row.nexthops ?? [];
  for (const hop of hops.slice(0, SHOWN_HOPS)) {
    parts.push('nexthop');
    via(hop);
    parts.push('weight', String(hop.weight ?? 1));
  }
  if (hops.length > SHOWN_HOPS) parts.push(`and ${hops.length - SHOWN_HOPS} more next hops`);
  for (const flag of row.flags ?? []) parts.push(flag);
  return parts.join(' ');
}
