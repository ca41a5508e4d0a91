import type { AclEntry, CloudProtocol, CloudSnapshot, Peer, PortMatch, SecurityRule } from '#libs/provider-kit';
import type { WireObject, WireWorld } from '../wire-world.js';

/** Named lists that rules use, gathered while the rules are written. */
export interface NamedLists {
  readonly prefixes: Record<string, readonly string[]>;
  readonly ports: Record<string, readonly string[]>;
}

export function wireSecurityGroups(cloud: CloudSnapshot, lists: NamedLists): WireWorld['securityGroups'] {
  return cloud.securityGroups.map((group) => ({
    group: {
      SecurityGroupId: group.id,
      SecurityGroupType: group.type === 'advanced' ? 'enterprise' : 'normal',
      VpcId: group.networkId ?? '',
    },
    innerAccessPolicy: group.insideGroup === 'allow' ? 'Accept' : 'Drop',
    permissions: group.rules.map((rule) => permission(rule, lists)),
  }));
}

function permission(rule: SecurityRule, lists: NamedLists): WireObject {
  return {
    SecurityGroupRuleId: rule.id ?? '',
    Direction: rule.direction,
    Policy: rule.action === 'allow' ? 'Accept' : 'Drop',
    Priority: String(rule.priority ?? 1),
    IpProtocol: wireProtocol(rule.protocol),
    NicType: 'intranet',
    ...portsOf(rule.ports, lists),
    ...(rule.sourcePorts.kind === 'any' ? {} : { SourcePortRange: portText(rule.sourcePorts) }),
    ...peerOf('Source', rule.source, lists),
    ...peerOf('Dest', rule.destination, lists),
  };
}

const wireProtocol = (protocol: CloudProtocol): string => String(protocol).toUpperCase();

function portsOf(match: PortMatch, lists: NamedLists): WireObject {
  if (match.kind === 'unknown') return { PortRangeListId: match.list };
  if (match.kind === 'any' || match.list === undefined) return { PortRange: portText(match) };
  lists.ports[match.list] = match.ranges.map(({ from, to }) => `${from}/${to}`);
  return { PortRangeListId: match.list };
}

function portText(match: PortMatch): string {
  if (match.kind === 'any') return '-1/-1';
  const [range, another] = match.kind === 'ranges' ? match.ranges : [];
  if (range === undefined || another !== undefined) throw new Error('a rule of this cloud has one range of ports');
  return `${range.from}/${range.to}`;
}

function peerOf(side: 'Source' | 'Dest', peer: Peer, lists: NamedLists): WireObject {
  switch (peer.kind) {
    case 'any':
      return {};
    case 'group':
      return { [`${side}GroupId`]: peer.id };
    case 'unknown':
      return { [`${side}PrefixListId`]: peer.list };
    case 'networks':
      if (peer.list !== undefined) {
        lists.prefixes[peer.list] = peer.cidrs;
        return { [`${side}PrefixListId`]: peer.list };
      }
      return Object.fromEntries(peer.cidrs.map((cidr) => [`${cidr.includes(':') ? 'Ipv6' : ''}${side}CidrIp`, cidr]));
  }
}

export function wireNetworkAcls(cloud: CloudSnapshot): readonly WireObject[] {
  return cloud.networkAcls.map((acl) => ({
    NetworkAclId: acl.id,
    VpcId: acl.networkId ?? '',
    IngressAclEntries: { IngressAclEntry: acl.ingress.map((entry) => aclEntry(entry, 'SourceCidrIp')) },
    EgressAclEntries: { EgressAclEntry: acl.egress.map((entry) => aclEntry(entry, 'DestinationCidrIp')) },
    Resources: {
      Resource: acl.subnets.map(({ id, state }) => ({ ResourceId: id, ResourceType: 'VSwitch', Status: state })),
    },
  }));
}

function aclEntry(entry: AclEntry, peerName: string): WireObject {
  const [cidr] = entry.peer.kind === 'networks' ? entry.peer.cidrs : ['0.0.0.0/0'];
  return {
    NetworkAclEntryId: entry.id ?? '',
    Policy: entry.action === 'allow' ? 'accept' : 'drop',
    Protocol: String(entry.protocol),
    Port: portText(entry.ports),
    [peerName]: entry.peer.kind === 'unknown' ? entry.peer.list : cidr,
  };
}
