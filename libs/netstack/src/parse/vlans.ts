import { z } from 'zod';
import { parseRows } from './dump-file.js';

/** VLANs of a bridge port, or of the bridge device itself. */
export interface PortVlans {
  /** The VLAN of untagged frames that come in. */
  readonly pvid?: number;
  /** VLANs that may pass, and whether their frames leave without a tag. */
  readonly vids: ReadonlyMap<number, { readonly untagged: boolean }>;
}

/** IEEE 802.1Q. */
const Vid = z.number().int().min(0).max(4095);

const VlanRow = z.looseObject({
  ifname: z.string(),
  vlans: z
    .array(z.looseObject({ vlan: Vid, vlanEnd: Vid.optional(), flags: z.array(z.string()).optional() }))
    .optional(),
});

export function parseVlans(text: string): ReadonlyMap<string, PortVlans> {
  const ports = new Map<string, PortVlans>();
  for (const row of parseRows('bridge-vlan.json', text, VlanRow)) {
    const vids = new Map<number, { untagged: boolean }>();
    let pvid: number | undefined;
    for (const { vlan, vlanEnd, flags } of row.vlans ?? []) {
      const untagged = flags?.includes('Egress Untagged') ?? false;
      for (let vid = vlan; vid <= (vlanEnd ?? vlan); vid++) vids.set(vid, { untagged });
      if (flags?.includes('PVID')) pvid = vlan;
    }
    ports.set(row.ifname, { pvid, vids });
  }
  return ports;
}
