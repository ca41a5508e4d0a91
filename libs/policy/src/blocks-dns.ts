import type { ClusterIndex, ServiceObject } from '#libs/cluster';
import type { Ip } from '#libs/model';
import type { Finding } from '#libs/provider-kit';
import { describeEnd, denyingPolicies, fieldText, howPoliciesDeny } from './findings.js';
import { enforces } from './enforcers.js';
import { formatPolicyRef } from './policy-ref.js';
import type { PolicyIndex } from './policy-index.js';
import type { DirectionVerdict } from './verdict.js';

export type DnsAnswer =
  | { readonly kind: 'blocked'; readonly finding: Finding }
  | { readonly kind: 'open' }
  /** It does not ask the cluster's DNS, or there is none to ask. */
  | { readonly kind: 'not-applicable'; readonly why: string }
  | { readonly kind: 'unknown'; readonly why: string };

interface DnsBackend {
  readonly ip: Ip;
  readonly port: number;
  readonly protocol: string;
}

/**
 * Whether a pod's egress policies keep it from the cluster's DNS: the one thing that a first egress policy forgets. Policies see the
 * backend and its port, not the Service's (DNAT comes first). Blocked means: over UDP to every backend of the pod's address family.
 */
export function blocksDns(index: PolicyIndex, cluster: ClusterIndex, namespace: string, name: string): DnsAnswer {
  const pod = cluster.pods.get(`${namespace}/${name}`);
  if (pod === undefined) return { kind: 'not-applicable', why: 'there is no such pod' };
  if (pod.hostNetwork) return { kind: 'not-applicable', why: 'no policy selects a pod on the host’s network' };
  if (index.selecting('egress', namespace, name).length === 0) return { kind: 'open' };
  const policy = index.dnsPolicyOf(namespace, name);
  if (policy === 'Default' || policy === 'None')
    return { kind: 'not-applicable', why: `its dnsPolicy is ${policy}: it asks other servers` };
  if (cluster.all('DaemonSet').some(({ metadata }) => metadata.name === 'node-local-dns'))
    return { kind: 'unknown', why: 'node-local-dns may answer on the node itself' };
  const services = [...cluster.services.values()].filter(isClusterDns);
  if (services.length === 0) return { kind: 'unknown', why: 'the snapshot shows no DNS service in kube-system' };
  const [ip] = pod.ips;
  if (ip === undefined) return { kind: 'unknown', why: 'the pod has no address' };
  const backends = services
    .flatMap((service) => dnsBackends(cluster, service))
    .filter((backend) => typeof backend.ip === typeof ip && backend.protocol === 'udp');
  const [first] = backends;
  if (first === undefined)
    return { kind: 'unknown', why: 'the DNS service has no endpoint of the pod’s address family' };
  const source = index.endOfPod(namespace, name, ip);
  const verdicts = backends.map((backend) =>
    index.egress({ source, destination: index.endAt(backend.ip), protocol: backend.protocol, port: backend.port }),
  );
  const open = verdicts.find(({ decision }) => decision !== 'deny');
  if (open?.decision === 'unknown')
    return { kind: 'unknown', why: open.reason.kind === 'undecided' ? open.reason.causes.join('; ') : 'not decided' };
  const [verdict] = verdicts;
  if (open !== undefined || verdict === undefined) return { kind: 'open' };
  if (enforces(index.enforcement, 'kubernetes') === 'no')
    return { kind: 'not-applicable', why: 'nobody enforces policies in this cluster' };
  return { kind: 'blocked', finding: finding(index, verdict, first) };
}

function finding(index: PolicyIndex, verdict: DirectionVerdict, backend: DnsBackend): Finding {
  const policies = denyingPolicies(verdict);
  return {
    code: 'POLICY_BLOCKS_DNS',
    subject: verdict.subject ?? { kind: 'pod', name: '?' },
    evidence: policies.map(({ ref, spec }) => ({
      kind: 'object',
      at: { kind: ref.kind.slice(ref.kind.indexOf('/') + 1).toLowerCase(), namespace: ref.namespace, name: ref.name },
      locator: `${formatPolicyRef(ref)}:spec.egress`,
      text: fieldText(spec, 'spec.egress', 'egress'),
    })),
    details: {
      policies: howPoliciesDeny(verdict),
      destination: describeEnd(index, index.endAt(backend.ip)),
      port: backend.port,
    },
    remedy: `Allow egress to the DNS pods: {"to":[{"namespaceSelector":{"matchLabels":{"kubernetes.io/metadata.name":"kube-system"}},"podSelector":{"matchLabels":{"k8s-app":"kube-dns"}}}],"ports":[{"protocol":"UDP","port":${backend.port}},{"protocol":"TCP","port":${backend.port}}]}`,
  };
}

/** kube-dns is the Service's name whatever serves it (cluster/addons/dns); some distributions name it otherwise and keep port 53. */
function isClusterDns({ namespace, name, ports }: ServiceObject): boolean {
  const named = name === 'kube-dns' || name === 'coredns' || name === 'rke2-coredns-rke2-coredns';
  return (
    ((namespace === 'kube-system' && named) || (namespace === 'openshift-dns' && name === 'dns-default')) &&
    ports.some(({ port }) => port === 53)
  );
}

function dnsBackends(cluster: ClusterIndex, service: ServiceObject): readonly DnsBackend[] {
  const names = service.ports.filter(({ port }) => port === 53).map(({ name }) => name ?? '');
  return cluster
    .slices(service)
    .flatMap(({ ports, endpoints }) =>
      endpoints
        .filter(({ ready }) => ready)
        .flatMap(({ addresses }) =>
          addresses.flatMap((ip) =>
            ports.flatMap(({ name, port, protocol }) =>
              port !== undefined && names.includes(name ?? '') ? [{ ip, port, protocol: protocol.toLowerCase() }] : [],
            ),
          ),
        ),
    );
}
