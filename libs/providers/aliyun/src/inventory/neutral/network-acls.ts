import type { AclEntry, NetworkAcl, Peer } from '#libs/provider-kit';
import type { WireNetworkAcl } from '../wire/vpc.js';
import { asCidr, cloudProtocol, portMatch } from './rules.js';

/** DNS and metadata of the cloud pass every ACL. Source: vpc/network-acl-overview. */
const ALWAYS_ALLOWED = ['100.100.2.128/28', '100.100.2.112/28', '100.100.100.200/32'];

/** Entries stand in the order in which they are asked; a packet that none matches is dropped. */
export function networkAcl(acl: WireNetworkAcl): NetworkAcl {
  return {
    id: acl.NetworkAclId,
    ...(acl.VpcId === undefined ? {} : { networkId: acl.VpcId }),
    ingress: acl.IngressAclEntries.map((entry) => aclEntry(entry, entry.SourceCidrIp)),
    egress: acl.EgressAclEntries.map((entry) => aclEntry(entry, entry.DestinationCidrIp)),
    defaultAction: 'deny',
    alwaysAllowed: ALWAYS_ALLOWED,
    subnets: acl.Resources.map(({ ResourceId, Status = 'BINDED' }) => ({
      id: ResourceId,
      usable: Status === 'BINDED',
      state: Status,
    })),
  };
}

function aclEntry(
  entry: WireNetworkAcl['IngressAclEntries'][number] | WireNetworkAcl['EgressAclEntries'][number],
  peer: string,
): AclEntry {
  return {
    ...(entry.NetworkAclEntryId === undefined ? {} : { id: entry.NetworkAclEntryId }),
    action: entry.Policy.toLowerCase() === 'accept' ? 'allow' : 'deny',
    protocol: cloudProtocol(entry.Protocol),
    ports: portMatch(entry.Port),
    peer: aclPeer(peer),
  };
}

/** A prefix, or the id of a list of prefixes, whose entries these calls do not give. */
const aclPeer = (text: string): Peer =>
  /^[0-9a-f.:]+(\/\d+)?$/i.test(text) ? { kind: 'networks', cidrs: [asCidr(text)] } : { kind: 'unknown', list: text };
