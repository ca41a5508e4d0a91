import { createHash } from 'node:crypto';
import type { KubernetesObject } from '#libs/model';
import { stringify } from 'yaml';
import { endpointsOf, nodeOf, type ClusterSpec, type NodeSpec, type PodSpec, type ServiceSpec } from './spec.js';

const CREATED = '2026-11-20T08:00:00Z';
const VERSION = 'v1.33.1';
const NAMESPACES = ['default', 'kube-system', 'kube-flannel'];
const DAEMONS = [
  { namespace: 'kube-flannel', name: 'kube-flannel-ds', label: { app: 'flannel', tier: 'node' } },
  { namespace: 'kube-system', name: 'kube-proxy', label: { 'k8s-app': 'kube-proxy' } },
] as const;

/** The objects of a kubeadm cluster with flannel, as the API server would return them. */
export function kubernetesObjects(cluster: ClusterSpec): readonly KubernetesObject[] {
  return [
    ...NAMESPACES.map(namespaceObject),
    ...cluster.nodes.map(nodeObject),
    ...cluster.pods.map((pod) => podObject(pod, cluster)),
    ...DAEMONS.flatMap((daemon) => cluster.nodes.map((node) => daemonPodObject(daemon, node))),
    ...cluster.services.map(serviceObject),
    ...cluster.services.map((service) => endpointSliceObject(service, cluster)),
    ...configMaps(cluster),
    ...DAEMONS.map((daemon) => daemonSetObject(daemon, cluster)),
  ];
}

export function podUid(pod: PodSpec): string {
  return uidOf('Pod', pod.namespace, pod.name);
}

/** Equal in every run: samples change only where something changed. */
function uidOf(...parts: readonly string[]): string {
  const hex = createHash('sha256').update(parts.join('/')).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function metadata(kind: string, namespace: string | undefined, name: string, more: object = {}) {
  const uid = uidOf(kind, namespace ?? '', name);
  const place = namespace === undefined ? { name } : { name, namespace };
  return { ...place, uid, resourceVersion: '1000', creationTimestamp: CREATED, ...more };
}

function owner(apiVersion: string, kind: string, namespace: string, name: string) {
  return [{ apiVersion, kind, name, uid: uidOf(kind, namespace, name), controller: true, blockOwnerDeletion: true }];
}

function namespaceObject(name: string): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: metadata('Namespace', undefined, name, { labels: { 'kubernetes.io/metadata.name': name } }),
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  };
}

function nodeObject(node: NodeSpec): KubernetesObject {
  const flannel = 'flannel.alpha.coreos.com';
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: metadata('Node', undefined, node.name, {
      labels: { 'kubernetes.io/arch': 'amd64', 'kubernetes.io/hostname': node.name, 'kubernetes.io/os': 'linux' },
      annotations: {
        [`${flannel}/backend-data`]: 'null',
        [`${flannel}/backend-type`]: 'host-gw',
        [`${flannel}/kube-subnet-manager`]: 'true',
        [`${flannel}/public-ip`]: node.address,
      },
    }),
    spec: { podCIDR: node.podCidr, podCIDRs: [node.podCidr] },
    status: {
      addresses: [
        { type: 'InternalIP', address: node.address },
        { type: 'Hostname', address: node.name },
      ],
      conditions: [
        { type: 'NetworkUnavailable', status: 'False', lastTransitionTime: CREATED, reason: 'FlannelIsUp' },
        { type: 'Ready', status: 'True', lastTransitionTime: CREATED, reason: 'KubeletReady' },
      ],
      daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
      nodeInfo: { kubeletVersion: VERSION, operatingSystem: 'linux', architecture: 'amd64' },
    },
  };
}

function podObject(pod: PodSpec, cluster: ClusterSpec): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: metadata('Pod', pod.namespace, pod.name, {
      labels: pod.labels,
      ownerReferences: owner('apps/v1', 'StatefulSet', pod.namespace, pod.owner),
    }),
    spec: {
      nodeName: pod.node,
      serviceAccountName: 'default',
      restartPolicy: 'Always',
      dnsPolicy: 'ClusterFirst',
      containers: [
        {
          name: 'app',
          image: 'registry.lab/responder:1.0',
          ports: pod.ports.map(({ name, port, protocol }) => ({
            name,
            containerPort: port,
            protocol: protocol.toUpperCase(),
          })),
        },
      ],
    },
    status: podStatus(pod.address, nodeOf(pod.node, cluster).address, 'app'),
  };
}

function podStatus(podIP: string, hostIP: string, container: string) {
  const conditions = ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'];
  return {
    phase: 'Running',
    podIP,
    podIPs: [{ ip: podIP }],
    hostIP,
    hostIPs: [{ ip: hostIP }],
    startTime: CREATED,
    qosClass: 'BestEffort',
    conditions: conditions.map((type) => ({ type, status: 'True', lastTransitionTime: CREATED })),
    containerStatuses: [
      { name: container, ready: true, started: true, restartCount: 0, state: { running: { startedAt: CREATED } } },
    ],
  };
}

type Daemon = (typeof DAEMONS)[number];

function daemonSpec({ name }: Daemon) {
  return {
    hostNetwork: true,
    serviceAccountName: name,
    containers: [{ name, image: `registry.lab/${name}:1.0` }],
  };
}

function daemonPodObject(daemon: Daemon, node: NodeSpec): KubernetesObject {
  const { namespace, name, label } = daemon;
  const suffix = uidOf(name, node.name).slice(0, 5);
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: metadata('Pod', namespace, `${name}-${suffix}`, {
      labels: label,
      ownerReferences: owner('apps/v1', 'DaemonSet', namespace, name),
    }),
    spec: { nodeName: node.name, ...daemonSpec(daemon) },
    status: podStatus(node.address, node.address, name),
  };
}

function daemonSetObject(daemon: Daemon, cluster: ClusterSpec): KubernetesObject {
  const { namespace, name, label } = daemon;
  const count = cluster.nodes.length;
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: metadata('DaemonSet', namespace, name, { labels: label }),
    spec: { selector: { matchLabels: label }, template: { metadata: { labels: label }, spec: daemonSpec(daemon) } },
    status: {
      currentNumberScheduled: count,
      desiredNumberScheduled: count,
      numberAvailable: count,
      numberMisscheduled: 0,
      numberReady: count,
    },
  };
}

function serviceObject(service: ServiceSpec): KubernetesObject {
  const { namespace, name, type, clusterIp, selector, port } = service;
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata('Service', namespace, name),
    spec: {
      type,
      clusterIP: clusterIp,
      clusterIPs: [clusterIp],
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
      internalTrafficPolicy: 'Cluster',
      ...(type === 'NodePort' ? { externalTrafficPolicy: 'Cluster' } : {}),
      sessionAffinity: 'None',
      ...(selector === undefined ? {} : { selector }),
      ports: [
        {
          name: port.name,
          protocol: port.protocol.toUpperCase(),
          port: port.port,
          targetPort: port.targetPort,
          ...(port.nodePort === undefined ? {} : { nodePort: port.nodePort }),
        },
      ],
    },
    status: { loadBalancer: {} },
  };
}

function endpointSliceObject(service: ServiceSpec, cluster: ClusterSpec): KubernetesObject {
  const { namespace, name, port } = service;
  const endpoints = endpointsOf(service, cluster).map(({ address, node, pod }) => ({
    addresses: [address],
    conditions: { ready: true, serving: true, terminating: false },
    nodeName: node,
    ...(pod === undefined
      ? {}
      : { targetRef: { kind: 'Pod', namespace: pod.namespace, name: pod.name, uid: podUid(pod) } }),
  }));
  const ports = [{ name: port.name, port: port.targetPort, protocol: port.protocol.toUpperCase() }];
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: metadata('EndpointSlice', namespace, `${name}-${uidOf('slice', namespace, name).slice(0, 5)}`, {
      labels: {
        'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
        'kubernetes.io/service-name': name,
      },
      ownerReferences: owner('v1', 'Service', namespace, name),
    }),
    addressType: 'IPv4',
    // The API server returns null, not an empty list, when there is none.
    endpoints: endpoints.length === 0 ? null : endpoints,
    ports: endpoints.length === 0 ? null : ports,
  };
}

function configMaps(cluster: ClusterSpec): readonly KubernetesObject[] {
  const { podNetwork, serviceNetwork } = cluster;
  const kubeProxy = {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    bindAddress: '0.0.0.0',
    clusterCIDR: podNetwork,
    detectLocalMode: '',
    iptables: { localhostNodePorts: null, masqueradeAll: false, masqueradeBit: null },
    mode: 'iptables',
    nodePortAddresses: null,
  };
  const kubeadm = {
    apiVersion: 'kubeadm.k8s.io/v1beta4',
    kind: 'ClusterConfiguration',
    clusterName: cluster.name,
    kubernetesVersion: VERSION,
    networking: { dnsDomain: 'cluster.local', podSubnet: podNetwork, serviceSubnet: serviceNetwork },
  };
  const cni = {
    name: 'cbr0',
    cniVersion: '0.3.1',
    plugins: [
      { type: 'flannel', delegate: { hairpinMode: true, isDefaultGateway: true } },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  };
  const network = { Network: podNetwork, EnableNFTables: false, Backend: { Type: 'host-gw' } };
  return [
    configMap('kube-system', 'kube-proxy', { 'config.conf': stringify(kubeProxy) }),
    configMap('kube-system', 'kubeadm-config', { ClusterConfiguration: stringify(kubeadm) }),
    configMap('kube-flannel', 'kube-flannel-cfg', {
      'cni-conf.json': `${JSON.stringify(cni, null, 2)}\n`,
      'net-conf.json': `${JSON.stringify(network, null, 2)}\n`,
    }),
  ];
}

function configMap(namespace: string, name: string, data: Readonly<Record<string, string>>): KubernetesObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: metadata('ConfigMap', namespace, name), data };
}
