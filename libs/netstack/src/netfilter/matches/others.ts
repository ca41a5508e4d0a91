import { lookupRoute } from '../../routing/lookup.js';
import type { NetNamespace } from '../../namespace.js';
import type { Hook } from '../ruleset.js';
import { fromOptions, parseRange, unknownMatch, type Match, type MatchBuilder } from './match.js';

/** The dice of a rule, as they were named for the packet before. */
interface Dice {
  readonly ns?: NetNamespace;
  readonly hook?: Hook;
  readonly key: string;
}

const NOT_ASKED: Dice = { key: '' };

/** xt_statistic: the kernel rolls dice or counts; either way each outcome is a branch. */
export const statistic: MatchBuilder = (options, { rule }) => {
  const one = (flag: string): string | undefined => options.find((option) => option.flag === flag)?.args[0];
  const invert = options.some((option) => option.invert);
  const every = Number(one('--every') ?? 1);
  const probability = one('--mode') === 'nth' ? 1 / every : Number(one('--probability') ?? 0);
  const matched = invert ? 1 - probability : probability;
  if (!Number.isFinite(matched)) return unknownMatch;
  if (matched <= 0 || matched >= 1) return () => matched >= 1;
  const weights = [matched, 1 - matched];
  // The last name of the dice is kept: making it costs more than the rest of the match.
  let last = NOT_ASKED;
  return ({ chooser, ns, hook }) => {
    if (last.ns !== ns || last.hook !== hook) last = { ns, hook, key: `statistic ${ns.id} ${hook} ${rule.text}` };
    return chooser.pick(last.key, weights) === 0;
  };
};

/**
 * xt_recent: who was seen lately is in no dump. kube-proxy asks one `--rcheck` rule per endpoint, so each is as likely
 * as a client that is new; elsewhere the client counts as new (the rule does not match).
 */
export const recent: MatchBuilder = (options, { rule, chain }) => {
  if (options.some(({ flag }) => flag === '--set')) return undefined;
  const asks = (words: readonly string[]): boolean => words.includes('--rcheck') || words.includes('--update');
  const remaining = chain.rules.filter((other) => other.position >= rule.position && asks(other.words)).length;
  const isJump = /-j [^ ]*$/.test(rule.text) && !/-j (DROP|REJECT|ACCEPT|RETURN)$/.test(rule.text);
  return ({ chooser, ns, hook }) =>
    isJump && chooser.pick(`recent ${ns.id} ${hook} ${rule.text}`, [remaining, 1]) === 1;
};

/** ipt_rpfilter.c: would an answer leave by the interface that the packet came in by? */
export const rpfilter: MatchBuilder = (options) => {
  const has = (flag: string): boolean => options.some((option) => option.flag === flag);
  const loose = has('--loose');
  const acceptLocal = has('--accept-local');
  const validMark = has('--validmark');
  const invert = has('--invert');
  return ({ ns, skb, iif, chooser }) => {
    if (iif === 'lo') return !invert;
    const routing = ns.routing(skb.family);
    if (routing === undefined) return undefined;
    const found = lookupRoute(
      routing,
      {
        dst: skb.src,
        src: skb.dst,
        iif: 'lo',
        mark: validMark ? skb.mark : 0,
        protocol: skb.protocol,
        sport: 0,
        dport: 0,
        tos: 0,
      },
      chooser,
    );
    if (found.kind !== 'route') return invert;
    const fine =
      (found.route.type === 'unicast' || (found.route.type === 'local' && acceptLocal)) &&
      (loose || found.route.nextHops.some((hop) => hop.dev === iif));
    return fine !== invert;
  };
};

function matchesName(pattern: string, name: string): boolean {
  return pattern.endsWith('+') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

export const physdev: MatchBuilder = (options) =>
  fromOptions(options, {
    '--physdev-in':
      ([name = '']) =>
      ({ skb }) =>
        skb.physIn !== undefined && matchesName(name, skb.physIn),
    '--physdev-out':
      ([name = '']) =>
      ({ skb }) =>
        skb.physOut !== undefined && matchesName(name, skb.physOut),
    '--physdev-is-in':
      () =>
      ({ skb }) =>
        skb.physIn !== undefined,
    '--physdev-is-out':
      () =>
      ({ skb }) =>
        skb.physOut !== undefined,
    '--physdev-is-bridged':
      () =>
      ({ skb }) =>
        skb.physIn !== undefined && skb.physOut !== undefined,
  });

function ttlMatch(compare: (ttl: number, value: number) => boolean): (args: readonly string[]) => Match {
  return ([text = '']) =>
    ({ skb }) =>
      compare(skb.ttl, Number(text));
}

export const ttl: MatchBuilder = (options) => {
  const table = {
    eq: ttlMatch((a, b) => a === b),
    lt: ttlMatch((a, b) => a < b),
    gt: ttlMatch((a, b) => a > b),
  };
  return fromOptions(options, {
    '--ttl-eq': table.eq,
    '--ttl-lt': table.lt,
    '--ttl-gt': table.gt,
    '--hl-eq': table.eq,
    '--hl-lt': table.lt,
    '--hl-gt': table.gt,
  });
};

export const length: MatchBuilder = (options) =>
  fromOptions(options, {
    '--length': ([text = '']) => {
      const { from, to } = parseRange(text);
      return ({ skb }) => skb.length >= from && skb.length <= to;
    },
  });

/** Users that service meshes give their proxies (Istio and Envoy 1337, Linkerd 2102): a question is about what an application sends. */
const MESH_PROXIES: ReadonlySet<string> = new Set(['1337', '2102']);

/** Who owns the sending socket. Forwarded packets have no socket here; of a local process the dump knows no user. */
export const owner: MatchBuilder = (options) =>
  fromOptions(options, {
    '--uid-owner':
      ([text = '']) =>
      ({ skb, hook }) => {
        if (hook !== 'OUTPUT' && hook !== 'POSTROUTING') return false;
        if (skb.uid === undefined) return hook === 'OUTPUT' && !MESH_PROXIES.has(text) ? undefined : false;
        const { from, to } = parseRange(text, 0xffffffff);
        return skb.uid >= from && skb.uid <= to;
      },
    '--gid-owner':
      ([text = '']) =>
      ({ hook }) =>
        hook === 'OUTPUT' && !MESH_PROXIES.has(text) ? undefined : false,
    '--socket-exists':
      () =>
      ({ hook }) =>
        hook === 'OUTPUT',
  });

export const pkttype: MatchBuilder = (options) =>
  fromOptions(options, {
    '--pkt-type':
      ([text = '']) =>
      () =>
        text === 'unicast',
  });
