import type { KubernetesObject } from '#libs/model';
import { metadata } from './object-metadata.js';
import {
  isGlobal,
  type Direction,
  type PolicyPeer,
  type PolicyPort,
  type PolicyRule,
  type PolicySpec,
} from './network-policy.js';

/** The object that a user writes. */
export function policyObject(policy: PolicySpec): KubernetesObject {
  return isGlobal(policy) ? globalPolicy(policy) : networkPolicy(policy);
}

const TYPES = { ingress: 'Ingress', egress: 'Egress' } as const;

function typesOf(policy: PolicySpec): readonly string[] {
  return (['ingress', 'egress'] as const).flatMap((direction) =>
    policy[direction] === undefined ? [] : [TYPES[direction]],
  );
}

function networkPolicy(policy: PolicySpec): KubernetesObject {
  const { namespace, name, podLabels, ingress, egress } = policy;
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: metadata('NetworkPolicy', namespace, name),
    spec: {
      podSelector: { matchLabels: podLabels },
      policyTypes: typesOf(policy),
      ...(ingress === undefined ? {} : { ingress: ingress.map((rule) => networkRule(rule, 'from')) }),
      ...(egress === undefined ? {} : { egress: egress.map((rule) => networkRule(rule, 'to')) }),
    },
  };
}

function networkRule({ peers, ports }: PolicyRule, word: 'from' | 'to'): object {
  return {
    ...(peers === undefined ? {} : { [word]: peers.map(networkPeer) }),
    ...(ports === undefined
      ? {}
      : { ports: ports.map(({ protocol, ...rest }) => ({ protocol: protocol.toUpperCase(), ...rest })) }),
  };
}

function networkPeer(peer: PolicyPeer): object {
  if ('cidr' in peer) return { ipBlock: { cidr: peer.cidr, ...(peer.except ? { except: peer.except } : {}) } };
  const { podLabels, namespace } = peer;
  const namespaces = namespace === '*' ? {} : { matchLabels: { 'kubernetes.io/metadata.name': namespace } };
  return {
    ...(podLabels === undefined ? {} : { podSelector: { matchLabels: podLabels } }),
    ...(namespace === undefined ? {} : { namespaceSelector: namespaces }),
  };
}

/** As calicoctl stores it without an API server of its own: crd.projectcalico.org/v1. */
function globalPolicy(policy: PolicySpec): KubernetesObject {
  const { name, podLabels, order = 1000, ingress, egress } = policy;
  const rules = (direction: Direction, list: readonly PolicyRule[] | undefined) =>
    list === undefined ? {} : { [direction]: list.flatMap((rule) => globalRules(rule, direction)) };
  return {
    apiVersion: 'crd.projectcalico.org/v1',
    kind: 'GlobalNetworkPolicy',
    metadata: metadata('GlobalNetworkPolicy', undefined, `default.${name}`),
    spec: {
      tier: 'default',
      order,
      selector: selectorOf(podLabels),
      types: typesOf(policy),
      ...rules('ingress', ingress),
      ...rules('egress', egress),
    },
  };
}

function globalRules({ action = 'Allow', peers = [{}], ports = [] }: PolicyRule, direction: Direction): object[] {
  const protocols = [...new Set(ports.map(({ protocol }) => protocol))];
  return peers.flatMap((peer) =>
    (protocols.length === 0 ? [undefined] : protocols).map((protocol) => {
      const own = ports.filter((port) => port.protocol === protocol);
      const peerSide = globalPeer(peer);
      const portSide = own.length === 0 ? {} : { ports: own.map(portText) };
      const [source, destination] = direction === 'ingress' ? [peerSide, portSide] : [{}, { ...peerSide, ...portSide }];
      return {
        action,
        ...(protocol === undefined ? {} : { protocol: protocol.toUpperCase() }),
        ...(Object.keys(source).length === 0 ? {} : { source }),
        ...(Object.keys(destination).length === 0 ? {} : { destination }),
      };
    }),
  );
}

function globalPeer(peer: PolicyPeer): object {
  if ('cidr' in peer) return { nets: [peer.cidr], ...(peer.except === undefined ? {} : { notNets: peer.except }) };
  const { podLabels, namespace = '*' } = peer;
  return {
    ...(podLabels === undefined ? {} : { selector: selectorOf(podLabels) }),
    ...(namespace === '*' ? {} : { namespaceSelector: `kubernetes.io/metadata.name == '${namespace}'` }),
  };
}

function portText({ port, endPort }: PolicyPort): number | string {
  if (port === undefined) throw new Error('lab: a port of a global policy needs a number or a name');
  return endPort === undefined ? port : `${port}:${endPort}`;
}

function selectorOf(labels: Readonly<Record<string, string>>): string {
  const terms = Object.entries(labels).map(([key, value]) => `${key} == '${value}'`);
  return terms.length === 0 ? 'all()' : terms.join(' && ');
}
