import type { ClusterIndex } from '#libs/cluster';
import { formatIp, formatSocket, type Evidence, type Place, type Skipped } from '#libs/model';
import type { NetNamespace, RealServer, VirtualServer } from '#libs/netstack';
import type { Finding } from '#libs/provider-kit';
import { backendText, type ProxyEndpoint } from '../intent/endpoints.js';
import type { ServiceIntent } from '../intent/expected.js';
import { isExternalLocal, isInternalLocal, placeOfService, type ServiceEntry } from '../intent/service-entry.js';
import { entryKey } from '../programmed/iptables.js';
import { protocolNumber } from '../programmed/iptables-rule.js';
import { uniqueFindings, type ProxyCheck } from './proxy-check.js';

/** The device that owns the service addresses, so that INPUT gets the packets (pkg/proxy/ipvs/proxier.go defaultDummyDevice). */
const DEVICE = 'kube-ipvs0';

/** An entry in ipvs mode: its virtual server, the real servers behind it, and its address on kube-ipvs0. */
export function compareIpvs(ns: NetNamespace, intent: ServiceIntent, entry: ServiceEntry): ProxyCheck {
  const servers = ns.virtualServers;
  if (servers === undefined) {
    const reason = `ipvs of ${ns.place.name} was not collected (ipvsadm-save.txt): its servers are not compared`;
    return { findings: [], skipped: [{ code: 'NETNS_NOT_COLLECTED', reason, at: ns.place }] };
  }
  const virtual = virtualIndex(ns, servers).get(keyOf(entry));
  const subject = placeOfService(entry.service);
  const common = { ns, entry, subject };
  const findings: Finding[] = [];
  const skipped: Skipped[] = [];
  if (virtual === undefined) findings.push(missingVirtual(common));
  else {
    findings.push(...compareServers(common, virtual, wantedServers(intent, entry)));
    findings.push(...compareAffinity(common, virtual));
  }
  const address = missingAddress(common);
  if (address === 'unknown')
    skipped.push({ code: 'NETNS_NOT_COLLECTED', reason: `addresses of ${DEVICE} were not collected`, at: ns.place });
  else findings.push(...address);
  return { findings: uniqueFindings(findings), skipped };
}

interface Common {
  readonly ns: NetNamespace;
  readonly entry: ServiceEntry;
  readonly subject: Place;
}

/**
 * syncEndpoint(): with a traffic policy Local the endpoints of this node; without one there all of them, so that pods still get
 * through (kubernetes#97081), unless both policies are Local.
 */
function wantedServers(intent: ServiceIntent, entry: ServiceEntry): readonly ProxyEndpoint[] {
  const { cluster, local, hasAny } = intent.categories(entry);
  const { service } = entry;
  const onlyLocal = entry.kind === 'clusterIP' ? isInternalLocal(service) : isExternalLocal(service);
  if (!onlyLocal) return cluster;
  if (local.length > 0) return local;
  return hasAny && isInternalLocal(service) && isExternalLocal(service) ? [] : cluster;
}

function missingVirtual({ ns, entry, subject }: Common): Finding {
  const { ip, dport, port } = entry;
  const text = `no virtual server for ${formatSocket(formatIp(ip), dport)}/${port.protocol}`;
  return {
    code: 'IPVS_SERVICE_MISSING',
    subject,
    evidence: [{ kind: 'chain', at: ns.place, locator: 'ipvs', text }],
    details: { node: ns.place.name },
  };
}

function compareServers(common: Common, virtual: VirtualServer, wanted: readonly ProxyEndpoint[]): Finding[] {
  const { ns, subject } = common;
  const byName = new Map(virtual.servers.map((server) => [backendText(server), server]));
  const expected = new Set(wanted.map(backendText));
  const evidence = (text: string): Evidence => ({ kind: 'rule', at: ns.place, locator: locatorOf(virtual), text });
  const details = (backend: string) => ({ node: ns.place.name, backend });
  const findings: Finding[] = [];
  for (const endpoint of wanted) {
    const backend = backendText(endpoint);
    const server = byName.get(backend);
    if (server !== undefined && server.weight > 0) continue;
    const object: Evidence = {
      kind: 'object',
      at: subject,
      locator: `EndpointSlice/${endpoint.slice}:endpoints`,
      text: `${backend} is ready`,
    };
    findings.push({
      code: 'IPVS_SERVER_MISSING',
      subject,
      evidence: [evidence(server?.text ?? virtual.text), object],
      details: details(backend),
    });
  }
  for (const server of virtual.servers) {
    const backend = backendText(server);
    // Weight 0: kube-proxy lets the connections of a removed endpoint end (graceful termination).
    if (!expected.has(backend) && server.weight > 0)
      findings.push({
        code: 'IPVS_SERVER_EXTRA',
        subject,
        evidence: [evidence(server.text)],
        details: details(backend),
      });
    else if (expected.has(backend)) findings.push(...wrongServer(common, virtual, server));
  }
  return findings;
}

/** kube-proxy gives every server weight 1 and masquerading (NAT) forwarding. */
function wrongServer({ ns, subject }: Common, virtual: VirtualServer, server: RealServer): Finding[] {
  const problem =
    server.method !== 'masquerade'
      ? `it forwards to ${backendText(server)} without NAT`
      : server.weight > 1
        ? `${backendText(server)} has weight ${server.weight}, the others 1`
        : undefined;
  if (problem === undefined) return [];
  return [
    {
      code: 'PROXY_RULE_WRONG',
      subject,
      evidence: [{ kind: 'rule', at: ns.place, locator: locatorOf(virtual), text: server.text }],
      details: { node: ns.place.name, problem },
    },
  ];
}

function compareAffinity({ ns, entry, subject }: Common, virtual: VirtualServer): Finding[] {
  const seconds = /(?:^| )-p (\d+)/.exec(virtual.text)?.[1];
  const { affinitySeconds } = entry.service;
  const actual = virtual.persistent ? Number(seconds ?? 300) : undefined;
  if (actual === affinitySeconds) return [];
  const problem =
    affinitySeconds === undefined
      ? `it keeps clients on one backend for ${actual ?? 0} seconds, which the service does not ask for`
      : actual === undefined
        ? 'it does not keep clients on one backend (sessionAffinity ClientIP)'
        : `it keeps clients for ${actual} seconds, the service says ${affinitySeconds}`;
  return [
    {
      code: 'PROXY_RULE_WRONG',
      subject,
      evidence: [{ kind: 'rule', at: ns.place, locator: locatorOf(virtual), text: virtual.text }],
      details: { node: ns.place.name, problem },
    },
  ];
}

/** Node ports are asked for at the node's own addresses; all others have to be on kube-ipvs0. */
function missingAddress({ ns, entry, subject }: Common): Finding[] | 'unknown' {
  if (entry.kind === 'nodePort') return [];
  if (ns.links === undefined) return 'unknown';
  const device = ns.link(DEVICE);
  if (device?.addresses.some(({ ip }) => ip === entry.ip) === true) return [];
  const address = formatIp(entry.ip);
  return [
    {
      code: 'IPVS_ADDRESS_MISSING',
      subject,
      evidence: [
        {
          kind: 'address',
          at: { ...ns.place, interface: DEVICE },
          locator: DEVICE,
          text:
            device === undefined
              ? `there is no ${DEVICE}`
              : `${address} is not among its ${device.addresses.length} addresses`,
        },
      ],
      details: { node: ns.place.name, address },
    },
  ];
}

/** What all services of a node in ipvs mode share. */
export function ipvsNodeFindings(ns: NetNamespace): Finding[] {
  if (ns.links === undefined || ns.link(DEVICE) !== undefined) return [];
  return [
    {
      code: 'IPVS_ADDRESS_MISSING',
      subject: ns.place,
      evidence: [{ kind: 'link', at: ns.place, locator: DEVICE, text: `there is no ${DEVICE}` }],
      details: { node: ns.place.name, address: 'every service address' },
    },
  ];
}

/** Virtual servers that no service has. Those at other addresses of the node are its node ports. */
export function unwantedServers(ns: NetNamespace, cluster: ClusterIndex, wanted: ReadonlySet<string>): Finding[] {
  return (ns.virtualServers ?? []).flatMap((virtual): Finding[] => {
    const { ip, port, protocol = 0 } = virtual;
    // Firewall marks and port 0 are not of kube-proxy.
    if (ip === undefined || port === 0) return [];
    const isNodePort = wanted.has(entryKey(undefined, protocol, port)) && !cluster.isServiceAddress(ip);
    if (wanted.has(entryKey(ip, protocol, port)) || isNodePort) return [];
    return [
      {
        code: 'PROXY_STALE_SERVICE',
        subject: ns.place,
        evidence: [{ kind: 'rule', at: ns.place, locator: locatorOf(virtual), text: virtual.text }],
        details: { node: ns.place.name, destination: formatSocket(formatIp(ip), port) },
      },
    ];
  });
}

const INDEXES = new WeakMap<NetNamespace, ReadonlyMap<string, VirtualServer>>();

/** By address, protocol and port; a snapshot's namespace never changes, so the index is made once. */
function virtualIndex(ns: NetNamespace, servers: readonly VirtualServer[]): ReadonlyMap<string, VirtualServer> {
  const known = INDEXES.get(ns);
  if (known !== undefined) return known;
  const index = new Map<string, VirtualServer>();
  for (const server of servers)
    if (server.ip !== undefined) index.set(entryKey(server.ip, server.protocol ?? 0, server.port), server);
  INDEXES.set(ns, index);
  return index;
}

function keyOf({ ip, port, dport }: ServiceEntry): string {
  return entryKey(ip, protocolNumber(port.protocol) ?? 0, dport);
}

function locatorOf({ text }: VirtualServer): string {
  return `ipvs/${text.split(' ').slice(1, 3).join(' ')}`;
}
