import type { Family } from '#libs/model';

/** One question to `ip route get`. */
export interface RouteQuestion {
  readonly dst: string;
  readonly src?: string;
  readonly iif?: string;
  readonly oif?: string;
  readonly mark?: number;
  readonly protocol?: 'tcp' | 'udp' | 'icmp';
  readonly sport?: number;
  readonly dport?: number;
  readonly uid?: number;
}

/** Addresses, routes and rules as lines of `ip -batch`; what the kernel refuses is left out. */
export interface RoutingCase {
  readonly family: Family;
  readonly sysctls: Readonly<Record<string, number>>;
  readonly addresses: readonly string[];
  /** Nexthop objects, which routes name by id. */
  readonly nexthops: readonly string[];
  readonly routes: readonly string[];
  readonly rules: readonly string[];
  /** Links to be set down, or whose other end is. */
  readonly links: readonly string[];
  readonly questions: readonly RouteQuestion[];
}

export const DEVICES = ['e0', 'e1', 'e2', 'e3'] as const;

export function questionLine(question: RouteQuestion): string {
  const words = ['route get', question.dst];
  const option = (name: string, value: string | number | undefined): void => {
    if (value !== undefined) words.push(name, String(value));
  };
  option('from', question.src);
  option('iif', question.iif);
  option('oif', question.oif);
  option('mark', question.mark);
  option('uid', question.uid);
  option('ipproto', question.protocol);
  option('sport', question.sport);
  option('dport', question.dport);
  return words.join(' ');
}
