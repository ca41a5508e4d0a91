import { createHash } from 'node:crypto';
import type { Ip } from '#libs/model';
import { backendText } from '../intent/endpoints.js';
import type { ServicePortRef } from '../intent/service-entry.js';

/**
 * Whether a chain is one of a service port. Names are made from it: in iptables mode by hash (portProtoHash() and
 * servicePortEndpointChainName() of pkg/proxy/iptables/proxier.go), in nftables mode in plain text after a hash
 * (servicePortChainNameBase() of pkg/proxy/nftables/proxier.go). Undefined: the name is of no form that kube-proxy uses.
 */
export class ChainNames {
  private readonly hash: string;
  private readonly plain: string;
  private readonly seed: string;
  private readonly endpoints = new Map<string, string>();

  constructor({ service, port }: ServicePortRef) {
    const protocol = port.protocol.toLowerCase();
    const name = `${service.namespace}/${service.name}`;
    this.seed = `${name}${(port.name ?? '') === '' ? '' : `:${port.name ?? ''}`}${protocol}`;
    this.hash = base32Hash(this.seed);
    this.plain = `${name}/${protocol}/${port.name ?? ''}`;
  }

  isOwn(chain: string, backend?: { readonly ip: Ip; readonly port: number }): boolean | undefined {
    const hashed = /^KUBE-(SVC|SVL|EXT|XLB|FW|SEP)-([A-Z2-7]{16})$/.exec(chain);
    if (hashed !== null) {
      if (hashed[1] !== 'SEP') return hashed[2] === this.hash;
      return backend === undefined ? undefined : hashed[2] === this.endpointHash(backendText(backend));
    }
    const plain = /^(?:service|local|external|firewall|endpoint)-[A-Z2-7]{8}-(.*)$/.exec(chain)?.[1];
    // Long names are cut off (nftables allows 128 bytes).
    if (plain === undefined || plain.endsWith('...')) return undefined;
    return plain.split('__')[0] === this.plain;
  }

  /** Asked for every kind of packet; hashing costs more than all else. */
  private endpointHash(backend: string): string {
    let hash = this.endpoints.get(backend);
    if (hash === undefined) this.endpoints.set(backend, (hash = base32Hash(`${this.seed}${backend}`)));
    return hash;
  }
}

/** Chains that choose an endpoint: of all endpoints, or of those of the node. */
export function poolKind(chain: string): 'cluster' | 'local' | undefined {
  if (/^(KUBE-SVC-|service-[A-Z2-7]{8}-)/.test(chain)) return 'cluster';
  return /^(KUBE-SVL-|KUBE-XLB-|local-[A-Z2-7]{8}-)/.test(chain) ? 'local' : undefined;
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** The first 16 letters of base32 (RFC 4648) of SHA-256: its first ten bytes. */
function base32Hash(text: string): string {
  const bytes = createHash('sha256').update(text).digest();
  let letters = '';
  let bits = 0;
  let value = 0;
  for (const byte of bytes.subarray(0, 10)) {
    value = (value << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      letters += ALPHABET.charAt((value >>> bits) & 31);
    }
    value &= (1 << bits) - 1;
  }
  return letters;
}
