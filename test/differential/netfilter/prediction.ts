import { familyOf, formatIp, isLoopback } from '#libs/model';
import {
  ACK,
  ConntrackTable,
  ICMP,
  ICMPV6,
  receive,
  receiveLoopback,
  RST,
  send,
  SYN,
  TCP,
  tupleOf,
  UDP,
  type Answer,
  type NamespaceRun,
  type Outcome,
  type Skb,
} from '#libs/netstack';
import type { NamespaceDump } from '#libs/model';
import { outerMac, ROUTER_LINKS } from '../world/router.js';
import { lengthOf, toBytes, type WirePacket } from '../world/packet-bytes.js';
import { ipOf, protocolOf, type Flow, type FollowUp } from './flow.js';
import { count, portsKey, type Tally } from './tally.js';
import { WatchedNamespace } from './watched-namespace.js';

/** A packet to be put on a link of the router, or sent by itself. */
export interface Injection {
  readonly iif?: string;
  readonly packet: WirePacket;
}

/** What hopscope says of a case: the packets to send, phase by phase, and everything that should be seen. */
export interface Prediction {
  readonly phases: readonly (readonly Injection[])[];
  readonly tally: Tally;
  readonly traversals: number;
}

class Stopped extends Error {
  constructor(
    readonly answer: Answer,
    readonly skb: Skb,
  ) {
    super('stopped');
  }
}

/** What REJECT sends, by iptables' name for it. */
const REJECTS: ReadonlyMap<string, readonly [number, number]> = new Map([
  ['icmp-net-unreachable', [3, 0]],
  ['icmp-host-unreachable', [3, 1]],
  ['icmp-proto-unreachable', [3, 2]],
  ['icmp-port-unreachable', [3, 3]],
  ['icmp-net-prohibited', [3, 9]],
  ['icmp-host-prohibited', [3, 10]],
  ['icmp-admin-prohibited', [3, 13]],
  ['icmp6-no-route', [1, 0]],
  ['icmp6-adm-prohibited', [1, 1]],
  ['icmp6-addr-unreachable', [1, 3]],
  ['icmp6-port-unreachable', [1, 4]],
  // Of family inet, which is asked with packets of IPv4.
  ['icmpx-no-route', [3, 0]],
  ['icmpx-host-unreachable', [3, 1]],
  ['icmpx-port-unreachable', [3, 3]],
  ['icmpx-admin-prohibited', [3, 13]],
]);

type Fate =
  | { readonly kind: 'left'; readonly dev: string; readonly skb: Skb }
  | { readonly kind: 'delivered'; readonly skb: Skb }
  | { readonly kind: 'stopped' };

export function predict(dump: NamespaceDump, flows: readonly Flow[]): Prediction {
  const tally: Tally = new Map();
  const ns = new WatchedNamespace(dump, (rule) => count(tally, rule));
  const walker = new Walker(ns, tally);
  const phases: Injection[][] = [[], [], [], []];
  for (const flow of flows) {
    let injection = firstPacket(flow);
    const firstSent = injection;
    let fate = walker.walk(injection);
    phases[0]?.push(injection);
    const firstFate = fate;
    for (const [index, next] of flow.then.entries()) {
      const made = followUp(next, firstSent, firstFate);
      if (made === undefined) break;
      injection = made;
      fate = walker.walk(injection);
      phases[index + 1]?.push(injection);
    }
  }
  return { phases, tally, traversals: walker.walked };
}

class Walker {
  walked = 0;
  private readonly run: NamespaceRun;
  private rejectedWith = '';

  constructor(
    ns: WatchedNamespace,
    private readonly tally: Tally,
  ) {
    this.run = {
      ns,
      conntrack: new ConntrackTable(),
      // Nothing that is generated here is left to chance or unknown: a question is a finding.
      chooser: {
        pick: (key) => {
          count(tally, `asked to pick ${key}`);
          return 0;
        },
        guess: (what) => {
          count(tally, `cannot tell ${what}`);
          return false;
        },
      },
      recorder: {
        step: ({ kind, text }) => {
          if (kind === 'filter') this.rejectedWith = /^rejected with (\S+)$/.exec(text)?.[1] ?? '';
        },
        obstacle: ({ answer, facts, skb }) => {
          throw new Stopped(facts.code === 'FILTER_REJECT' ? this.sentBy(answer) : answer, skb);
        },
      },
    };
  }

  /** The sender's own error comes first in an answer; the ICMP message to itself is sent all the same. */
  private sentBy(answer: Answer): Answer {
    if (answer.kind !== 'errno') return answer;
    const [type, code] = REJECTS.get(this.rejectedWith) ?? [];
    return type === undefined || code === undefined ? answer : { kind: 'icmp', type, code };
  }

  walk({ iif, packet }: Injection): Fate {
    this.walked++;
    const skb = toSkb(packet, iif);
    try {
      const outcome = iif === undefined ? send(this.run, { ...skb, uid: 0 }) : receive(this.run, iif, skb);
      return this.tell(outcome);
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
      const { answer, skb: stopped } = error;
      // Errors are not answered with errors, resets not with resets.
      if (!this.mayAnswer(stopped)) return { kind: 'stopped' };
      if (answer.kind === 'icmp' && stopped.icmp?.quoted === undefined)
        count(this.tally, `made icmp ${answer.type} ${answer.code}`);
      if (answer.kind === 'reset' && !(stopped.tcpFlags & RST)) count(this.tally, 'made rst');
      return { kind: 'stopped' };
    }
  }

  /** 127.0.0.1 has no way to another host, not even for an error (__mkroute_output()); ::1 has. */
  private mayAnswer({ family, src, dst }: Skb): boolean {
    return family === 6 || !isLoopback(dst) || this.run.ns.owns(src) !== undefined;
  }

  private tell(outcome: Outcome): Fate {
    const { skb } = outcome;
    const ends = `${formatIp(skb.src)} ${formatIp(skb.dst)} ${wirePorts(skb)}`;
    if (outcome.kind === 'stop') return { kind: 'stopped' };
    count(this.tally, `marks ${skb.mark} ${wirePorts(skb)}`);
    if (outcome.kind === 'transmit') {
      count(this.tally, `post${skb.family} ${ends}`);
      count(this.tally, `leave ${outcome.dev} ${wirePorts(skb)}`);
      if (outcome.dev === 'lo') return this.tell(receiveLoopback(this.run, skb));
      return { kind: 'left', dev: outcome.dev, skb: { ...skb } };
    }
    count(this.tally, `into${skb.family} ${ends}`);
    count(this.tally, `enter ${outcome.iif} ${wirePorts(skb)}`);
    // No socket is open here.
    if (!this.mayAnswer(skb)) return { kind: 'stopped' };
    if (skb.protocol === TCP && !(skb.tcpFlags & RST)) count(this.tally, 'made rst');
    if (skb.protocol === UDP) count(this.tally, `made icmp ${skb.family === 4 ? '3 3' : '1 4'}`);
    return { kind: 'delivered', skb: { ...skb } };
  }
}

function wirePorts(skb: Skb): string {
  if (skb.protocol === TCP || skb.protocol === UDP) return portsKey(skb.sport, skb.dport);
  // The sink reads type and code as source port, the checksum as destination port.
  const bytes = toBytes(toWire(skb));
  const at = skb.family === 4 ? 20 : 40;
  const view = Buffer.from(bytes);
  return portsKey(view.readUInt16BE(at), view.readUInt16BE(at + 2));
}

function toWire(skb: Skb): WirePacket {
  const header = skb.family === 4 ? 28 : 48;
  const { icmp } = skb;
  return {
    ...skb,
    icmp:
      icmp === undefined
        ? undefined
        : { type: icmp.type, code: icmp.code, quoted: icmp.quoted && Buffer.alloc(48, 0x60) },
    payloadBytes: skb.protocol === TCP ? 0 : Math.max(0, skb.length - header),
  };
}

function firstPacket(flow: Flow): Injection {
  const protocol = protocolOf(flow);
  const icmp = protocol === ICMP ? { type: 8, code: 0 } : protocol === ICMPV6 ? { type: 128, code: 0 } : undefined;
  const { sport, ttl, payloadBytes, flags } = flow;
  const syn = (flags & SYN) !== 0;
  return {
    iif: flow.iif,
    packet: {
      src: ipOf(flow.src),
      dst: ipOf(flow.dst),
      protocol,
      sport,
      // The two directions of a ping have one identifier.
      dport: icmp === undefined ? flow.dport : sport,
      tcpFlags: flags,
      seq: syn ? 1000 : 1001,
      ack: flags & ACK ? 5001 : 0,
      icmp,
      ttl,
      payloadBytes,
    },
  };
}

/** undefined: where the first packet did not arrive nobody answers. */
function followUp(kind: FollowUp, first: Injection, fate: Fate): Injection | undefined {
  if (kind === 'again') {
    const tcp = first.packet.protocol === TCP;
    return tcp ? { ...first, packet: { ...first.packet, tcpFlags: ACK, seq: 1001, ack: 5001 } } : first;
  }
  if (fate.kind === 'stopped') return undefined;
  const { skb } = fate;
  const iif = fate.kind === 'left' ? fate.dev : undefined;
  const seen = toWire(skb);
  if (kind === 'error') {
    // Routers of the outside tell of errors; the router itself has told already.
    const link = ROUTER_LINKS.find(({ inner }) => inner === iif);
    if (link === undefined || skb.icmp?.quoted !== undefined || skb.tcpFlags & RST) return undefined;
    const v4 = skb.family === 4;
    return {
      iif,
      packet: {
        src: ipOf(v4 ? `${link.v4}.99` : `${link.v6}:99`),
        dst: skb.src,
        protocol: v4 ? ICMP : ICMPV6,
        sport: 0,
        dport: 0,
        tcpFlags: 0,
        icmp: v4 ? { type: 3, code: 1, quoted: toBytes(seen) } : { type: 1, code: 3, quoted: toBytes(seen) },
        ttl: 60,
        payloadBytes: 0,
      },
    };
  }
  const answered = first.packet.tcpFlags & SYN ? SYN | ACK : ACK;
  return {
    iif,
    packet: {
      ...seen,
      src: skb.dst,
      dst: skb.src,
      sport: skb.dport,
      dport: skb.sport,
      tcpFlags: skb.protocol === TCP ? answered : 0,
      seq: answered & SYN ? 5000 : 5001,
      ack: 1001,
      icmp: skb.icmp === undefined ? undefined : { type: skb.family === 4 ? 0 : 129, code: 0 },
      ttl: iif === undefined ? 64 : 62,
    },
  };
}

function toSkb(packet: WirePacket, iif: string | undefined): Skb {
  const { icmp } = packet;
  return {
    family: familyOf(packet.src),
    src: packet.src,
    dst: packet.dst,
    protocol: packet.protocol,
    sport: packet.sport,
    dport: packet.dport,
    tcpFlags: packet.tcpFlags,
    icmp: icmp === undefined ? undefined : { type: icmp.type, code: icmp.code, quoted: quotedTuple(icmp.quoted) },
    ttl: packet.ttl,
    mark: 0,
    length: lengthOf(packet),
    srcMac: iif === undefined ? undefined : outerMac(iif),
  };
}

/** Reads the packet that an error quotes. */
function quotedTuple(bytes: Uint8Array | undefined): ReturnType<typeof tupleOf> | undefined {
  if (bytes === undefined) return undefined;
  const view = Buffer.from(bytes);
  const v4 = (view[0] ?? 0) >> 4 === 4;
  const ip = (at: number): ReturnType<typeof ipOf> =>
    v4
      ? ipOf([...view.subarray(at, at + 4)].join('.'))
      : ipOf(
          (
            view
              .subarray(at, at + 16)
              .toString('hex')
              .match(/.{4}/g) ?? []
          ).join(':'),
        );
  const header = v4 ? 20 : 40;
  const protocol = view[v4 ? 9 : 6] ?? 0;
  const ports = protocol === TCP || protocol === UDP;
  // A ping is known by its identifier.
  const id = view.readUInt16BE(header + 4);
  return {
    src: ip(v4 ? 12 : 8),
    dst: ip(v4 ? 16 : 24),
    protocol,
    sport: ports ? view.readUInt16BE(header) : id,
    dport: ports ? view.readUInt16BE(header + 2) : id,
  };
}
