import { ipv4, parseIp, type Ip } from '#libs/model';
import { ConntrackTable, hook, makeSkb, receive, SYN, TCP, type NamespaceRun, type Skb } from '#libs/netstack';
import { benchNamespace, LOCAL_SET, runOf } from './agreement.js';
import { clusterIp, kubeProxyRules, podIp } from '../test/fixtures/kube-proxy-rules.js';
import { LinearWalker, type LinearPacket } from './linear-walker.js';
import type { Act } from './measure.js';

const PACKETS = 4096;

/**
 * What the nodes see of a bulk in which half of the pairs ask a service and half a pod: each packet crosses two nodes, and at the
 * second the service's address has been translated, so one in four has a service's address.
 */
export type Mix = 'bulk' | 'services' | 'pods';

function destinations(services: number, mix: Mix): Ip[] {
  return Array.from({ length: PACKETS }, (_, index) => {
    // A step that shares no factor with the number of services meets all of them, in no order that a cache would like.
    const service = (index * 7919) % services;
    const isService = mix === 'bulk' ? index % 4 === 0 : mix === 'services';
    const text = isService ? clusterIp(service) : podIp(service, index % 3);
    const ip = parseIp(text);
    if (ip === undefined) throw new Error(`"${text}" is no address`);
    return ip;
  });
}

function packetTo(dst: Ip): Skb {
  return makeSkb({
    family: 4,
    src: ipv4(0x0af4c807),
    dst,
    protocol: TCP,
    sport: 40000,
    dport: 80,
    tcpFlags: SYN,
    ttl: 64,
    mark: 0,
    length: 60,
  });
}

function runner(services: number, mix: Mix, quiet: boolean): (index: number) => { run: NamespaceRun; skb: Skb } {
  const run = runOf(benchNamespace(kubeProxyRules(services)), []);
  const recorder = { quiet, step: () => undefined, obstacle: () => undefined };
  const packets = destinations(services, mix);
  return (index) => ({
    // Each packet is the first of its connection.
    run: { ...run, recorder, conntrack: new ConntrackTable() },
    skb: packetTo(packets[index % PACKETS] ?? ipv4(0)),
  });
}

/** Hooks PREROUTING, FORWARD and POSTROUTING of one packet, by our rules. */
export function indexedTraversal(services: number, mix: Mix = 'bulk'): Act {
  const next = runner(services, mix, true);
  return {
    name: `indexed ${services} ${mix}`,
    run: (index) => {
      const { run, skb } = next(index);
      hook(run, 'PREROUTING', skb, 'cni0', '');
      hook(run, 'FORWARD', skb, 'cni0', 'eth0');
      hook(run, 'POSTROUTING', skb, '', 'eth0');
    },
  };
}

/** The same by the plain walker. */
export function linearTraversal(services: number, mix: Mix = 'bulk'): Act {
  const walker = new LinearWalker(kubeProxyRules(services));
  const packets = destinations(services, mix);
  return {
    name: `linear ${services} ${mix}`,
    run: (index) => {
      const { src, dst, sport, dport, mark } = packetTo(packets[index % PACKETS] ?? ipv4(0));
      const packet: LinearPacket = {
        src,
        dst,
        protocol: 'tcp',
        sport,
        dport,
        mark,
        state: 'NEW',
        iif: 'cni0',
        oif: '',
        local: LOCAL_SET,
      };
      const seen: string[] = [];
      walker.run('nat', 'PREROUTING', packet, seen);
      packet.oif = 'eth0';
      walker.run('filter', 'FORWARD', packet, seen);
      packet.iif = '';
      walker.run('nat', 'POSTROUTING', packet, seen);
    },
  };
}

/** From the first hook to the wire: hooks, routes, checks of the source, and the steps of the trace. */
export function nodeWalk(services: number): Act {
  const next = runner(services, 'bulk', false);
  return {
    name: `walk ${services}`,
    run: (index) => {
      const { run, skb } = next(index);
      receive(run, 'cni0', skb);
    },
  };
}
