import { ICMP, ICMPV6, SCTP, TCP, UDP } from '../../skb.js';
import { fromOptions, parseRange, type Match, type MatchBuilder } from './match.js';

function port(end: 'sport' | 'dport', protocols: readonly number[]): (args: readonly string[]) => Match {
  return ([text = '']) => {
    const range = parseRange(text);
    return ({ skb }) => {
      if (!protocols.includes(skb.protocol)) return false;
      if (end === 'sport' && skb.sportUnknown && range.from !== range.to) return undefined;
      return skb[end] >= range.from && skb[end] <= range.to;
    };
  };
}

const FLAG_BITS: ReadonlyMap<string, number> = new Map(
  Object.entries({
    FIN: 1,
    SYN: 2,
    RST: 4,
    PSH: 8,
    ACK: 16,
    URG: 32,
    ALL: 63,
    NONE: 0,
  }),
);

function flagBits(text: string): number {
  let bits = 0;
  for (const name of text.split(',')) bits |= FLAG_BITS.get(name) ?? 0;
  return bits;
}

function tcpFlags(mask: number, compare: number): Match {
  return ({ skb }) => skb.protocol === TCP && (skb.tcpFlags & mask) === compare;
}

export const tcp: MatchBuilder = (options) =>
  fromOptions(options, {
    '--sport': port('sport', [TCP]),
    '--dport': port('dport', [TCP]),
    '--tcp-flags': ([mask = '', compare = '']) => tcpFlags(flagBits(mask), flagBits(compare)),
    '--syn': () => tcpFlags(flagBits('FIN,SYN,RST,ACK'), flagBits('SYN')),
    // No TCP option but MSS is modelled, and no rule that we know asks for one to exist.
    '--tcp-option': () => () => undefined,
  });

export const udp: MatchBuilder = (options) =>
  fromOptions(options, { '--sport': port('sport', [UDP]), '--dport': port('dport', [UDP]) });

export const sctp: MatchBuilder = (options) =>
  fromOptions(options, {
    '--sport': port('sport', [SCTP]),
    '--dport': port('dport', [SCTP]),
    '--chunk-types': () => () => undefined,
  });

function ports(text: string, ends: readonly ('sport' | 'dport')[]): Match {
  const ranges = text.split(',').map((part) => parseRange(part));
  return ({ skb }) => {
    if (skb.protocol !== TCP && skb.protocol !== UDP && skb.protocol !== SCTP) return false;
    return ends.some((end) => ranges.some(({ from, to }) => skb[end] >= from && skb[end] <= to));
  };
}

export const multiport: MatchBuilder = (options) =>
  fromOptions(options, {
    '--sports': ([text = '']) => ports(text, ['sport']),
    '--dports': ([text = '']) => ports(text, ['dport']),
    '--ports': ([text = '']) => ports(text, ['sport', 'dport']),
  });

/** iptables-save prints types as numbers, `3` or `3/4`, sometimes `any`. */
function icmpType(protocol: number): (args: readonly string[]) => Match {
  return ([text = '']) => {
    const [type, code] = text.split('/');
    return ({ skb }) => {
      if (skb.protocol !== protocol || skb.icmp === undefined) return false;
      if (text === 'any' || type === '255') return true;
      if (type === undefined || !/^\d+$/.test(type)) return undefined;
      return skb.icmp.type === Number(type) && (code === undefined || skb.icmp.code === Number(code));
    };
  };
}

export const icmp: MatchBuilder = (options) => fromOptions(options, { '--icmp-type': icmpType(ICMP) });
export const icmp6: MatchBuilder = (options) => fromOptions(options, { '--icmpv6-type': icmpType(ICMPV6) });
