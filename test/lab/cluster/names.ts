import { createHash } from 'node:crypto';
import type { PodSpec } from './spec.js';

/** A MAC that follows from the address, so that dumps of two runs can be compared. */
export function macOf(prefix: string, address: string): string {
  const octets = address.split('.').map((octet) => Number(octet).toString(16).padStart(2, '0'));
  return `${prefix}:${octets.join(':')}`;
}

/** The node's end of a pod's veth: `veth` and 8 digits, or `cali` and 11 as Calico names them. */
export function vethOf(pod: PodSpec, prefix: 'veth' | 'cali' = 'veth'): string {
  const digest = createHash('sha256').update(`${pod.namespace}/${pod.name}`).digest('hex');
  return `${prefix}${digest.slice(0, prefix === 'veth' ? 8 : 11)}`;
}

export function podNetnsName({ namespace, name }: Pick<PodSpec, 'namespace' | 'name'>): string {
  return `pod-${namespace}-${name}`;
}
