import type { CloudProtocol, Peer, PortMatch, PortRange, SecurityGroup, SecurityRule } from '#libs/provider-kit';
import type { Gathered, GatheredSecurityGroup } from '../gathered.js';
import type { WirePermission } from '../wire/ecs.js';

const ANY = { kind: 'any' } as const;

/** `80/443` or `80` -> from, to; undefined for what is no range: every port (`-1/-1`, `Any`) among it. */
export function portRange(text: string): PortRange | undefined {
  const [, from, to] = /^(\d{1,5})(?:\/(\d{1,5}))?$/.exec(text) ?? [];
  return from === undefined ? undefined : { from: Number(from), to: Number(to ?? from) };
}

/** One range of ports as a rule has it. What cannot be read must match neither everything nor nothing. */
export function portMatch(text: string | undefined): PortMatch {
  if (text === undefined || /^(-1\/-1|any|all)$/i.test(text)) return ANY;
  const range = portRange(text);
  return range === undefined ? { kind: 'unknown', list: text } : { kind: 'ranges', ranges: [range] };
}

const NAMED: Readonly<Record<string, CloudProtocol>> = {
  all: 'all',
  any: 'all',
  tcp: 'tcp',
  udp: 'udp',
  icmp: 'icmp',
  icmpv6: 'icmpv6',
  gre: 'gre',
};

/** Protocols are written in either case, or as an IANA number. */
export function cloudProtocol(text: string): CloudProtocol {
  const named = NAMED[text.toLowerCase()];
  if (named !== undefined) return named;
  const number = Number(text);
  // One that we do not know matches no packet that we look at; 255 is reserved by IANA.
  return Number.isInteger(number) && number >= 0 && number <= 255 ? number : 255;
}

/** Several groups as the model has them. */
export function securityGroups(gathered: Gathered): readonly SecurityGroup[] {
  return gathered.securityGroups.map((item) => securityGroup(item, gathered));
}

/**
 * Basic groups (`normal`) let everything out and nothing in, and members talk freely unless the inner policy is Drop; advanced ones
 * (`enterprise`) deny both, also among members. Source: ecs/user-guide/basic-security-groups-and-advanced-security-groups.
 */
function securityGroup(
  { group, innerAccessPolicy, permissions }: GatheredSecurityGroup,
  gathered: Gathered,
): SecurityGroup {
  const basic = group.SecurityGroupType !== 'enterprise';
  return {
    id: group.SecurityGroupId,
    ...(group.VpcId === undefined ? {} : { networkId: group.VpcId }),
    type: basic ? 'basic' : 'advanced',
    defaults: { ingress: 'deny', egress: basic ? 'allow' : 'deny' },
    insideGroup: basic && innerAccessPolicy !== 'Drop' ? 'allow' : 'rules',
    rules: permissions.map((permission) => securityRule(permission, gathered)),
  };
}

function securityRule(rule: WirePermission, gathered: Gathered): SecurityRule {
  const { prefixLists } = gathered;
  return {
    ...(rule.SecurityGroupRuleId === undefined ? {} : { id: rule.SecurityGroupRuleId }),
    direction: rule.Direction,
    action: rule.Policy.toLowerCase() === 'accept' ? 'allow' : 'deny',
    priority: rule.Priority,
    protocol: cloudProtocol(rule.IpProtocol),
    sourcePorts: ports(rule.SourcePortRange, undefined, gathered.portLists),
    ports: ports(rule.PortRange, rule.PortRangeListId, gathered.portLists),
    source: peer([rule.SourceCidrIp, rule.Ipv6SourceCidrIp], rule.SourceGroupId, rule.SourcePrefixListId, prefixLists),
    destination: peer([rule.DestCidrIp, rule.Ipv6DestCidrIp], rule.DestGroupId, rule.DestPrefixListId, prefixLists),
  };
}

function ports(
  range: string | undefined,
  list: string | undefined,
  lists: ReadonlyMap<string, readonly string[]>,
): PortMatch {
  if (list === undefined) return portMatch(range);
  const ranges = lists.get(list)?.map(portRange);
  if (ranges === undefined || ranges.includes(undefined)) return { kind: 'unknown', list };
  return { kind: 'ranges', ranges: ranges.filter((item) => item !== undefined), list };
}

/** A prefix counts before a group, and a list only when there is neither. */
function peer(
  cidrs: readonly (string | undefined)[],
  group: string | undefined,
  list: string | undefined,
  lists: ReadonlyMap<string, readonly string[]>,
): Peer {
  const networks = cidrs.filter((cidr) => cidr !== undefined).map(asCidr);
  if (networks.length > 0) return { kind: 'networks', cidrs: networks };
  if (group !== undefined) return { kind: 'group', id: group };
  if (list === undefined) return ANY;
  const entries = lists.get(list);
  return entries === undefined ? { kind: 'unknown', list } : { kind: 'networks', cidrs: entries.map(asCidr), list };
}

/** Single addresses are written without a length. */
export function asCidr(text: string): string {
  if (text.includes('/')) return text;
  return `${text}/${text.includes(':') ? 128 : 32}`;
}
