import { ACK, SYN, TCP } from '../../skb.js';
import { fromOptions, type Match, type MatchBuilder } from './match.js';

/** xt_dscp: the upper six bits of the type of service. iptables-save prints a number, whatever class was asked for. */
export const dscp: MatchBuilder = (options) =>
  fromOptions(options, { '--dscp': ([text = '']) => tosIs(0xfc, Number(text) << 2) });

/** xt_tos: `value/mask`. */
export const tos: MatchBuilder = (options) =>
  fromOptions(options, {
    '--tos': ([text = '']) => {
      const [value = 0, mask = 0xff] = text.split('/').map(Number);
      return tosIs(mask, value);
    },
  });

function tosIs(mask: number, value: number): Match {
  return ({ skb }) => ((skb.tos ?? 0) & mask) === value;
}

/**
 * xt_ecn: the lower two bits. The flags of TCP (ECE, CWR) are in the SYN of a client that asks for ECN (net.ipv4.tcp_ecn = 1),
 * which the walk's do not.
 */
export const ecn: MatchBuilder = (options) =>
  fromOptions(options, {
    '--ecn-ip-ect': ([text = '']) => tosIs(3, Number(text)),
    '--ecn-tcp-cwr': () => tcpFlag,
    '--ecn-tcp-ece': () => tcpFlag,
  });

const tcpFlag: Match = ({ skb, ns }) => {
  if (skb.protocol !== TCP || !(skb.tcpFlags & SYN) || skb.tcpFlags & ACK) return false;
  return ns.sysctl('net.ipv4.tcp_ecn') === '1' ? undefined : false;
};
