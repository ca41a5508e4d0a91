import { createHash } from 'node:crypto';
import type { KubernetesObject } from '#libs/model';

export const CREATED = '2026-11-20T08:00:00Z';

/** Equal in every run: samples change only where something changed. */
export function uidOf(...parts: readonly string[]): string {
  const hex = createHash('sha256').update(parts.join('/')).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

export function metadata(kind: string, namespace: string | undefined, name: string, more: object = {}) {
  const uid = uidOf(kind, namespace ?? '', name);
  const place = namespace === undefined ? { name } : { name, namespace };
  return { ...place, uid, resourceVersion: '1000', creationTimestamp: CREATED, ...more };
}

export function ownedBy(apiVersion: string, kind: string, namespace: string, name: string) {
  return [{ apiVersion, kind, name, uid: uidOf(kind, namespace, name), controller: true, blockOwnerDeletion: true }];
}

export function configMap(namespace: string, name: string, data: Readonly<Record<string, string>>): KubernetesObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: metadata('ConfigMap', namespace, name), data };
}
