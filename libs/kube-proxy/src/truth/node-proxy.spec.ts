import { suspect, type KubernetesObject, type NamespaceDump } from '#libs/model';
import { NetNamespace } from '#libs/netstack';
import type { Finding } from '#libs/provider-kit';
import { ip } from '../../../../test/fixtures/packets.js';
import { readLabCase } from '../../../../test/dumps/lab-case.js';
import { clusterOf } from '../../../../test/dumps/recorded-cluster.js';
import { KubeProxy } from '../kube-proxy.js';
import type { NodeProxy } from './node-proxy.js';

const SAVE = 'iptables-nft-save.txt';
const IPTABLES = readLabCase('iptables');
const NFTABLES = readLabCase('nftables');

function nodeWith(
  dump: NamespaceDump,
  files: Readonly<Record<string, string | undefined>>,
  objects: readonly KubernetesObject[] = IPTABLES.objects,
): NodeProxy {
  const changed = new Map(dump.files);
  for (const [name, text] of Object.entries(files)) {
    if (text === undefined) changed.delete(name);
    else changed.set(name, text);
  }
  return new KubeProxy(clusterOf(objects)).on(new NetNamespace({ ...dump, files: changed }));
}

/** node1 of the lab with its iptables-save text changed. */
function iptablesWith(change: (text: string) => string): NodeProxy {
  return nodeWith(IPTABLES.dump, { [SAVE]: change(IPTABLES.dump.files.get(SAVE) ?? '') });
}

function nftablesWith(change: (text: string) => string): NodeProxy {
  const text = NFTABLES.dump.files.get('nft.json') ?? '';
  return nodeWith(NFTABLES.dump, { 'nft.json': change(text) }, NFTABLES.objects);
}

const without = (pattern: RegExp) => (text: string) =>
  text
    .split('\n')
    .filter((line) => !pattern.test(line))
    .join('\n');

/** Items of a nft.json that are (not) to stay. */
const withoutItems = (drop: (item: string) => boolean) => (text: string) => {
  const document: unknown = JSON.parse(text);
  if (typeof document !== 'object' || document === null || !('nftables' in document)) throw new Error('not of nft');
  const items: unknown[] = Array.isArray(document.nftables) ? document.nftables : [];
  return JSON.stringify({ nftables: items.filter((item) => !drop(JSON.stringify(item))) });
};

/** kube-proxy's table with one service address left. */
const emptied = withoutItems((item) => item.includes('"rule"') && !item.includes('10.96.0.1'));

const codes = (findings: readonly Finding[]): string[] => [...new Set(findings.map(({ code }) => code))].toSorted();
const locators = (findings: readonly Finding[]): string[] =>
  findings.flatMap(({ evidence }) => evidence.map(({ locator }) => locator));

function changedObjects(
  kind: string,
  name: string,
  change: (object: KubernetesObject) => KubernetesObject,
): KubernetesObject[] {
  return IPTABLES.objects.map((object) =>
    object.kind === kind && object.metadata.name === name ? change(object) : object,
  );
}

describe('what the services of a node share, in iptables mode', () => {
  it.each([
    {
      title: 'no jump from PREROUTING',
      drop: /-A PREROUTING .*-j KUBE-SERVICES/,
      code: 'PROXY_RULES_MISSING',
      at: 'nat/PREROUTING',
    },
    {
      title: 'no jump from OUTPUT',
      drop: /-A OUTPUT -m comment .*-j KUBE-SERVICES/,
      code: 'PROXY_RULES_MISSING',
      at: 'nat/OUTPUT',
    },
    {
      title: 'no jump from POSTROUTING',
      drop: /-A POSTROUTING .*-j KUBE-POSTROUTING/,
      code: 'PROXY_RULES_MISSING',
      at: 'nat/POSTROUTING',
    },
    {
      title: 'nothing in KUBE-SERVICES',
      drop: /-A KUBE-SERVICES /,
      code: 'PROXY_RULES_MISSING',
      at: 'nat/KUBE-SERVICES',
    },
    {
      title: 'nothing in KUBE-NODEPORTS',
      drop: /\] -A KUBE-NODEPORTS -p \w+ -m comment --comment "\S+" -m \w+ --dport \d+ -j KUBE-EXT/,
      code: 'PROXY_RULES_MISSING',
      at: 'nat/KUBE-NODEPORTS',
    },
    {
      title: 'nothing in KUBE-FORWARD',
      drop: /-A KUBE-FORWARD /,
      code: 'PROXY_RULES_MISSING',
      at: 'filter/KUBE-FORWARD',
    },
    {
      title: 'nothing in KUBE-MARK-MASQ',
      drop: /-A KUBE-MARK-MASQ /,
      code: 'MASQUERADE_MISSING',
      at: 'nat/KUBE-MARK-MASQ',
    },
    {
      title: 'nothing in KUBE-POSTROUTING',
      drop: /-A KUBE-POSTROUTING /,
      code: 'MASQUERADE_MISSING',
      at: 'nat/KUBE-POSTROUTING',
    },
  ])('$title is $code at $at, once', ({ drop, code, at }) => {
    const { findings } = iptablesWith(without(drop)).checkAll();

    expect(codes(findings)).toEqual([code]);
    expect(findings).toHaveLength(1);
    expect(locators(findings)).toContain(at);
    for (const one of findings) expect(suspect({ ...one, blocking: true }).message).not.toContain('?');
  });

  it('tells a mark that nobody asks for', () => {
    const { findings } = iptablesWith((text) =>
      text.replace(
        '-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000',
        '-A KUBE-MARK-MASQ -j MARK --set-xmark 0x8000/0x8000',
      ),
    ).checkAll();

    expect(codes(findings)).toEqual(['MASQUERADE_MISSING']);
    expect(findings).toHaveLength(1);
  });

  it('tells rules that no service has', () => {
    const objects = IPTABLES.objects.filter(
      ({ metadata }) => metadata.name !== 'single' && !metadata.name.startsWith('single-'),
    );
    const { findings } = nodeWith(IPTABLES.dump, {}, objects).checkAll();

    expect(codes(findings)).toEqual(['PROXY_STALE_SERVICE']);
    expect(findings[0]?.details).toMatchObject({ destination: '10.96.10.2:80/TCP' });
  });

  it('says once that a node has not heard of a change', () => {
    const moved = IPTABLES.objects.map((object) =>
      object.kind === 'EndpointSlice'
        ? (JSON.parse(JSON.stringify(object).replaceAll('10.244.1.2"', '10.244.1.77"')) as KubernetesObject)
        : object,
    );
    const { findings } = nodeWith(IPTABLES.dump, {}, moved).checkAll();

    expect(findings[0]?.code).toBe('PROXY_NOT_SYNCED');
    expect(codes(findings)).toContain('PROXY_STALE_ENDPOINT');
    expect(codes(findings)).toContain('PROXY_ENDPOINT_MISSING');
  });
});

describe('what the services of a node share, in nftables mode', () => {
  it.each([
    {
      title: 'no jump to the services',
      drop: (item: string) => item.includes('"chain":"nat-prerouting"') && item.includes('"jump"'),
      code: 'PROXY_RULES_MISSING',
      at: 'ip kube-proxy/nat-prerouting',
    },
    {
      title: 'nothing in mark-for-masquerade',
      drop: (item: string) => item.includes('"chain":"mark-for-masquerade"'),
      code: 'MASQUERADE_MISSING',
      at: 'ip kube-proxy/mark-for-masquerade',
    },
    {
      title: 'nothing in masquerading',
      drop: (item: string) => item.includes('"chain":"masquerading"'),
      code: 'MASQUERADE_MISSING',
      at: 'ip kube-proxy/masquerading',
    },
    {
      title: 'no look-up of service-ips',
      drop: (item: string) => item.includes('"data":"@service-ips"'),
      code: 'PROXY_RULES_MISSING',
      at: 'ip kube-proxy/services',
    },
  ])('$title is $code at $at', ({ drop, code, at }) => {
    const { findings } = nftablesWith(withoutItems(drop)).nodeCheck();

    expect(codes(findings)).toEqual([code]);
    expect(locators(findings)).toContain(at);
  });

  it('names the set of addresses that serve node ports', () => {
    const proxy = nftablesWith((text) => text.replace('"elem": ["10.10.0.11"]', '"elem": ["10.10.0.99"]'));
    const { findings } = proxy.checkAll();

    expect(codes(findings)).toEqual(['PROXY_RULES_MISSING']);
    expect(locators(findings)).toContain('ip kube-proxy/@nodeport-ips');
  });

  it('misses the whole table where a kube-proxy should run', () => {
    const proxy = nftablesWith(withoutItems((item) => item.includes('"kube-proxy"')));

    expect(proxy.mode).toBe('none');
    expect(codes(proxy.checkAll().findings)).toEqual(['PROXY_RULES_MISSING']);
  });

  it('tells a service network that contains the nodes', () => {
    const { findings } = nftablesWith((text) =>
      text.replaceAll('"addr": "10.96.0.0", "len": 12', '"addr": "10.0.0.0", "len": 8'),
    ).nodeCheck();

    expect(findings.map(({ code, details }) => [code, details?.destination])).toEqual([
      ['SERVICE_CIDR_OVERLAP', '10.10.0.11'],
    ]);
  });
});

describe('the mode of a node', () => {
  it('is not the configured one', () => {
    const objects = changedObjects('ConfigMap', 'kube-proxy', (object) => ({
      ...object,
      data: { 'config.conf': 'mode: nftables\nclusterCIDR: 10.244.0.0/16\n' },
    }));
    const { findings } = nodeWith(IPTABLES.dump, {}, objects).nodeCheck();

    expect(findings.map(({ code, details }) => ({ code, ...details }))).toEqual([
      { code: 'PROXY_MODE_MISMATCH', actual: 'iptables', expected: 'nftables' },
    ]);
  });

  it('is two: rules in both back ends', () => {
    const { findings } = nodeWith(IPTABLES.dump, {
      'iptables-legacy-save.txt': IPTABLES.dump.files.get(SAVE),
    }).nodeCheck();

    expect(codes(findings)).toEqual(['BACKENDS_MIXED']);
  });

  const told = (mode: string, files: Readonly<Record<string, string>> = {}) =>
    new KubeProxy(clusterOf(IPTABLES.objects), { mode }).on(
      new NetNamespace({ ...IPTABLES.dump, files: new Map([...IPTABLES.dump.files, ...Object.entries(files)]) }),
    );

  it('is the one that the user tells, however many rules another has left', () => {
    const proxy = told('nftables', { 'nft.json': emptied(NFTABLES.dump.files.get('nft.json') ?? '') });

    expect(told('iptables').mode).toBe('iptables');
    expect(proxy.mode).toBe('nftables');
    expect(codes(proxy.nodeCheck().findings)).toContain('BACKENDS_MIXED');
  });

  it('is missing where the user tells one that has no rules', () => {
    const proxy = told('ipvs');

    expect(proxy.mode).toBe('none');
    expect(
      proxy.checkAll().findings.map(({ code, evidence }) => ({ code, seen: evidence.map(({ text }) => text) })),
    ).toEqual([
      {
        code: 'PROXY_RULES_MISSING',
        seen: [
          'there are no rules of kube-proxy in ipvs mode',
          expect.stringContaining('service addresses in nft-iptables'),
          'the user says: ipvs',
        ],
      },
    ]);
  });

  it('is not known when nothing was collected, and that is not fine', () => {
    const proxy = nodeWith(IPTABLES.dump, {
      [SAVE]: undefined,
      'iptables-legacy-save.txt': undefined,
      'nft.json': undefined,
    });

    expect(proxy.mode).toBe('unknown');
    expect(proxy.checkAll().findings).toEqual([]);
    expect(proxy.checkAll().skipped[0]?.reason).toContain('cannot be compared');
  });

  it('is none where nobody says that a kube-proxy should run: said, and no finding', () => {
    const objects = IPTABLES.objects.filter(({ kind }) => kind !== 'ConfigMap' && kind !== 'Pod');
    const proxy = nodeWith(IPTABLES.dump, { [SAVE]: '', 'iptables-legacy-save.txt': '' }, objects);

    expect(proxy.checkAll().findings).toEqual([]);
    expect(proxy.checkAll().skipped).toHaveLength(1);
  });

  it('tells a pod network that is not that of the pods', () => {
    const { findings } = iptablesWith((text) =>
      text
        .replaceAll('! -s 10.244.0.0/16 -d 10.96', '! -s 10.245.0.0/16 -d 10.96')
        .replaceAll(/(-A KUBE-EXT-\S+ -s )10.244.0.0/g, '$110.245.0.0'),
    ).checkAll();

    expect(codes(findings)).toEqual(['PROXY_CLUSTER_CIDR_WRONG']);
    expect(findings[0]?.details).toMatchObject({ actual: '10.245.0.0/16', expected: '10.244.1.0/24' });
  });

  it('notes what it does not understand, and does not read on past it', () => {
    const { skipped } = iptablesWith((text) =>
      text.replace(/-A (KUBE-SVC-\S+) -m comment/, '-A $1 -m length --length 100 -m comment'),
    ).checkAll();

    expect(skipped.map(({ reason }) => reason).join()).toContain('-m length');
  });
});

describe('ipvs mode', () => {
  const SERVERS = [
    '-A -t 10.96.10.1:80 -s rr',
    '-a -t 10.96.10.1:80 -r 10.244.1.2:8080 -m -w 1',
    '-a -t 10.96.10.1:80 -r 10.244.2.2:8080 -m -w 1',
    '-a -t 10.96.10.1:80 -r 10.244.3.2:8080 -m -w 1',
  ];
  const check = (servers: readonly string[], addresses = ['10.96.10.1']): Finding[] => {
    const objects = IPTABLES.objects.filter(({ kind }) => kind !== 'ConfigMap');
    const link = JSON.stringify([
      { ifindex: 9, ifname: 'kube-ipvs0', flags: ['NOARP'], mtu: 1500, linkinfo: { info_kind: 'dummy' } },
    ]);
    const rows = addresses.map((local) => ({ local, prefixlen: 32, scope: 'global' }));
    const proxy = nodeWith(
      IPTABLES.dump,
      {
        [SAVE]: '',
        'ipvsadm-save.txt': `${servers.join('\n')}\n`,
        'ip-link.json': link,
        'ip-addr.json': JSON.stringify([{ ifname: 'kube-ipvs0', addr_info: rows }]),
      },
      objects,
    );
    const entry = new KubeProxy(clusterOf(objects)).find(ip('10.96.10.1'), 80, 'TCP');
    if (entry === undefined) throw new Error('the lab has the service web');
    expect(proxy.mode).toBe('ipvs');
    return [...proxy.check(entry).findings];
  };

  it.each([
    { title: 'as it should be', servers: SERVERS, code: undefined, details: undefined },
    { title: 'without the virtual server', servers: [], code: 'IPVS_SERVICE_MISSING', details: { node: 'node1' } },
    {
      title: 'without a server',
      servers: SERVERS.slice(0, 3),
      code: 'IPVS_SERVER_MISSING',
      details: { backend: '10.244.3.2:8080' },
    },
    {
      title: 'with a server of weight 0 that is an endpoint',
      servers: SERVERS.map((line) => line.replace('10.244.3.2:8080 -m -w 1', '10.244.3.2:8080 -m -w 0')),
      code: 'IPVS_SERVER_MISSING',
      details: { backend: '10.244.3.2:8080' },
    },
    {
      title: 'with one server more',
      servers: [...SERVERS, '-a -t 10.96.10.1:80 -r 10.244.9.9:8080 -m -w 1'],
      code: 'IPVS_SERVER_EXTRA',
      details: { backend: '10.244.9.9:8080' },
    },
    {
      title: 'with one that ends (weight 0)',
      servers: [...SERVERS, '-a -t 10.96.10.1:80 -r 10.244.9.9:8080 -m -w 0'],
      code: undefined,
      details: undefined,
    },
    {
      title: 'with direct routing',
      servers: SERVERS.map((line) => line.replace('10.244.3.2:8080 -m', '10.244.3.2:8080 -g')),
      code: 'PROXY_RULE_WRONG',
      details: {},
    },
    {
      title: 'with affinity that nobody asks for',
      servers: SERVERS.map((line) => line.replace('-s rr', '-s rr -p 60')),
      code: 'PROXY_RULE_WRONG',
      details: {},
    },
  ])('$title: $code', ({ servers, code, details }) => {
    const findings = check(servers);

    expect(findings.map((one) => one.code)).toEqual(code === undefined ? [] : [code]);
    if (details !== undefined) expect(findings[0]?.details).toMatchObject(details);
  });

  it('needs the address on kube-ipvs0', () => {
    expect(codes(check(SERVERS, ['10.96.10.2']))).toEqual(['IPVS_ADDRESS_MISSING']);
  });
});
