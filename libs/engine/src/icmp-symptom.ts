import { type Protocol, type Symptom } from '#libs/model';

/** Stops that a datagram socket hears of later, and not as fatal: a failed ARP. An error of send() itself is always heard. */
export const ASYNCHRONOUS = new Set(['neighbor-unreachable', 'interface-down']);

/** Codes of destination unreachable that end a connected datagram socket: `fatal` in icmp_err_convert[] (net/ipv4/icmp.c). */
const FATAL_CODES = new Set([2, 3, 6, 7, 8, 9, 10, 13, 14, 15]);

export function icmpSymptom(protocol: Protocol, family: number, type: number, code: number): Symptom {
  const refused = family === 4 ? type === 3 && code === 3 : type === 1 && code === 4;
  if (refused) return 'refused';
  if (protocol === 'tcp') return 'unreachable';
  if (family === 6) return type === 1 && code === 1 ? 'unreachable' : 'timeout';
  return type === 3 && FATAL_CODES.has(code) ? 'unreachable' : 'timeout';
}
