import { ANALYSIS_CODES } from './suspicion-codes/analysis.js';
import { CLOUD_CODES } from './suspicion-codes/cloud.js';
import { CONNTRACK_CODES } from './suspicion-codes/conntrack.js';
import { ENDPOINT_CODES } from './suspicion-codes/endpoint.js';
import type { CodeEntry } from './suspicion-codes/entry.js';
import { KUBEPROXY_CODES } from './suspicion-codes/kube-proxy.js';
import { LINK_CODES } from './suspicion-codes/link.js';
import { MTU_CODES } from './suspicion-codes/mtu.js';
import { NEIGH_CODES } from './suspicion-codes/neigh.js';
import { NETFILTER_CODES } from './suspicion-codes/netfilter.js';
import { NETPOL_CODES } from './suspicion-codes/network-policy.js';
import { OVERLAY_CODES } from './suspicion-codes/overlay.js';
import { ROUTE_CODES } from './suspicion-codes/route.js';
import { SERVICE_CODES } from './suspicion-codes/service.js';
import { SYSCTL_CODES } from './suspicion-codes/sysctl.js';

export type { CodeEntry, Layer, Level } from './suspicion-codes/entry.js';

/** Every code there is, one file a layer. Append-only: a code never changes its meaning, texts may be improved. */
export const SUSPICION_CODES = {
  ...ENDPOINT_CODES,
  ...LINK_CODES,
  ...MTU_CODES,
  ...ROUTE_CODES,
  ...NEIGH_CODES,
  ...SYSCTL_CODES,
  ...NETFILTER_CODES,
  ...SERVICE_CODES,
  ...KUBEPROXY_CODES,
  ...CONNTRACK_CODES,
  ...NETPOL_CODES,
  ...OVERLAY_CODES,
  ...CLOUD_CODES,
  ...ANALYSIS_CODES,
} as const satisfies Record<string, CodeEntry>;

export type SuspicionCode = keyof typeof SUSPICION_CODES;

export function isSuspicionCode(text: string): text is SuspicionCode {
  return Object.hasOwn(SUSPICION_CODES, text);
}
