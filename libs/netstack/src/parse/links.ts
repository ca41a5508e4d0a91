import { parseIp, type Ip } from '#libs/model';
import { z } from 'zod';
import { parseRows } from './dump-file.js';

/** One network interface with what `ip -d link`, `ip addr` and `bridge link` say of it. */
export interface Link {
  readonly index: number;
  readonly name: string;
  readonly flags: ReadonlySet<string>;
  readonly mtu: number;
  readonly mac: string;
  readonly master?: string;
  /** ifindex of the other end (veth) or of the lower device. */
  readonly peerIndex?: number;
  /** Name of the lower device when it is in this namespace. */
  readonly lower?: string;
  readonly peerNetnsId?: number;
  /** veth, bridge, vxlan, ipip, dummy...; empty for a physical device. */
  readonly kind: string;
  readonly info: Readonly<Record<string, unknown>>;
  readonly port?: BridgePort;
  readonly addresses: readonly Address[];
}

export interface BridgePort {
  readonly state: string;
  readonly hairpin: boolean;
  readonly isolated: boolean;
  readonly learning: boolean;
  readonly flood: boolean;
}

export interface Address {
  readonly ip: Ip;
  readonly prefixLength: number;
  readonly scope: number;
  readonly secondary: boolean;
  /** IPv6: not to be chosen for new connections (RFC 4862). */
  readonly deprecated: boolean;
  /** IPv6: duplicate address detection is running or has failed, so the address does not work. */
  readonly unusable: boolean;
  readonly text: string;
}

const LinkRow = z.looseObject({
  ifindex: z.number(),
  ifname: z.string(),
  flags: z.array(z.string()),
  mtu: z.number(),
  address: z.string().optional(),
  master: z.string().optional(),
  link: z.string().nullish(),
  link_index: z.number().optional(),
  link_netnsid: z.number().optional(),
  linkinfo: z
    .looseObject({
      info_kind: z.string().optional(),
      info_data: z.record(z.string(), z.unknown()).optional(),
      info_slave_data: z.record(z.string(), z.unknown()).optional(),
    })
    .optional(),
});

const AddressRow = z.looseObject({
  ifname: z.string().optional(),
  addr_info: z
    .array(
      z.looseObject({
        local: z.string().optional(),
        address: z.string().optional(),
        prefixlen: z.number().optional(),
        scope: z.string().optional(),
        secondary: z.boolean().optional(),
        deprecated: z.boolean().optional(),
        tentative: z.boolean().optional(),
        dadfailed: z.boolean().optional(),
      }),
    )
    .optional(),
});

const BridgeLinkRow = z.looseObject({
  ifname: z.string(),
  state: z.string().optional(),
  hairpin: z.boolean().optional(),
  isolated: z.boolean().optional(),
  learning: z.boolean().optional(),
  flood: z.boolean().optional(),
});

/** RT_SCOPE_* of rtnetlink(7): larger is narrower. */
const SCOPES: ReadonlyMap<string, number> = new Map(
  Object.entries({
    global: 0,
    universe: 0,
    site: 200,
    link: 253,
    host: 254,
    nowhere: 255,
  }),
);

export function scopeNumber(name: string | undefined): number {
  if (name === undefined) return 0;
  return SCOPES.get(name) ?? (Number(name) || 0);
}

export function parseLinks(link: string, addr: string, bridge: string | undefined): Link[] {
  const addresses = new Map<string, Address[]>();
  for (const row of parseRows('ip-addr.json', addr, AddressRow))
    if (row.ifname !== undefined) addresses.set(row.ifname, (row.addr_info ?? []).flatMap(toAddress));
  const ports = new Map<string, z.output<typeof BridgeLinkRow>>();
  if (bridge !== undefined)
    for (const row of parseRows('bridge-link.json', bridge, BridgeLinkRow)) ports.set(row.ifname, row);
  return parseRows('ip-link.json', link, LinkRow).map((row): Link => {
    const slave = row.linkinfo?.info_slave_data ?? {};
    const port = ports.get(row.ifname);
    return {
      index: row.ifindex,
      name: row.ifname,
      flags: new Set(row.flags),
      mtu: row.mtu,
      mac: row.address ?? '',
      master: row.master,
      peerIndex: row.link_index,
      lower: row.link ?? undefined,
      peerNetnsId: row.link_netnsid,
      kind: row.linkinfo?.info_kind ?? '',
      info: row.linkinfo?.info_data ?? {},
      port: row.master === undefined ? undefined : toPort(slave, port),
      addresses: addresses.get(row.ifname) ?? [],
    };
  });
}

type AddressInfo = NonNullable<z.output<typeof AddressRow>['addr_info']>[number];

function toAddress(row: AddressInfo): Address[] {
  const ip = row.local === undefined ? undefined : parseIp(row.local);
  if (ip === undefined) return [];
  const prefixLength = row.prefixlen ?? (typeof ip === 'number' ? 32 : 128);
  return [
    {
      ip,
      prefixLength,
      scope: scopeNumber(row.scope),
      secondary: row.secondary ?? false,
      deprecated: row.deprecated ?? false,
      unusable: row.tentative === true || row.dadfailed === true,
      text: `${row.local}/${prefixLength}`,
    },
  ];
}

function toPort(slave: Record<string, unknown>, row: z.output<typeof BridgeLinkRow> | undefined): BridgePort {
  return {
    state: row?.state ?? text(slave.state) ?? 'forwarding',
    hairpin: row?.hairpin ?? slave.hairpin === true,
    isolated: row?.isolated ?? slave.isolated === true,
    learning: row?.learning ?? slave.learning !== false,
    flood: row?.flood ?? slave.flood !== false,
  };
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
