export const SUITES = [
  'iptables-nft',
  'iptables-legacy',
  'ip6tables-nft',
  'ip6tables-legacy',
  'nft-ip',
  'nft-inet',
  'nft-ip6',
  'route',
  'route6',
] as const;
export type Suite = (typeof SUITES)[number];
