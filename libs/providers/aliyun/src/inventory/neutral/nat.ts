import type { DnatEntry, NatGateway, SnatEntry } from '#libs/provider-kit';
import type { GatheredNatGateway } from '../gathered.js';
import type { WireForwardEntry, WireSnatEntry } from '../wire/vpc.js';
import { asCidr, cloudProtocol, portRange } from './rules.js';

export function natGateway({ gateway, snat, forward }: GatheredNatGateway): NatGateway {
  const locked = gateway.BusinessStatus !== undefined && gateway.BusinessStatus !== 'Normal';
  const subnetId = gateway.NatGatewayPrivateInfo?.VswitchId;
  return {
    id: gateway.NatGatewayId,
    networkId: gateway.VpcId,
    ...(subnetId === undefined ? {} : { subnetId }),
    public: gateway.NetworkType !== 'intranet',
    usable: gateway.Status === 'Available' && !locked,
    state: locked ? `${gateway.Status}, ${gateway.BusinessStatus}` : gateway.Status,
    addresses: gateway.IpLists.map((item) => item.IpAddress).filter((ip) => ip !== undefined),
    snat: snat.flatMap(snatEntry),
    dnat: forward.map(dnatEntry),
  };
}

/** An entry for nobody is none. */
function snatEntry(wire: WireSnatEntry): readonly SnatEntry[] {
  const match = snatMatch(wire);
  if (match === undefined) return [];
  const state = wire.Status ?? 'Available';
  const addresses = (wire.SnatIp ?? '').split(',').map((ip) => ip.trim());
  return [
    {
      id: wire.SnatEntryId,
      usable: state === 'Available',
      state,
      match,
      addresses: addresses.filter((ip) => ip !== ''),
    },
  ];
}

/** A subnet's entry also shows the subnet's prefix, and an interface's its address: the narrower thing is what was meant. */
function snatMatch(wire: WireSnatEntry): SnatEntry['match'] | undefined {
  if (wire.NetworkInterfaceId !== undefined) return { kind: 'interface', id: wire.NetworkInterfaceId };
  if (wire.SourceVSwitchId !== undefined) return { kind: 'subnet', id: wire.SourceVSwitchId };
  return wire.SourceCIDR === undefined ? undefined : { kind: 'network', cidr: asCidr(wire.SourceCIDR) };
}

function dnatEntry(wire: WireForwardEntry): DnatEntry {
  const state = wire.Status ?? 'Available';
  const external = portRange(wire.ExternalPort);
  const internal = portRange(wire.InternalPort);
  return {
    id: wire.ForwardEntryId,
    usable: state === 'Available',
    state,
    protocol: cloudProtocol(wire.IpProtocol),
    externalIp: wire.ExternalIp,
    ...(external === undefined ? {} : { externalPorts: external }),
    internalIp: wire.InternalIp,
    ...(internal === undefined ? {} : { internalPorts: internal }),
  };
}
