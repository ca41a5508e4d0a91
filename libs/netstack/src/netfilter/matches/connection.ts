import type { Tri } from '../../chooser.js';
import { fromOptions, parseMark, parseRange, type Match, type MatchBuilder, type RuleEnv } from './match.js';
import { parseCidr, cidrContains } from '#libs/model';

/** XT_CONNTRACK_STATE: the packet's state, and whether its connection is translated. */
function hasState(env: RuleEnv, states: ReadonlySet<string>): Tri {
  const { skb } = env;
  if (skb.untracked) return states.has('UNTRACKED');
  const ct = skb.ct;
  if (ct === undefined) return states.has('INVALID');
  if (states.has(ct.state)) return true;
  const { original, reply } = ct.conn;
  if (states.has('SNAT') && (original.src !== reply.dst || original.sport !== reply.dport)) return true;
  return states.has('DNAT') && (original.dst !== reply.src || original.dport !== reply.sport);
}

function state([text = '']: readonly string[]): Match {
  const states = new Set(text.split(','));
  return (env) => hasState(env, states);
}

function tupleAddress(direction: 'original' | 'reply', end: 'src' | 'dst'): (args: readonly string[]) => Match {
  return ([text = '']) => {
    const cidr = parseCidr(text);
    return ({ skb }) =>
      skb.ct === undefined ? false : cidr === undefined ? undefined : cidrContains(cidr, skb.ct.conn[direction][end]);
  };
}

function tuplePort(direction: 'original' | 'reply', end: 'sport' | 'dport'): (args: readonly string[]) => Match {
  return ([text = '']) => {
    const { from, to } = parseRange(text);
    return ({ skb }) => {
      if (skb.ct === undefined) return false;
      const port = skb.ct.conn[direction][end];
      return port >= from && port <= to;
    };
  };
}

export const conntrack: MatchBuilder = (options) =>
  fromOptions(options, {
    '--ctstate': state,
    '--ctproto':
      ([text = '']) =>
      ({ skb }) =>
        skb.ct !== undefined && String(skb.ct.conn.original.protocol) === protocolText(text),
    '--ctorigsrc': tupleAddress('original', 'src'),
    '--ctorigdst': tupleAddress('original', 'dst'),
    '--ctreplsrc': tupleAddress('reply', 'src'),
    '--ctrepldst': tupleAddress('reply', 'dst'),
    '--ctorigsrcport': tuplePort('original', 'sport'),
    '--ctorigdstport': tuplePort('original', 'dport'),
    '--ctreplsrcport': tuplePort('reply', 'sport'),
    '--ctrepldstport': tuplePort('reply', 'dport'),
    '--ctdir':
      ([text = '']) =>
      ({ skb }) =>
        skb.ct !== undefined && skb.ct.reply === (text === 'REPLY'),
    '--ctstatus':
      ([text = '']) =>
      ({ skb }) => {
        if (text === 'NONE' || skb.ct === undefined) return skb.ct === undefined;
        const wanted = text.split(',');
        if (wanted.includes('SEEN_REPLY') && skb.ct.conn.seenReply) return true;
        if (wanted.includes('CONFIRMED') && skb.ct.conn.confirmed) return true;
        return wanted.includes('ASSURED') || wanted.includes('EXPECTED') ? undefined : false;
      },
  });

function protocolText(text: string): string {
  return { tcp: '6', udp: '17', icmp: '1' }[text] ?? text;
}

export const stateMatch: MatchBuilder = (options) => fromOptions(options, { '--state': state });

export const mark: MatchBuilder = (options) =>
  fromOptions(options, {
    '--mark': ([text = '']) => {
      const { value, mask } = parseMark(text);
      return ({ skb }) => (skb.mark & mask) >>> 0 === value;
    },
  });

export const connmark: MatchBuilder = (options) =>
  fromOptions(options, {
    '--mark': ([text = '']) => {
      const { value, mask } = parseMark(text);
      return ({ skb }) => skb.ct !== undefined && (skb.ct.conn.mark & mask) >>> 0 === value;
    },
  });
