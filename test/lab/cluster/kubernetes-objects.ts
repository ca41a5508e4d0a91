import type { KubernetesObject } from '#libs/model';
import { stringify } from 'yaml';
import { policyObject } from './policy-objects.js';
import type { CniWiring, Daemon } from '../cni/wiring.js';
import { configMap, CREATED, metadata, ownedBy, uidOf } from './object-metadata.js';
import { endpointsOf, nodeOf, type ClusterSpec, type NodeSpec, type PodSpec, type ServiceSpec } from './spec.js';

const VERSION = 'v1.33.1';
const KUBE_PROXY: Daemon = { namespace: 'kube-system', name: 'kube-proxy', label: { 'k8s-app': 'kube-proxy' } };

/** The objects of a kubeadm cluster, as the API server would return them. */
export function kubernetesObjects(
  cluster: ClusterSpec,
  cni: CniWiring,
  proxyMode: 'iptables' | 'nftables',
): readonly KubernetesObject[] {
  const daemons = [cni.daemon, KUBE_PROXY];
  const namespaces = new Set([
    'default',
    'kube-system',
    cni.daemon.namespace,
    ...cluster.pods.map((pod) => pod.namespace),
  ]);
  return [
    ...[...namespaces].map(namespaceObject),
    ...cluster.nodes.map((node) => nodeObject(node, cni)),
    ...cluster.pods.map((pod) => podObject(pod, cluster)),
    ...daemons.flatMap((daemon) => cluster.nodes.map((node) => daemonPodObject(daemon, node, cluster))),
    ...cluster.services.map(serviceObject),
    ...cluster.services.map((service) => endpointSliceObject(service, cluster)),
    ...(cluster.policies ?? []).map(policyObject),
    ...kubeadmConfigMaps(cluster, proxyMode),
    ...cni.objects(cluster),
    ...daemons.map((daemon) => daemonSetObject(daemon, cluster)),
  ];
}

export function podUid(pod: PodSpec): string {
  return uidOf('Pod', pod.namespace, pod.name);
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

function nodeObject(node: NodeSpec, cni: CniWiring): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: metadata('Node', undefined, node.name, {
      labels: { 'kubernetes.io/arch': 'amd64', 'kubernetes.io/hostname': node.name, 'kubernetes.io/os': 'linux' },
      annotations: cni.nodeAnnotations(node),
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
      ownerReferences: ownedBy('apps/v1', 'StatefulSet', pod.namespace, pod.owner),
    }),
    spec: {
      nodeName: pod.node,
      ...(pod.hostNetwork === true ? { hostNetwork: true } : {}),
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

function daemonSpec({ name, env, command }: Daemon, cluster: ClusterSpec) {
  const variables =
    env === undefined ? {} : { env: Object.entries(env(cluster)).map(([key, value]) => ({ name: key, value })) };
  const started = command === undefined ? {} : { command: command.slice(0, 1), args: command.slice(1) };
  return {
    hostNetwork: true,
    serviceAccountName: name,
    containers: [{ name, image: `registry.lab/${name}:1.0`, ...started, ...variables }],
  };
}

function daemonPodObject(daemon: Daemon, node: NodeSpec, cluster: ClusterSpec): KubernetesObject {
  const { namespace, name, label } = daemon;
  const suffix = uidOf(name, node.name).slice(0, 5);
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: metadata('Pod', namespace, `${name}-${suffix}`, {
      labels: label,
      ownerReferences: ownedBy('apps/v1', 'DaemonSet', namespace, name),
    }),
    spec: { nodeName: node.name, ...daemonSpec(daemon, cluster) },
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
    spec: {
      selector: { matchLabels: label },
      template: { metadata: { labels: label }, spec: daemonSpec(daemon, cluster) },
    },
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
  const { namespace, name, type, clusterIp, selector, port, loadBalancer, externalIps, affinitySeconds } = service;
  const isExternal = type !== 'ClusterIP' || externalIps !== undefined;
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
      internalTrafficPolicy: service.internalTrafficPolicy ?? 'Cluster',
      ...(isExternal ? { externalTrafficPolicy: service.externalTrafficPolicy ?? 'Cluster' } : {}),
      ...(externalIps === undefined ? {} : { externalIPs: externalIps }),
      ...(type === 'LoadBalancer' ? { allocateLoadBalancerNodePorts: true } : {}),
      ...(loadBalancer?.sourceRanges === undefined ? {} : { loadBalancerSourceRanges: loadBalancer.sourceRanges }),
      ...(service.healthCheckNodePort === undefined ? {} : { healthCheckNodePort: service.healthCheckNodePort }),
      ...(affinitySeconds === undefined
        ? { sessionAffinity: 'None' }
        : { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: affinitySeconds } } }),
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
    status: { loadBalancer: loadBalancer === undefined ? {} : { ingress: [{ ip: loadBalancer.ip, ipMode: 'VIP' }] } },
  };
}

function endpointSliceObject(service: ServiceSpec, cluster: ClusterSpec): KubernetesObject {
  const { namespace, name, port } = service;
  const endpoints = endpointsOf(service, cluster).map(({ address, node, pod }) => ({
    addresses: [address],
    conditions: { ready: true, serving: true, terminating: false },
    ...(node === undefined ? {} : { nodeName: node }),
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
      ownerReferences: ownedBy('v1', 'Service', namespace, name),
    }),
    addressType: 'IPv4',
    // The API server returns null, not an empty list, when there is none.
    endpoints: endpoints.length === 0 ? null : endpoints,
    ports: endpoints.length === 0 ? null : ports,
  };
}

function kubeadmConfigMaps(cluster: ClusterSpec, mode: 'iptables' | 'nftables'): readonly KubernetesObject[] {
  const { podNetwork, serviceNetwork } = cluster;
  const kubeProxy = {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    bindAddress: '0.0.0.0',
    clusterCIDR: podNetwork,
    detectLocalMode: '',
    iptables: { localhostNodePorts: null, masqueradeAll: false, masqueradeBit: null },
    mode,
    nodePortAddresses: null,
  };
  const kubeadm = {
    apiVersion: 'kubeadm.k8s.io/v1beta4',
    kind: 'ClusterConfiguration',
    clusterName: cluster.name,
    kubernetesVersion: VERSION,
    networking: { dnsDomain: 'cluster.local', podSubnet: podNetwork, serviceSubnet: serviceNetwork },
  };
  return [
    configMap('kube-system', 'kube-proxy', { 'config.conf': stringify(kubeProxy) }),
    configMap('kube-system', 'kubeadm-config', { ClusterConfiguration: stringify(kubeadm) }),
  ];
}
