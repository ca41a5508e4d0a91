import { ACK, FIN, PSH, RST, SYN } from '../../skb.js';

export const TCP_FLAGS: ReadonlyMap<string, number> = new Map(
  Object.entries({ fin: FIN, syn: SYN, rst: RST, psh: PSH, ack: ACK, urg: 32, ecn: 64, cwr: 128 }),
);

/** Names of flags, of states (NF_CT_STATE_BIT()) and of statuses (enum ip_conntrack_status); no name stands for two things. */
const BITS: ReadonlyMap<string, number> = new Map([
  ...TCP_FLAGS,
  ...Object.entries({ invalid: 1, established: 2, related: 4, new: 8, untracked: 64 }),
  ...Object.entries({
    expected: 1,
    'seen-reply': 2,
    assured: 4,
    confirmed: 8,
    snat: 16,
    dnat: 32,
    dying: 0x200,
  }),
]);

/** undefined when one of the names stands for no bit. */
export function bitsOf(names: readonly string[]): number | undefined {
  let bits = 0;
  for (const name of names) {
    const bit = BITS.get(name);
    if (bit === undefined) return undefined;
    bits |= bit;
  }
  return bits;
}
