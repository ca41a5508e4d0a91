import { familyOf, formatIp, type NamespaceDump } from '#libs/model';
import {
  ConntrackTable,
  ICMP,
  ICMPV6,
  NetNamespace,
  receive,
  send,
  TCP,
  UDP,
  type Answer,
  type NamespaceRun,
  type Outcome,
} from '#libs/netstack';
import { ipOf } from '../netfilter/flow.js';
import type { RouteQuestion } from './routing-case.js';

class Refused extends Error {
  constructor(
    readonly answer: Answer,
    readonly code: string,
  ) {
    super(code);
  }
}

/** All answers that hopscope holds possible: one, unless several next hops share the load. */
export function askHopscope(ns: NetNamespace, question: RouteQuestion): string[] {
  const answers = new Set<string>();
  const open: number[][] = [[]];
  for (let forced = open.pop(); forced !== undefined && answers.size < 64; forced = open.pop()) {
    const path = forced;
    const asked: { key: string; taken: number }[] = [];
    const pick = (key: string, weights: readonly number[]): number => {
      const known = asked.find((one) => one.key === key);
      if (known !== undefined) return known.taken;
      const taken = path[asked.length] ?? 0;
      if (asked.length >= path.length)
        for (let other = 1; other < weights.length; other++)
          open.push([...path, ...Array<number>(asked.length - path.length).fill(0), other]);
      asked.push({ key, taken });
      return taken;
    };
    answers.add(walk(ns, question, pick));
  }
  return [...answers];
}

function walk(ns: NetNamespace, question: RouteQuestion, pick: NamespaceRun['chooser']['pick']): string {
  let route = '';
  const guesses: string[] = [];
  const run: NamespaceRun = {
    ns,
    conntrack: new ConntrackTable(),
    chooser: {
      pick,
      guess: (what) => {
        guesses.push(what);
        return false;
      },
    },
    recorder: {
      step: (step) => {
        if (step.kind === 'route') route = step.text;
      },
      obstacle: ({ answer, facts }) => {
        throw new Refused(answer, facts.code);
      },
    },
  };
  const answer = answered(run, question, () => route);
  return guesses.length === 0 ? answer : `cannot tell: ${guesses.join('; ')}`;
}

function answered(run: NamespaceRun, question: RouteQuestion, route: () => string): string {
  const { iif, src, oif } = question;
  try {
    const skb = toPacket(question);
    const outcome =
      iif === undefined
        ? send(run, { ...skb, src: src === undefined ? undefined : ipOf(src) }, oif)
        : receive(run, iif, { ...skb, src: ipOf(src ?? question.dst) });
    return describe(outcome, question, route());
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return refusal(error, iif !== undefined);
  }
}

function describe(outcome: Outcome, { iif, src, dst }: RouteQuestion, route: string): string {
  if (outcome.kind === 'stop') return 'stopped without a reason';
  const type = /^route (broadcast|multicast) /.exec(route)?.[1] ?? 'unicast';
  if (outcome.kind === 'deliver') return type === 'unicast' ? 'local' : type;
  const via = outcome.nextHop === ipOf(dst) || outcome.dev === 'lo' ? '' : ` via ${formatIp(outcome.nextHop)}`;
  const to = /^route local /.test(route) ? 'local' : `${type} ${outcome.dev}${via}`;
  return iif === undefined && src === undefined ? `${to} src ${formatIp(outcome.skb.src)}` : to;
}

const ERRNO: Readonly<Record<string, string>> = {
  ENETUNREACH: 'Network is unreachable',
  EHOSTUNREACH: 'No route to host',
  EACCES: 'Permission denied',
  EINVAL: 'Invalid argument',
  EADDRNOTAVAIL: 'Cannot assign requested address',
};

/** inet_rtm_getroute() gives the error of the input route too: ip_error() and the martians have none of their own. */
function refusal({ answer, code }: Refused, input: boolean): string {
  if (answer.kind === 'errno') return ERRNO[answer.errno] ?? answer.errno;
  if (code === 'IFACE_FORWARDING_OFF' || code === 'IP_FORWARD_OFF') return 'No route to host';
  if (answer.kind === 'icmp' && input && answer.type === 1) {
    // ICMPv6 has one number for no route and for a route that says unreachable; the look-up tells them apart.
    const errno = answer.code === 1 ? 'EACCES' : code === 'ROUTE_UNREACHABLE' ? 'EHOSTUNREACH' : 'ENETUNREACH';
    return ERRNO[errno] ?? errno;
  }
  if (answer.kind === 'icmp' && input) {
    const errno = { 0: 'ENETUNREACH', 1: 'EHOSTUNREACH', 13: 'EACCES' }[answer.code];
    return ERRNO[errno ?? ''] ?? `icmp ${answer.type} ${answer.code}`;
  }
  return 'Invalid argument';
}

function toPacket({ dst, mark, protocol, sport, dport, uid }: RouteQuestion) {
  const ip = ipOf(dst);
  const family = familyOf(ip);
  // `ip route get` asks for UDP unless told else (inet_rtm_getroute()); `ip -6 route get` for no protocol.
  const number =
    protocol === undefined
      ? family === 4
        ? UDP
        : 0
      : { tcp: TCP, udp: UDP, icmp: family === 4 ? ICMP : ICMPV6 }[protocol];
  return {
    family,
    dst: ip,
    protocol: number,
    sport: sport ?? 0,
    dport: dport ?? 0,
    tcpFlags: 0,
    ttl: 64,
    mark: mark ?? 0,
    length: 60,
    uid: uid ?? 0,
  };
}

export function namespaceOf(dump: NamespaceDump): NetNamespace {
  return new NetNamespace(dump);
}
