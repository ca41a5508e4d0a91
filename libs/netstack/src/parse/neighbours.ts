import { parseIp, type Ip } from '#libs/model';
import { z } from 'zod';
import { parseRows } from './dump-file.js';

export interface Neighbour {
  readonly ip: Ip;
  readonly dev: string;
  readonly mac?: string;
  readonly states: readonly string[];
  readonly text: string;
}

/** One entry of a bridge's or a vxlan device's forwarding database. */
export interface FdbEntry {
  readonly mac: string;
  readonly dev: string;
  readonly master?: string;
  /** The remote tunnel endpoint, on vxlan devices. */
  readonly dst?: Ip;
  readonly state?: string;
  readonly self: boolean;
  /** Stays on its port even when the MAC talks elsewhere. */
  readonly sticky: boolean;
  readonly vlan?: number;
  /** UDP port and VNI of this remote, where they differ from the device's. */
  readonly port?: number;
  readonly vni?: number;
  readonly text: string;
}

const NeighbourRow = z.looseObject({
  dst: z.string(),
  dev: z.string().optional(),
  lladdr: z.string().optional(),
  state: z.array(z.string()).optional(),
});

const FdbRow = z.looseObject({
  mac: z.string(),
  ifname: z.string(),
  master: z.string().optional(),
  dst: z.string().optional(),
  state: z.string().optional(),
  flags: z.array(z.string()).optional(),
  vlan: z.number().optional(),
  port: z.number().optional(),
  vni: z.number().optional(),
});

export function parseNeighbours(text: string): Neighbour[] {
  return parseRows('ip-neigh.json', text, NeighbourRow).flatMap((row): Neighbour[] => {
    const ip = parseIp(row.dst);
    if (ip === undefined || row.dev === undefined) return [];
    const states = row.state ?? [];
    const mac = row.lladdr === undefined ? '' : ` lladdr ${row.lladdr}`;
    return [{ ip, dev: row.dev, mac: row.lladdr, states, text: `${row.dst} dev ${row.dev}${mac} ${states.join(',')}` }];
  });
}

export function parseFdb(text: string): FdbEntry[] {
  return parseRows('bridge-fdb.json', text, FdbRow).map((row): FdbEntry => {
    const dst = row.dst === undefined ? undefined : parseIp(row.dst);
    const rest = [
      row.master === undefined ? '' : ` master ${row.master}`,
      row.dst === undefined ? '' : ` dst ${row.dst}`,
      row.port === undefined ? '' : ` port ${row.port}`,
      row.vni === undefined ? '' : ` vni ${row.vni}`,
      ...(row.flags ?? []).map((flag) => ` ${flag}`),
      row.state === undefined || row.state === '' ? '' : ` ${row.state}`,
    ].join('');
    return {
      mac: row.mac,
      dev: row.ifname,
      master: row.master,
      dst,
      state: row.state,
      self: row.flags?.includes('self') ?? false,
      sticky: row.flags?.includes('sticky') ?? false,
      vlan: row.vlan,
      port: row.port,
      vni: row.vni,
      text: `${row.mac} dev ${row.ifname}${rest}`,
    };
  });
}
