import type { Family } from '#libs/model';

/** Errors that hosts and routers send, by what they mean. */
export type IcmpError = 'no-route' | 'host-unreachable' | 'port-unreachable' | 'prohibited' | 'hop-limit' | 'too-big';

/** RFC 792 and RFC 1812; RFC 4443. */
const NUMBERS: Readonly<Record<IcmpError, Readonly<Record<Family, readonly [type: number, code: number]>>>> = {
  'no-route': { 4: [3, 0], 6: [1, 0] },
  'host-unreachable': { 4: [3, 1], 6: [1, 3] },
  'port-unreachable': { 4: [3, 3], 6: [1, 4] },
  prohibited: { 4: [3, 13], 6: [1, 1] },
  'hop-limit': { 4: [11, 0], 6: [3, 0] },
  'too-big': { 4: [3, 4], 6: [2, 0] },
};

export function icmpError(
  family: Family,
  error: IcmpError,
): { readonly kind: 'icmp'; readonly type: number; readonly code: number } {
  const [type, code] = NUMBERS[error][family];
  return { kind: 'icmp', type, code };
}
