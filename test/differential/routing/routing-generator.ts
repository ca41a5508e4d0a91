import type { Family } from '#libs/model';
import type { Random } from '../random.js';
import { DEVICES, type RouteQuestion, type RoutingCase } from './routing-case.js';

const POOL = {
  4: {
    addresses: [
      '10.0.0.1/24',
      '10.0.0.2/24',
      '10.0.1.1/24',
      '10.0.1.9/16',
      '172.16.3.4/20',
      '192.168.7.1/32',
      '10.0.2.5/31',
      '10.9.0.1/30',
      '198.51.100.7/25',
    ],
    prefixes: [
      'default',
      '10.0.0.0/8',
      '10.0.0.0/16',
      '10.0.0.0/23',
      '10.0.1.0/24',
      '10.0.1.64/26',
      '10.0.1.77/32',
      '172.16.0.0/12',
      '172.16.3.0/24',
      '192.168.0.0/16',
      '192.168.7.0/24',
      '203.0.113.0/24',
      '203.0.113.9/32',
      '0.0.0.0/1',
      '128.0.0.0/1',
    ],
    hosts: [
      '10.0.0.1',
      '10.0.0.2',
      '10.0.0.77',
      '10.0.0.255',
      '10.0.0.0',
      '10.0.1.1',
      '10.0.1.77',
      '10.0.1.100',
      '10.0.5.5',
      '10.200.1.1',
      '172.16.3.4',
      '172.16.3.99',
      '172.20.0.1',
      '192.168.7.1',
      '192.168.7.2',
      '192.168.9.9',
      '203.0.113.9',
      '203.0.113.10',
      '8.8.8.8',
      '198.51.100.100',
      '127.0.0.5',
    ],
    gateways: [
      '10.0.0.77',
      '10.0.0.78',
      '10.0.1.100',
      '10.0.1.101',
      '172.16.3.99',
      '10.0.2.4',
      '10.9.0.2',
      '198.51.100.100',
      '203.0.113.1',
    ],
    outside: ['10.0.0.77', '10.0.1.77', '172.16.3.99', '203.0.113.9', '8.8.8.8', '192.168.7.2', '10.0.0.2'],
  },
  6: {
    addresses: [
      'fd00::1/64',
      'fd00::2/64',
      'fd00:1::1/64',
      'fd00:1::9/48',
      'fd00:2::4/60',
      'fd07::1/128',
      '2001:db8::7/64',
    ],
    prefixes: [
      'default',
      'fd00::/8',
      'fd00::/32',
      'fd00:1::/48',
      'fd00:1::/64',
      'fd00:1::77/128',
      'fd00:2::/56',
      'fd07::/16',
      '2001:db8::/32',
      '2001:db8:9::/48',
      '2001:db8:9::9/128',
      '::/1',
      '8000::/1',
    ],
    hosts: [
      'fd00::1',
      'fd00::2',
      'fd00::77',
      'fd00:1::1',
      'fd00:1::77',
      'fd00:1:0:5::1',
      'fd00:2::4',
      'fd00:2:0:3::1',
      'fd07::1',
      'fd07::2',
      '2001:db8::99',
      '2001:db8:9::9',
      '2001:db8:9::10',
      '2a00::1',
      '::1',
      'fe80::99',
    ],
    gateways: ['fd00::77', 'fd00::78', 'fd00:1::100', 'fd00:2::99', '2001:db8::99', 'fe80::1234'],
    outside: ['fd00::77', 'fd00:1::77', '2001:db8:9::9', '2a00::1', 'fd07::2'],
  },
} as const;

const TABLES = ['main', 'main', 'main', '100', '101', '102', '70000'] as const;

export function randomRoutingCase(random: Random, family: Family, questions: number): RoutingCase {
  const addresses = random
    .some(POOL[family].addresses, random.int(2, 6))
    .map(
      (address) =>
        `addr add ${address} dev ${random.pick(DEVICES)}${family === 6 ? ' nodad' : ''}${random.chance(0.1) && family === 4 ? ' scope link' : ''}`,
    );
  const rules = random.times(random.int(0, 7), () => randomRule(random, family));
  return {
    family,
    sysctls: randomSysctls(random, family),
    addresses,
    // Which source a nexthop object has chosen among addresses of scope link depends on what happened since it was made.
    nexthops: addresses.some((line) => line.endsWith('scope link')) ? [] : randomNexthops(random, family),
    routes: random.times(random.int(3, 22), () => randomRoute(random, family)),
    rules: random.chance(0.1) ? [...rules, 'rule add pref 900 lookup local', 'rule del pref 0'] : rules,
    links: random.chance(0.15) ? [random.pick(['down e3', 'far e3', 'down e2', 'far e2'])] : [],
    questions: random.times(questions, () => randomQuestion(random, family)),
  };
}

const NEXTHOP_IDS = [1, 2, 3, 4, 5, 6] as const;

/** Objects 1-4 are single next hops, 5 and 6 are groups of them. */
function randomNexthops(random: Random, family: Family): string[] {
  if (random.chance(0.4)) return [];
  const single = NEXTHOP_IDS.slice(0, 4).map((id) =>
    random.chance(0.1) ? `nexthop add id ${id} blackhole` : `nexthop add id ${id} ${hop(random, family)}`,
  );
  const groups = NEXTHOP_IDS.slice(4).map((id) => {
    const members = random.some([1, 2, 3, 4], random.int(1, 3)).map((one) => `${one},${random.int(1, 4)}`);
    return `nexthop add id ${id} group ${members.join('/')}`;
  });
  return [...single, ...groups];
}

function randomSysctls(random: Random, family: Family): Record<string, number> {
  const values: Record<string, number> = {};
  const device = random.pick([...DEVICES, 'all']);
  if (family === 6) {
    if (random.chance(0.15)) values[`net.ipv6.conf.${device}.ignore_routes_with_linkdown`] = 1;
    return values;
  }
  if (random.chance(0.15)) values[`net.ipv4.conf.${device}.rp_filter`] = random.int(1, 2);
  if (random.chance(0.1)) values[`net.ipv4.conf.${random.pick(DEVICES)}.forwarding`] = 0;
  if (random.chance(0.1)) values[`net.ipv4.conf.${device}.ignore_routes_with_linkdown`] = 1;
  if (random.chance(0.1)) values[`net.ipv4.conf.${device}.accept_local`] = 1;
  if (random.chance(0.1)) values[`net.ipv4.conf.${device}.route_localnet`] = 1;
  if (random.chance(0.1)) values[`net.ipv4.conf.${device}.src_valid_mark`] = 1;
  return values;
}

function hop(random: Random, family: Family): string {
  const device = `dev ${random.pick(DEVICES)}`;
  const via = `via ${random.pick(POOL[family].gateways)}`;
  if (family === 4 && random.chance(0.07)) return `via inet6 fe80::1234 ${device}`;
  return random.pick([device, `${via} ${device} onlink`, via, `${via} ${device}`, `${via} ${device} onlink`]);
}

function randomRoute(random: Random, family: Family): string {
  const prefix = random.pick(POOL[family].prefixes);
  const table = random.pick(TABLES);
  const metric = random.chance(0.4) ? ` metric ${random.pick([1, 10, 100, 1024, 5000])}` : '';
  const tail = ` table ${table}${metric}`;
  const tos = family === 4 && random.chance(0.08) ? `tos ${random.pick(['0x10', '0x04', '0x08'])} ` : '';
  if (random.chance(0.2))
    return `route append ${tos}${random.pick(['blackhole', 'unreachable', 'prohibit', 'throw'])} ${prefix}${tail}`;
  if (random.chance(0.05)) return `route append local ${prefix} dev lo${random.chance(0.7) ? ' table local' : tail}`;
  if (random.chance(0.15)) {
    const hops = random.times(
      random.int(2, 3),
      () => `nexthop ${hop(random, family)}${random.chance(0.5) ? ` weight ${random.int(1, 5)}` : ''}`,
    );
    return `route append ${tos}${prefix}${tail} ${hops.map((text) => text.replace(/^(nexthop .*?) onlink( weight \d+)?$/, '$1$2 onlink')).join(' ')}`;
  }
  if (random.chance(0.2)) return `route append ${tos}${prefix} nhid ${random.pick(NEXTHOP_IDS)}${tail}`;
  const own = POOL[family].addresses.map((address) => address.split('/')[0] ?? '');
  const src = random.chance(0.2) ? ` src ${random.pick(own)}` : '';
  return `route append ${tos}${prefix} ${hop(random, family)}${tail}${src}`;
}

function randomRule(random: Random, family: Family): string {
  const { prefixes, hosts } = POOL[family];
  const selectors = [
    () => `from ${random.pick([...prefixes.slice(1), ...hosts])}`,
    () => `to ${random.pick([...prefixes.slice(1), ...hosts])}`,
    () => `fwmark ${random.pick(['0x1', '0x10/0x10', '0x3/0xff', '0x0/0x1'])}`,
    () => `iif ${random.pick([...DEVICES, 'lo'])}`,
    () => `oif ${random.pick(DEVICES)}`,
    () => `ipproto ${random.pick(['tcp', 'udp', family === 4 ? 'icmp' : 'ipv6-icmp'])}`,
    () => `sport ${random.pick(['1000', '1000-2000'])}`,
    () => `dport ${random.pick(['53', '80', '80-443'])}`,
    () => `uidrange ${random.pick(['0-0', '1-100', '0-1000'])}`,
    ...(family === 4 ? [() => `tos ${random.pick(['0x10', '0x04'])}`] : []),
  ];
  const words = random.times(random.pick([0, 1, 1, 1, 2, 2, 3]), () => random.pick(selectors)());
  const unique = [...new Map(words.map((text) => [text.split(' ')[0], text])).values()];
  const not = unique.length > 0 && random.chance(0.15) ? 'not ' : '';
  const priority = random.pick([10, 20, 30, 40, 50, 60, 500, 1000, 32766, 32800]);
  const action = random.pick([
    () => `lookup ${random.pick(TABLES)}`,
    () => `lookup ${random.pick(TABLES)}`,
    () => `lookup ${random.pick(TABLES)}`,
    () => `lookup ${random.pick(TABLES)} suppress_prefixlength ${random.pick([0, 0, 8, 16, 24])}`,
    () => random.pick(['blackhole', 'unreachable', 'prohibit']),
    () => `goto ${random.pick([20, 40, 500, 1000, 32766, 25])}`,
  ])();
  return `rule add ${not}${unique.join(' ')} pref ${priority} ${action}`;
}

function randomQuestion(random: Random, family: Family): RouteQuestion {
  const { hosts, outside, addresses } = POOL[family];
  const protocol = random.chance(0.4) ? random.pick(['tcp', 'udp'] as const) : undefined;
  const common = {
    dst: random.pick(hosts),
    mark: random.chance(0.3) ? random.pick([1, 0x10, 3, 0x11]) : undefined,
    protocol,
    sport: protocol === undefined ? undefined : random.pick([1000, 1500, 3000]),
    dport: protocol === undefined ? undefined : random.pick([53, 80, 400, 5000]),
  };
  if (random.chance(0.4)) return { ...common, src: random.pick(outside), iif: random.pick(DEVICES) };
  return {
    ...common,
    src: random.chance(0.3) ? random.pick(addresses).split('/')[0] : undefined,
    oif: random.chance(0.15) ? random.pick(DEVICES) : undefined,
    uid: random.chance(0.15) ? random.pick([0, 50, 5000]) : undefined,
  };
}
