import { icmpError } from './icmp-error.js';
import { formatSocket } from '#libs/model';
import { translateDestination } from './netfilter/conntrack.js';
import type { NamespaceRun } from './outcome.js';
import type { RealServer, VirtualServer } from './parse/ipvs.js';
import { showSkb, type Skb } from './skb.js';

/** Priority of ip_vs in LOCAL_IN (NF_IP_PRI_NAT_SRC - 2) and in LOCAL_OUT (NF_IP_PRI_NAT_DST + 1), net/netfilter/ipvs/ip_vs_core.c. */
export const IPVS_LOCAL_IN = 98;
export const IPVS_LOCAL_OUT = -99;

/** The virtual server that takes a new connection; packets of a known one follow what the first got. */
export function findVirtualServer(run: NamespaceRun, skb: Skb): VirtualServer | undefined {
  const { virtualServers } = run.ns;
  if (virtualServers === undefined || virtualServers.length === 0 || skb.ct?.reply) return undefined;
  return virtualServers.find((service) =>
    service.mark === undefined
      ? service.protocol === skb.protocol &&
        service.ip === skb.dst &&
        (service.port === skb.dport || service.port === 0)
      : service.mark === skb.mark,
  );
}

/**
 * ip_vs_schedule() and ip_vs_nat_xmit(): one server gets the connection. Every scheduler is a fork by weight: what it
 * remembers is in no dump. False: the packet is stopped here.
 */
export function forwardToServer(run: NamespaceRun, service: VirtualServer, skb: Skb): boolean {
  const { ns, chooser, recorder } = run;
  const evidence = {
    kind: 'rule' as const,
    at: ns.place,
    locator: `ipvs/${service.text.split(' ').slice(1, 3).join(' ')}`,
    text: service.text,
  };
  const usable = service.servers.filter((server) => server.weight > 0);
  if (usable.length === 0) {
    recorder.obstacle({
      facts: {
        code: 'IPVS_SERVER_MISSING',
        subject: ns.place,
        evidence: [evidence],
        details: { node: ns.place.name, backend: 'any server' },
      },
      disposition: 'rejected',
      answer: icmpError(skb.family, 'port-unreachable'),
      skb,
    });
    return false;
  }
  const server =
    usable[
      chooser.pick(
        `ipvs ${ns.id} ${service.text} ${skb.src} ${skb.sport}`,
        usable.map((one) => one.weight),
      )
    ];
  if (server === undefined) return false;
  if (server.method !== 'masquerade') return notModelled(run, service, server, skb);
  const before = showSkb(skb);
  translateDestination(skb, server.ip, server.port === 0 ? skb.dport : server.port);
  recorder.step({
    kind: 'translate',
    text: `ipvs to ${formatSocket(skb.dst, skb.dport)}`,
    evidence: { ...evidence, text: server.text },
    before,
    after: showSkb(skb),
  });
  return true;
}

function notModelled(run: NamespaceRun, service: VirtualServer, server: RealServer, skb: Skb): boolean {
  run.chooser.guess(
    `what ipvs of ${run.ns.id} does with the packet (${server.method} forwarding is not modelled): ${service.text}`,
  );
  run.recorder.obstacle({
    facts: {
      code: 'FEATURE_UNSUPPORTED',
      subject: run.ns.place,
      evidence: [{ kind: 'rule', at: run.ns.place, locator: 'ipvs', text: server.text }],
      details: { feature: `ipvs ${server.method}` },
    },
    disposition: 'insufficient-info',
    answer: { kind: 'silence' },
    skb,
  });
  return false;
}
