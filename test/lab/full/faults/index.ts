import type { Fault } from '../fault.js';
import { ADDRESS_FAULTS } from './addresses.js';
import { FILTER_FAULTS } from './filters.js';
import { LINK_FAULTS } from './links.js';
import { MTU_FAULTS } from './mtu.js';
import { CONNTRACK_FAULTS, NAT_FAULTS } from './nat.js';
import { NFT_FAULTS } from './native-nft.js';
import { NEIGHBOUR_FAULTS } from './neighbours.js';
import { OVERLAY_FAULTS } from './overlays.js';
import { POLICY_FAULTS } from './policies.js';
import { ROUTE_FAULTS } from './routes.js';
import { RULE_FAULTS } from './rules.js';
import { SOCKET_FAULTS } from './sockets.js';
import { SYSCTL_FAULTS } from './sysctls.js';
import { TC_FAULTS } from './tc.js';

/** Everything that the lab can break. A new fault is one entry in the table of its layer. */
export const FAULTS: readonly Fault[] = [
  ...LINK_FAULTS,
  ...ADDRESS_FAULTS,
  ...ROUTE_FAULTS,
  ...RULE_FAULTS,
  ...NEIGHBOUR_FAULTS,
  ...OVERLAY_FAULTS,
  ...SYSCTL_FAULTS,
  ...FILTER_FAULTS,
  ...NFT_FAULTS,
  ...NAT_FAULTS,
  ...CONNTRACK_FAULTS,
  ...SOCKET_FAULTS,
  ...TC_FAULTS,
  ...MTU_FAULTS,
  ...POLICY_FAULTS,
];
