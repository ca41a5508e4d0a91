import type { DumpTarget } from '#libs/collector';
import type { Socket } from './spec.js';

/** One network namespace to build, in the order of the plan. */
export interface NamespacePlan {
  /** Unique in the lab; the namespace's name is made from it. */
  readonly name: string;
  /** Set before any link is made, so that links inherit them. */
  readonly sysctls: Readonly<Record<string, string | number>>;
  /** The same for settings that not every kernel has in a namespace. */
  readonly sysctlsIfThere?: Readonly<Record<string, string | number>>;
  /** Lines for `ip -batch`, run when all namespaces are there. */
  readonly ip: readonly string[];
  /** Lines for `ip -batch`, run when the lines of all namespaces are done: what needs the other end. */
  readonly ipLater?: readonly string[];
  /** Lines for `bridge -batch`, after those of ipLater. */
  readonly bridge?: readonly string[];
  /** Set when all links are there. */
  readonly sysctlsLater?: Readonly<Record<string, string | number>>;
  /** For `ipset restore`, before the rules that name the sets. */
  readonly ipset?: string;
  /** For iptables-nft-restore. */
  readonly iptables?: string;
  /** For iptables-legacy-restore. */
  readonly legacyIptables?: string;
  /** For `nft -f`, after the iptables rules. */
  readonly nft?: string;
  readonly listens: readonly Socket[];
  /** What listeners give as their own address for UDP, where the socket does not know it. */
  readonly address?: string;
  /** How it stands in the snapshot; absent: it is not dumped. */
  readonly dump?: Omit<DumpTarget, 'netnsInode'>;
}
