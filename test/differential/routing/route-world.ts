import type { NamespaceDump } from '#libs/model';
import { attempt, must } from '../world/command.js';
import { addNamespace, inside, namespaceName, removeNamespaces, writeSysctls } from '../world/namespaces.js';
import { DEVICES, type RoutingCase } from './routing-case.js';

/** Builds the case in a namespace of its own. Lines that the kernel refuses are passed over: the dump tells what is there. */
export function buildRoutes(one: RoutingCase): void {
  removeNamespaces();
  addNamespace('routes');
  addNamespace('far');
  const accept = one.family === 6 ? ['net.ipv6.conf.default.accept_dad=0', 'net.ipv6.conf.all.forwarding=1'] : [];
  must([
    ...inside('routes'),
    'sysctl',
    '-qw',
    'net.ipv4.ip_forward=1',
    'net.ipv4.conf.all.rp_filter=0',
    'net.ipv4.conf.default.rp_filter=0',
    ...accept,
  ]);
  const ends = DEVICES.map(
    (device, index) =>
      `link add ${device} address 02:00:00:00:02:0${index + 1} type veth peer name ${device} netns ${namespaceName('far')}`,
  );
  batch('routes', one, [...ends, 'link set lo up', ...DEVICES.map((device) => `link set ${device} up`)], true);
  batch(
    'far',
    one,
    DEVICES.map((device) => `link set ${device} up`),
    true,
  );
  batch('routes', one, [...one.addresses, ...one.nexthops, ...one.routes, ...one.rules], false);
  if (Object.keys(one.sysctls).length > 0) writeSysctls('routes', one.sysctls);
  for (const link of one.links) {
    const [where, device] = link.split(' ');
    batch(where === 'far' ? 'far' : 'routes', one, [`link set ${device} down`], true);
    if (where === 'far' && device !== undefined) waitForCarrierLoss(device);
  }
}

/** The kernel looks at carriers now and then only (linkwatch); routes and nexthop objects change with them. */
function waitForCarrierLoss(device: string): void {
  const deadline = Date.now() + 5000;
  const show = [...inside('routes'), 'cat', `/sys/class/net/${device}/operstate`];
  while (must(show).trim() === 'up')
    if (Date.now() > deadline) throw new Error(`differential: ${device} keeps its carrier`);
}

function batch(namespace: string, { family }: RoutingCase, lines: readonly string[], mustWork: boolean): void {
  const argv = ['ip', `-${family}`, '-n', namespaceName(namespace), '-force', '-batch', '-'];
  if (mustWork) must(argv, lines.join('\n'));
  else attempt(argv, lines.join('\n'));
}

export function dumpRoutes(): NamespaceDump {
  const show = (...argv: string[]): string => must(['ip', '-n', namespaceName('routes'), '-j', ...argv]);
  return {
    kind: 'node',
    name: 'routes',
    files: new Map<string, string>([
      ['ip-link.json', show('-d', 'link', 'show')],
      ['ip-addr.json', show('addr', 'show')],
      ['ip-route.json', show('-4', 'route', 'show', 'table', 'all')],
      ['ip6-route.json', show('-6', 'route', 'show', 'table', 'all')],
      ['ip-rule.json', show('-4', 'rule', 'show')],
      ['ip6-rule.json', show('-6', 'rule', 'show')],
      ['sysctl-net.txt', must([...inside('routes'), 'sysctl', '-a', '-r', '^net\\.ipv[46]\\.(conf|ip_forward)'])],
      ...['ip-neigh.json', 'bridge-fdb.json'].map((file): [string, string] => [file, '[]']),
      ...[
        'ss-listen.txt',
        'ipset-save.txt',
        'nft.json',
        'iptables-nft-save.txt',
        'iptables-legacy-save.txt',
        'ip6tables-nft-save.txt',
        'ip6tables-legacy-save.txt',
      ].map((file): [string, string] => [file, '']),
    ]),
  };
}
