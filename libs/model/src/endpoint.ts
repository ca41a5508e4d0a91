import { HopscopeError } from './errors.js';
import { formatIp, parseIp, type Ip } from './ip.js';

/** What a user wrote for a source or destination, parsed; not yet looked up. */
export type EndpointRef =
  | { readonly kind: 'ip'; readonly ip: Ip }
  | { readonly kind: 'external'; readonly ip: Ip }
  | { readonly kind: 'node'; readonly name: string }
  | { readonly kind: 'pod' | 'service'; readonly namespace: string; readonly name: string };

/** An endpoint after look-up. `ip` is null when the reference names nothing that has an address. */
export interface Endpoint {
  readonly kind: 'pod' | 'node' | 'service' | 'external' | 'unknown';
  readonly namespace?: string;
  readonly name?: string;
  readonly node?: string;
  readonly ip: string | null;
  /** The reference as asked, normalised. */
  readonly ref: string;
}

const WORKLOADS = new Set(['deployment', 'statefulset', 'daemonset']);
const FORMS = 'an IP, pod/<namespace>/<name>, node/<name>, service/<namespace>/<name> or external/<ip>';
// DNS-1123 subdomain, RFC 1123; what Kubernetes accepts as a name.
const NAME = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

/** Throws HopscopeError INVALID_REFERENCE when `text` has none of the forms of docs/reference. */
export function parseEndpointRef(text: string): EndpointRef {
  const ip = parseIp(text);
  if (ip !== undefined) return { kind: 'ip', ip };
  const parts = text.split('/');
  const [kind, first = '', second = ''] = parts;
  if (kind === 'external' && parts.length === 2) {
    const address = parseIp(first);
    if (address !== undefined) return { kind: 'external', ip: address };
  }
  if (kind === 'node' && parts.length === 2 && NAME.test(first)) return { kind, name: first };
  if ((kind === 'pod' || kind === 'service') && parts.length === 3 && NAME.test(first) && NAME.test(second))
    return { kind, namespace: first, name: second };
  if (kind !== undefined && WORKLOADS.has(kind) && parts.length === 3)
    throw new HopscopeError(
      'REFERENCE_NEEDS_EXPANSION',
      `"${shorten(text)}" names many pods; name one pod here, or use a run's matrix`,
    );
  throw new HopscopeError('INVALID_REFERENCE', `"${shorten(text)}" is not a reference: use ${FORMS}`);
}

export function formatEndpointRef(ref: EndpointRef): string {
  switch (ref.kind) {
    case 'ip':
      return formatIp(ref.ip);
    case 'external':
      return `external/${formatIp(ref.ip)}`;
    case 'node':
      return `node/${ref.name}`;
    default:
      return `${ref.kind}/${ref.namespace}/${ref.name}`;
  }
}

function shorten(text: string): string {
  const clean = text.replace(/[^\x20-\x7e]/g, '?');
  return clean.length > 80 ? `${clean.slice(0, 77)}...` : clean;
}

/** `pod default/web-0 (10.244.1.2)`, for people. */
export function describeEndpoint(endpoint: Endpoint): string {
  if (endpoint.name === undefined) return endpoint.ip ?? endpoint.ref;
  const name = endpoint.namespace === undefined ? endpoint.name : `${endpoint.namespace}/${endpoint.name}`;
  return `${endpoint.kind} ${name}${endpoint.ip === null ? '' : ` (${endpoint.ip})`}`;
}
