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

/** conntrack_mt(): the state is asked first; of a packet without a connection nothing else can be asked, negated or not. */
export const conntrack: MatchBuilder = (options) => {
  const states = fromOptions(
    options.filter(({ flag }) => flag === '--ctstate'),
    { '--ctstate': state },
  );
  const others = fromOptions(
    options.filter(({ flag }) => flag !== '--ctstate'),
    CONNTRACK_FIELDS,
  );
  return (env) => {
    const fits = states?.(env) ?? states === undefined;
    if (!fits || env.skb.ct === undefined) return fits && states !== undefined;
    return others === undefined ? true : others(env);
  };
};

const CONNTRACK_FIELDS: Readonly<Record<string, (args: readonly string[]) => Match>> = {
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
      skb.ct?.reply === (text === 'REPLY'),
  // EXPECTED comes from helpers only; a TCP connection is ASSURED once both sides have spoken (nf_conntrack_tcp_packet()).
  '--ctstatus':
    ([text = '']) =>
    ({ skb }) => {
      const wanted = text.split(',');
      const conn = skb.ct?.conn;
      if (conn === undefined) return false;
      if (wanted.includes('ASSURED') && conn.tcp === 'ESTABLISHED' && conn.seenReply) return true;
      return (wanted.includes('SEEN_REPLY') && conn.seenReply) || (wanted.includes('CONFIRMED') && conn.confirmed);
    },
};

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

/** connmark_mt(): a packet without a connection never matches, negated or not. */
export const connmark: MatchBuilder = (options) => {
  const marked = fromOptions(options, {
    '--mark': ([text = '']) => {
      const { value, mask } = parseMark(text);
      return ({ skb }) => skb.ct !== undefined && (skb.ct.conn.mark & mask) >>> 0 === value;
    },
  });
  return (env) => (env.skb.ct === undefined ? false : marked?.(env));
};

/** helper_mt(): a connection has a helper when the target CT gave it one. */
export const helper: MatchBuilder = (options) =>
  fromOptions(options, {
    '--helper':
      ([name = '']) =>
      ({ skb, ns }) => {
        const { conn } = skb.ct ?? {};
        if (conn === undefined) return false;
        // Kernels before 6.0 may choose one by the port.
        if (conn.helper === undefined)
          return ns.sysctl('net.netfilter.nf_conntrack_helper') === '1' ? undefined : false;
        return name === '' || conn.helper === name;
      },
  });
