import { formatSocket, type Evidence, type SuspicionCode } from '#libs/model';
import type { NetNamespace } from './namespace.js';
import type { Socket } from './parse/sockets.js';
import { TCP, UDP, type Skb } from './skb.js';

export type ListenerResult =
  | { readonly kind: 'socket'; readonly socket: Socket; readonly evidence: Evidence }
  | {
      readonly kind: 'none';
      readonly code: SuspicionCode;
      readonly evidence: Evidence;
      readonly details: Readonly<Record<string, string | number>>;
    }
  | { readonly kind: 'unknown'; readonly reason: string };

/** Which socket takes the packet: inet_lookup_listener() and udp4_lib_lookup(). */
export function findListener(ns: NetNamespace, skb: Skb, iif: string): ListenerResult {
  const protocol = skb.protocol === TCP ? 'tcp' : skb.protocol === UDP ? 'udp' : undefined;
  if (ns.sockets === undefined)
    return { kind: 'unknown', reason: ns.missing('ss-listen.txt')?.reason ?? 'not collected' };
  if (protocol === undefined) return { kind: 'unknown', reason: 'not a protocol with ports' };
  const onPort = ns.sockets.filter((socket) => socket.protocol === protocol && socket.port === skb.dport);
  const fits = onPort.filter((socket) => reaches(socket, skb, iif));
  // An exact address wins over any, as the kernel's score does.
  const socket = fits.find((candidate) => candidate.ip !== undefined) ?? fits[0];
  const listeners =
    onPort.length === 0 ? portsOf(ns.sockets, protocol) : onPort.map((one) => one.text.split(' ')[4] ?? '').join(', ');
  const details = { protocol, port: skb.dport, listeners };
  if (socket === undefined) {
    const text =
      onPort.length === 0
        ? `no ${protocol} socket on port ${skb.dport}; there are: ${listeners}`
        : onPort.map((one) => one.text).join('; ');
    return {
      kind: 'none',
      code: whyNot(onPort, skb),
      evidence: { kind: 'socket', at: ns.place, locator: `ss/${protocol}/${skb.dport}`, text },
      details,
    };
  }
  const evidence: Evidence = {
    kind: 'socket',
    at: ns.place,
    locator: `ss/${protocol}/${formatSocket(skb.dst, skb.dport)}`,
    text: socket.text,
  };
  // A listening socket whose accept queue is over its limit drops the SYN (sk_acceptq_is_full()).
  if (protocol === 'tcp' && socket.queue.length > socket.queue.limit)
    return {
      kind: 'none',
      code: 'LISTENER_BACKLOG_FULL',
      evidence,
      details: { ...details, queue: `${socket.queue.length} of ${socket.queue.limit}` },
    };
  return { kind: 'socket', socket, evidence };
}

function reaches(socket: Socket, skb: Skb, iif: string): boolean {
  if (!socket.families.includes(skb.family)) return false;
  if (socket.dev !== undefined && socket.dev !== iif) return false;
  return socket.ip === undefined || socket.ip === skb.dst;
}

function whyNot(onPort: readonly Socket[], skb: Skb): SuspicionCode {
  if (onPort.length === 0) return 'NO_LISTENER';
  if (onPort.every((socket) => !socket.families.includes(skb.family))) return 'LISTENER_WRONG_FAMILY';
  const family = onPort.filter((socket) => socket.families.includes(skb.family));
  if (family.every((socket) => socket.dev !== undefined)) return 'LISTENER_BOUND_TO_DEVICE';
  const loopback = (socket: Socket): boolean =>
    typeof socket.ip === 'number' ? socket.ip >>> 24 === 127 : socket.ip === 1n;
  return family.every(loopback) ? 'LISTENER_LOOPBACK_ONLY' : 'NO_LISTENER';
}

function portsOf(sockets: readonly Socket[], protocol: string): string {
  const ports = [
    ...new Set(sockets.filter((socket) => socket.protocol === protocol).map((socket) => socket.port)),
  ].toSorted((a, b) => a - b);
  return ports.length === 0 ? 'none' : `${ports.slice(0, 20).join(', ')}${ports.length > 20 ? ', ...' : ''}`;
}
