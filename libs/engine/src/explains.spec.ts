import { SUSPICION_CODES, type SuspicionCode } from '#libs/model';
import { explains } from './explains.js';

describe('explains', () => {
  it.each<{ obstacle: SuspicionCode; causes: readonly SuspicionCode[] }>([
    { obstacle: 'NO_ROUTE', causes: ['IFACE_DOWN', 'POD_CIDR_ROUTE_MISSING', 'FOREIGN_RULE', 'MASQUERADE_MISSING'] },
    { obstacle: 'NEIGH_FAILED', causes: ['ADDRESS_MISSING', 'ROUTE_WRONG_DEVICE', 'FDB_WRONG_VTEP', 'PROXY_ARP_OFF'] },
    { obstacle: 'CONNTRACK_INVALID_DROP', causes: ['ROUTE_SHADOWED', 'NEIGH_WRONG_MAC', 'CONNTRACK_NOTRACK'] },
  ])(
    '$obstacle follows from a device rather than from a route, and from that rather than from rules',
    ({ obstacle, causes }) => {
      const ranks = causes.map((cause) => explains(obstacle, cause) ?? -1);

      expect(ranks.every((rank) => rank >= 0)).toBe(true);
      expect(ranks).toEqual(ranks.toSorted((a, b) => a - b));
    },
  );

  it('takes what somebody has set for a cause in itself', () => {
    const all = Object.keys(SUSPICION_CODES).filter((code): code is SuspicionCode => code in SUSPICION_CODES);

    for (const obstacle of ['IP_FORWARD_OFF', 'RULE_PROHIBIT', 'HAIRPIN_OFF', 'TC_DROP'] satisfies SuspicionCode[])
      expect(all.filter((cause) => explains(obstacle, cause) !== undefined && cause.startsWith('ROUTE_'))).toEqual([]);
  });
});
