import type { Ip } from '#libs/model';
import type { DumpedConn } from '../parse/conntrack.js';
import {
  ACK,
  FIN,
  ICMP,
  ICMPV6,
  makeTuple,
  reverseTuple,
  RST,
  SYN,
  TCP,
  tupleKey,
  tupleOf,
  type ConnTemplate,
  type CtState,
  type Skb,
  type Tuple,
} from '../skb.js';

/** One tracked connection. `reply` is what the answer must look like, after NAT. */
export interface Conn {
  original: Tuple;
  reply: Tuple;
  /** Which manipulations are decided; the first packet decides, for good. */
  sourceDecided: boolean;
  destinationDecided: boolean;
  seenReply: boolean;
  confirmed: boolean;
  tcp: TcpState;
  mark: number;
  /** nf_conntrack_zones.h: each direction is found in its own zone only. */
  readonly zones: { readonly original: number; readonly reply: number };
  readonly helper: string | undefined;
}

const NO_ZONES: Conn['zones'] = { original: 0, reply: 0 };

type TcpState = 'NONE' | 'SYN_SENT' | 'SYN_RECV' | 'ESTABLISHED' | 'CLOSE';

/** What a dump says of the connections that were open. */
export interface DumpedTable {
  readonly entries: ReadonlyMap<string, { readonly conn: DumpedConn; readonly reply: boolean }>;
  /** No room for another connection: nf_conntrack_count has reached nf_conntrack_max. */
  readonly full: boolean;
}

const NO_TEMPLATE: ConnTemplate = {};

interface Link {
  readonly conn: Conn;
  readonly older: Link | undefined;
}

/** The connection table of one namespace during one exchange; connections of the dump are found when the exchange meets them. */
export class ConntrackTable {
  /** Confirmed ones. An exchange makes a handful at most: comparing them is cheaper than hashing. */
  private newest: Link | undefined;

  /** Lines of the dump whose connections this exchange met. */
  readonly revived: string[] = [];

  constructor(private readonly dumped?: DumpedTable) {}

  /** nf_conntrack_in(): finds or makes the connection and sets `skb.ct`. `loose` is nf_conntrack_tcp_loose. Gives `full` when the table has no room. */
  track(skb: Skb, loose: boolean): 'full' | undefined {
    if (skb.ct !== undefined || skb.untracked) return undefined;
    if (skb.icmp?.quoted !== undefined) {
      this.trackError(skb, skb.icmp.quoted, skb.template?.zone ?? NO_ZONES);
      skb.template = undefined;
      return undefined;
    }
    const original = tupleOf(skb);
    const { zone = NO_ZONES, helper } = skb.template ?? NO_TEMPLATE;
    skb.template = undefined;
    const known = this.find(original, zone) ?? (zone.original === 0 ? this.fromDump(original) : undefined);
    if (known !== undefined) {
      follow(skb, known, isSame(known.reply, original));
      return undefined;
    }
    const tcp = firstTcpState(skb, loose);
    if (tcp === undefined) return undefined;
    const conn: Conn = {
      original,
      reply: reverseTuple(original),
      sourceDecided: false,
      destinationDecided: false,
      seenReply: false,
      confirmed: false,
      tcp,
      mark: 0,
      zones: zone,
      helper,
    };
    skb.ct = { conn, reply: false, state: 'NEW' };
    return this.dumped?.full === true ? 'full' : undefined;
  }

  /** Whether any connection is translated. */
  get translates(): boolean {
    for (let link = this.newest; link !== undefined; link = link.older)
      if (!isSame(reverseTuple(link.conn.original), link.conn.reply)) return true;
    return false;
  }

  private find(tuple: Tuple, zone: Conn['zones']): Conn | undefined {
    for (let link = this.newest; link !== undefined; link = link.older) {
      const { conn } = link;
      if (conn.zones.reply === zone.reply && isSame(conn.reply, tuple)) return conn;
      if (conn.zones.original === zone.original && isSame(conn.original, tuple)) return conn;
    }
    return undefined;
  }

  /** A connection that is closing makes room for a new one with the same ports; any other goes on with the translation that it has. */
  private fromDump(tuple: Tuple): Conn | undefined {
    if (this.dumped === undefined || this.dumped.entries.size === 0) return undefined;
    const entry = this.dumped.entries.get(tupleKey(tuple));
    if (entry === undefined || entry.conn.state === 'TIME_WAIT' || entry.conn.state === 'CLOSE') return undefined;
    const { original, reply, mark, seenReply, state, text } = entry.conn;
    const tcp: TcpState =
      original.protocol !== TCP ? 'NONE' : state === 'SYN_SENT' || state === 'SYN_RECV' ? state : 'ESTABLISHED';
    const conn: Conn = {
      original,
      reply,
      sourceDecided: true,
      destinationDecided: true,
      seenReply,
      confirmed: true,
      tcp,
      mark,
      zones: NO_ZONES,
      helper: undefined,
    };
    this.newest = { conn, older: this.newest };
    this.revived.push(text);
    return conn;
  }

  /** __nf_conntrack_confirm(): the packet left or was delivered, so the connection counts from now on. */
  confirm(skb: Skb): void {
    const ct = skb.ct;
    if (ct === undefined || ct.conn.confirmed) return;
    ct.conn.confirmed = true;
    this.newest = { conn: ct.conn, older: this.newest };
  }

  /** nf_conntrack_inet_error(): the quoted packet, turned round, must be one that the connection expects; its direction is the error's. */
  private trackError(skb: Skb, quoted: Tuple, zone: Conn['zones']): void {
    const turned = reverseTuple(quoted);
    const conn = this.find(turned, zone);
    if (conn !== undefined) skb.ct = { conn, reply: isSame(conn.reply, turned), state: 'RELATED' };
  }
}

function isSame(a: Tuple, b: Tuple): boolean {
  return a.dport === b.dport && a.sport === b.sport && a.dst === b.dst && a.src === b.src && a.protocol === b.protocol;
}

function follow(skb: Skb, conn: Conn, reply: boolean): void {
  if (skb.protocol === TCP) {
    const next = nextTcpState(conn.tcp, skb.tcpFlags, reply);
    // An invalid packet keeps no connection: neither NAT nor ct matches see one.
    if (next === undefined) return;
    conn.tcp = next;
  }
  if (reply) conn.seenReply = true;
  const state: CtState = reply || conn.seenReply ? 'ESTABLISHED' : 'NEW';
  skb.ct = { conn, reply, state };
}

/** Types that start a connection: echo, timestamp, information and address mask requests (nf_conntrack_proto_icmp.c, icmpv6.c). */
const ICMP_REQUESTS = { [ICMP]: new Set([8, 13, 15, 17]), [ICMPV6]: new Set([128, 139]) } as const;

/** Row sNO of tcp_conntracks (nf_conntrack_proto_tcp.c); undefined is sIV. Other protocols start anything. */
function firstTcpState(skb: Skb, loose: boolean): TcpState | undefined {
  if (skb.protocol === ICMP || skb.protocol === ICMPV6)
    return ICMP_REQUESTS[skb.protocol].has(skb.icmp?.type ?? -1) ? 'NONE' : undefined;
  if (skb.protocol !== TCP) return 'NONE';
  if (skb.tcpFlags & RST) return undefined;
  if (skb.tcpFlags & SYN) return skb.tcpFlags & ACK ? undefined : 'SYN_SENT';
  if (skb.tcpFlags & FIN) return undefined;
  return loose ? 'ESTABLISHED' : undefined;
}

/** The part of tcp_conntracks that a handshake and one exchange can meet; undefined is sIV. */
function nextTcpState(state: TcpState, flags: number, reply: boolean): TcpState | undefined {
  if (flags & RST) return 'CLOSE';
  if (flags & SYN && flags & ACK) {
    if (reply) return state === 'SYN_SENT' ? 'SYN_RECV' : state;
    return state === 'SYN_SENT' ? undefined : state;
  }
  if (flags & SYN) return state === 'SYN_SENT' || !reply ? state : undefined;
  if (state === 'SYN_SENT') return reply ? state : undefined;
  if (state === 'SYN_RECV') return reply ? state : 'ESTABLISHED';
  return state;
}

/** nf_nat_setup_info() for the destination: rewrites the first packet and what the answer must look like. */
export function translateDestination(skb: Skb, dst: Ip, port: number | undefined): void {
  const ct = skb.ct;
  skb.dst = dst;
  if (port !== undefined) skb.dport = port;
  if (ct === undefined) return;
  ct.conn.destinationDecided = true;
  const { dst: to, protocol, dport } = ct.conn.reply;
  ct.conn.reply = makeTuple({ src: skb.dst, dst: to, protocol, sport: skb.dport, dport });
}

/** The same for the source. `port` undefined keeps the port. */
export function translateSource(skb: Skb, src: Ip, port: number | undefined): void {
  const ct = skb.ct;
  skb.src = src;
  if (port !== undefined) skb.sport = port;
  if (ct === undefined) return;
  ct.conn.sourceDecided = true;
  const { src: from, protocol, sport } = ct.conn.reply;
  ct.conn.reply = makeTuple({ src: from, dst: skb.src, protocol, sport, dport: skb.sport });
}

/**
 * nf_nat_packet() for packets of a known connection: what the hook `manip` stands for is rewritten as the first packet decided.
 * PREROUTING and OUTPUT rewrite destinations, INPUT and POSTROUTING sources; answers get the inverse.
 */
export function applyDecided(skb: Skb, manip: 'destination' | 'source'): boolean {
  const ct = skb.ct;
  if (ct === undefined) return false;
  if (skb.icmp?.quoted !== undefined) return applyToError(skb, ct, manip);
  // What the packet must look like once all manipulations of its direction are done.
  const target = reverseTuple(ct.reply ? ct.conn.original : ct.conn.reply);
  if (manip === 'destination') {
    if (skb.dst === target.dst && skb.dport === target.dport) return false;
    skb.dst = target.dst;
    skb.dport = target.dport;
    return true;
  }
  if (skb.src === target.src && skb.sport === target.sport) return false;
  skb.src = target.src;
  skb.sport = target.sport;
  return true;
}

/** nf_nat_icmp_reply_translation(): where the connection is translated, the error's outer address and the packet that it quotes are too. */
function applyToError(skb: Skb, ct: NonNullable<Skb['ct']>, manip: 'destination' | 'source'): boolean {
  if (skb.icmp?.quoted === undefined) return false;
  const { original, reply } = ct.conn;
  const sourceTranslated = original.src !== reply.dst || original.sport !== reply.dport;
  const destinationTranslated = original.dst !== reply.src || original.dport !== reply.sport;
  if (!((manip === 'source') === ct.reply ? destinationTranslated : sourceTranslated)) return false;
  const other = ct.reply ? original : reply;
  const quoted = skb.icmp.quoted;
  if (manip === 'destination') {
    skb.dst = other.src;
    skb.icmp = { ...skb.icmp, quoted: { ...quoted, src: other.src, sport: other.sport } };
  } else {
    skb.src = other.dst;
    skb.icmp = { ...skb.icmp, quoted: { ...quoted, dst: other.dst, dport: other.dport } };
  }
  return true;
}
