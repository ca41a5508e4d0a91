import type { Family, NamespaceDump } from '#libs/model';
import { must } from './command.js';
import { Injector } from './injector.js';
import { addNamespace, inside, namespaceName, removeNamespaces, writeSysctls } from './namespaces.js';

/*
 *   outside: xa ── a0 ┐
 *            xb ── b0 ├ router        all neighbours of the router are permanent entries
 *            xc ── c0 ┘
 */
export const ROUTER_LINKS = [
  { inner: 'a0', outer: 'xa', v4: '10.1.0', v6: 'fd01:' },
  { inner: 'b0', outer: 'xb', v4: '10.2.0', v6: 'fd02:' },
  { inner: 'c0', outer: 'xc', v4: '10.3.0', v6: 'fd03:' },
] as const;

/** What the router itself answers to. */
export const ROUTER_ADDRESSES = {
  4: ['10.1.0.1', '10.1.0.2', '10.2.0.1', '10.3.0.1', '10.9.9.9'],
  6: ['fd01::1', 'fd01::2', 'fd02::1', 'fd03::1', 'fd09::9'],
} as const;

// `ct state new`: connections are tracked only where some rule asks for them, as on every node some rule does.
// nft 1.0.6 cannot print sets with more fields than these (an assertion of its sort fails), so what was seen is in several.
const SINK = `table inet hopsink {
  set post4 { typeof ip saddr . ip daddr . th sport . th dport; flags dynamic; size 65535; }
  set post6 { typeof ip6 saddr . ip6 daddr . th sport . th dport; flags dynamic; size 65535; }
  set into4 { typeof ip saddr . ip daddr . th sport . th dport; flags dynamic; size 65535; }
  set into6 { typeof ip6 saddr . ip6 daddr . th sport . th dport; flags dynamic; size 65535; }
  set leave { typeof meta oifname . th sport . th dport; flags dynamic; size 65535; }
  set enter { typeof meta iifname . th sport . th dport; flags dynamic; size 65535; }
  set marks { typeof meta mark . th sport . th dport; flags dynamic; size 65535; }
  set errs4 { typeof icmp type . icmp code; flags dynamic; size 65535; }
  set errs6 { typeof icmpv6 type . icmpv6 code; flags dynamic; size 65535; }
  set rsts { typeof meta l4proto; flags dynamic; size 65535; }
  chain post {
    type filter hook postrouting priority 300;
    update @post4 { ip saddr . ip daddr . th sport . th dport counter }
    update @post6 { ip6 saddr . ip6 daddr . th sport . th dport counter }
    update @leave { oifname . th sport . th dport counter }
    update @marks { meta mark . th sport . th dport counter }
    ct state new
  }
  chain into {
    type filter hook input priority 300;
    update @into4 { ip saddr . ip daddr . th sport . th dport counter }
    update @into6 { ip6 saddr . ip6 daddr . th sport . th dport counter }
    update @enter { iifname . th sport . th dport counter }
    update @marks { meta mark . th sport . th dport counter }
  }
  chain made {
    type filter hook output priority -1000;
    icmp type { destination-unreachable, time-exceeded } update @errs4 { icmp type . icmp code counter } drop
    icmpv6 type { destination-unreachable, time-exceeded } update @errs6 { icmpv6 type . icmpv6 code counter } drop
    icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert, nd-redirect, mld-listener-report, mld2-listener-report } drop
    tcp flags & rst == rst update @rsts { meta l4proto counter } drop
  }
}
`;

/** A router between three links, rebuilt now and then so that its connection table stays small. */
export class Router {
  private constructor(
    readonly outside: Injector,
    readonly local: Injector,
  ) {}

  /**
   * Neighbour discovery would be counted as other packets are. So the outside has no IPv6, the router knows all neighbours
   * that a case can lead to, and where only IPv4 is compared it has no IPv6 either.
   */
  static build(family: Family): Router {
    removeNamespaces();
    addNamespace('router');
    addNamespace('outside');
    disableIpv6('outside');
    for (const namespace of ['router', 'outside'])
      writeSysctls(namespace, {
        'net.ipv4.conf.all.rp_filter': 0,
        'net.ipv4.conf.default.rp_filter': 0,
        'net.ipv4.conf.all.send_redirects': 0,
        'net.ipv4.conf.default.send_redirects': 0,
        'net.ipv6.conf.default.accept_dad': 0,
        'net.ipv6.conf.default.router_solicitations': 0,
      });
    writeSysctls('router', {
      'net.ipv4.ip_forward': 1,
      'net.ipv6.conf.all.forwarding': 1,
      'net.ipv4.icmp_ratelimit': 0,
      'net.ipv4.icmp_ratemask': 0,
      'net.ipv6.icmp.ratelimit': 0,
      // Its answers would be packets of their own.
      'net.ipv4.icmp_echo_ignore_all': 1,
      'net.ipv6.icmp.echo_ignore_all': 1,
    });
    const links = ROUTER_LINKS.map(
      ({ inner, outer }, index) =>
        `link add ${inner} address ${mac('00', index)} type veth peer name ${outer} address ${mac('01', index)} netns ${namespaceName('outside')}`,
    );
    batch('router', 4, [...links, ...routerLines(4), ...neighbourLines(4)]);
    batch('router', 6, [...routerLines(6), ...neighbourLines(6)]);
    // Frames go out by packet sockets, so the outside needs no addresses.
    batch(
      'outside',
      4,
      ROUTER_LINKS.map(({ outer }) => `link set ${outer} up`),
    );
    must(
      [...inside('outside'), 'nft', '-f', '-'],
      // Nothing that arrives is answered.
      `table inet sink {
  chain pre {
    type filter hook prerouting priority -500;
    drop
  }
}
`,
    );
    if (family === 4) disableIpv6('router');
    must([...inside('router'), 'nft', '-f', '-'], SINK);
    return new Router(new Injector('outside'), new Injector('router'));
  }

  async remove(): Promise<void> {
    await this.outside.stop();
    await this.local.stop();
    removeNamespaces();
  }

  /** What a collector would read, but for the rule files, which the case knows best. */
  dump(rules: Readonly<Record<string, string>>): NamespaceDump {
    const show = (...argv: string[]): string => must(['ip', '-n', namespaceName('router'), '-j', ...argv]);
    const files = new Map<string, string>([
      ['ip-link.json', show('-d', 'link', 'show')],
      ['ip-addr.json', show('addr', 'show')],
      ['ip-route.json', show('-4', 'route', 'show', 'table', 'all')],
      ['ip6-route.json', show('-6', 'route', 'show', 'table', 'all')],
      ['ip-rule.json', show('-4', 'rule', 'show')],
      ['ip6-rule.json', show('-6', 'rule', 'show')],
      ['ip-neigh.json', '[]'],
      ['bridge-fdb.json', '[]'],
      ['ss-listen.txt', ''],
      ['sysctl-net.txt', must([...inside('router'), 'sysctl', '-a', '-r', '^net\\.(ipv[46]|netfilter)\\.'])],
      ['iptables-nft-save.txt', ''],
      ['iptables-legacy-save.txt', ''],
      ['ip6tables-nft-save.txt', ''],
      ['ip6tables-legacy-save.txt', ''],
      ['ipset-save.txt', ''],
      ['nft.json', ''],
      ...Object.entries(rules),
    ]);
    return { kind: 'node', name: 'router', files };
  }
}

function mac(side: string, index: number): string {
  return `02:00:00:00:${side}:0${index + 1}`;
}

/** The MAC address of the router's end of a link: the destination of all frames that come in by it. */
export function innerMac(inner: string): string {
  return mac(
    '00',
    ROUTER_LINKS.findIndex((link) => link.inner === inner),
  );
}

/** The MAC address of the outside's end of a link: the source of all frames that come in by it. */
export function outerMac(inner: string): string {
  return mac(
    '01',
    ROUTER_LINKS.findIndex((link) => link.inner === inner),
  );
}

function batch(namespace: string, family: Family, lines: readonly string[]): void {
  must(['ip', `-${family}`, '-n', namespaceName(namespace), '-batch', '-'], lines.join('\n'));
}

function routerLines(family: Family): string[] {
  const lines = family === 4 ? ['link set lo up', 'addr add 10.9.9.9/32 dev lo'] : ['addr add fd09::9/128 dev lo'];
  for (const { inner, v4, v6 } of ROUTER_LINKS)
    if (family === 4) lines.push(`link set ${inner} up`, `addr add ${v4}.1/24 dev ${inner} brd +`);
    else lines.push(`addr add ${v6}:1/64 dev ${inner} nodad`);
  const [second, a, c] =
    family === 4
      ? ['10.1.0.2/24 dev a0', '10.1.0.254', '10.3.0.254']
      : ['fd01::2/64 dev a0 nodad', 'fd01::fe', 'fd03::fe'];
  lines.push(
    `addr add ${second}`,
    `route add default via ${c} dev c0`,
    // A mark of the packet changes its way, in the input path and in ip_route_me_harder().
    `route add default via ${a} dev a0 table 100`,
    'rule add fwmark 0x10/0x10 lookup 100 pref 1000',
  );
  return lines;
}

/** Last parts of the addresses that a packet can be led to on a link: those of the hosts, also after NETMAP, and the gateway. */
const NEIGHBOURS = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '20', '50', '51', '99'];

function neighbourLines(family: Family): string[] {
  return ROUTER_LINKS.flatMap(({ inner, v4, v6 }) => {
    const [network, gateway] = family === 4 ? [`${v4}.`, '254'] : [`${v6}:`, 'fe'];
    return [...NEIGHBOURS, gateway].map(
      (part) => `neigh replace ${network}${part} lladdr ${outerMac(inner)} dev ${inner} nud permanent`,
    );
  });
}

function disableIpv6(namespace: string): void {
  writeSysctls(namespace, { 'net.ipv6.conf.all.disable_ipv6': 1, 'net.ipv6.conf.default.disable_ipv6': 1 });
}
