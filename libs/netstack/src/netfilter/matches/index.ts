import { ICMP, ICMPV6, IPIP, SCTP, TCP, UDP } from '../../skb.js';
import { addrtype, iprange, mac, set } from './addresses.js';
import { connmark, conntrack, helper, mark, stateMatch } from './connection.js';
import { unknownMatch, type Match, type MatchBuilder, type MatchContext, type OptionList } from './match.js';
import { dscp, ecn, tos } from './service-type.js';
import { length, owner, physdev, pkttype, recent, rpfilter, statistic, ttl } from './others.js';
import { icmp, icmp6, multiport, sctp, tcp, udp } from './ports.js';

/** Always true: they count or comment. */
const nothingToAsk: MatchBuilder = () => undefined;
/** Depends on the rate of earlier packets, which no dump holds. */
const rate: MatchBuilder = () => unknownMatch;

/** One line per match; `npm run gen:docs` lists them. */
const MATCHES: Readonly<Record<string, MatchBuilder>> = {
  addrtype,
  comment: nothingToAsk,
  connmark,
  conntrack,
  dscp,
  ecn,
  hashlimit: rate,
  helper,
  hl: ttl,
  icmp,
  icmp6,
  iprange,
  length,
  limit: rate,
  mac,
  mark,
  multiport,
  nfacct: nothingToAsk,
  owner,
  physdev,
  pkttype,
  recent,
  rpfilter,
  sctp,
  set,
  state: stateMatch,
  statistic,
  tcp,
  tos,
  ttl,
  udp,
};

/** undefined: nothing to ask. A match that is not in the table cannot be told; it never voids other rules. */
export function compileMatch(name: string, options: OptionList, context: MatchContext): Match | undefined {
  const build = Object.hasOwn(MATCHES, name) ? MATCHES[name] : undefined;
  return build === undefined ? unknownMatch : build(options, context);
}

export function knownMatches(): string[] {
  return Object.keys(MATCHES);
}

const PROTOCOLS: Readonly<Record<string, number>> = {
  all: 0,
  tcp: TCP,
  udp: UDP,
  icmp: ICMP,
  'ipv6-icmp': ICMPV6,
  icmpv6: ICMPV6,
  sctp: SCTP,
  ipencap: IPIP,
  ipv4: IPIP,
  ipip: 94,
  dccp: 33,
  pim: 103,
  ipcomp: 108,
  l2tp: 115,
  'ipv6-mh': 135,
  'mobility-header': 135,
  ipv6: 41,
  gre: 47,
  esp: 50,
  ah: 51,
  ospf: 89,
  vrrp: 112,
  udplite: 136,
  igmp: 2,
};

/** undefined for a name that is not in the table: whether a packet has that protocol cannot be told. */
export function protocolNumber(name: string): number | undefined {
  const known = Object.hasOwn(PROTOCOLS, name) ? PROTOCOLS[name] : undefined;
  if (known !== undefined) return known;
  const number = Number(name);
  return Number.isInteger(number) && number >= 0 && number <= 255 ? number : undefined;
}
