import { aliyunProcess, aliyunSettings } from '../../libs/providers/aliyun/src/inventory/index.js';
import { CloudLooker } from '../../libs/providers/aliyun/src/inventory/look.js';
import { parseCloudSnapshot } from '#libs/provider-kit';
import { cloudSnapshot } from '../../libs/providers/aliyun/src/inventory/neutral/cloud-snapshot.js';
import { toWire } from '../fake-cloud/to-wire.js';
import { clusterWorld } from '../fake-cloud/cluster-world.js';
import { FakeCloud } from '../fake-cloud/fake-cloud.js';
import { loadAliyunSdk } from '../support/load-aliyun-sdk.js';

// A whole look at a cluster's cloud: real SDK, real HTTP, fake cloud.

const KEY = { id: 'LTAI-look', secret: 'a secret that must not be seen' };
const TAKEN_AT = '2026-11-25T08:00:00Z';
const settings = aliyunSettings.schema.parse({ accessKeyId: KEY.id, accessKeySecret: KEY.secret });

beforeAll(loadAliyunSdk, 60_000);

const running: FakeCloud[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((cloud) => cloud.stop()));
});

async function start(nodes: number, smallPage?: number, services?: number) {
  const { world, objects } = clusterWorld(nodes, services);
  const cloud = await new FakeCloud({ world, account: { keys: [KEY] }, smallPage }).start();
  running.push(cloud);
  return { cloud, objects, world };
}

function looker(endpoint: string, values: object = {}): CloudLooker {
  const hosts = { ecsEndpoint: endpoint, vpcEndpoint: endpoint, slbEndpoint: endpoint, nlbEndpoint: endpoint };
  return new CloudLooker(
    aliyunProcess.schema.parse({ ...hosts, protocol: 'http', callsPerSecond: 1000, callTimeoutMs: 500, ...values }),
  );
}

describe('a look at the cloud', () => {
  it('finds the same with small pages as with large ones', async () => {
    const large = await start(30);
    const small = await start(30, 4);

    const [whole, paged] = await Promise.all([
      looker(large.cloud.endpoint).look({ objects: large.objects, settings }),
      looker(small.cloud.endpoint).look({ objects: small.objects, settings }),
    ]);

    expect(paged).toEqual(whole);
    expect(small.cloud.calls.length).toBeGreaterThan(2 * large.cloud.calls.length);
    const [region] = whole.regions;
    expect(region?.failures).toEqual([]);
    expect({
      instances: region?.instances.length,
      interfaces: region?.networkInterfaces.length,
      routes: region?.routeTables[0]?.entries.length,
      rules: region?.securityGroups.map(({ permissions }) => permissions.length),
      ports: [...(region?.portLists.values() ?? [])],
      prefixes: [...(region?.prefixLists.values() ?? [])],
      snat: region?.natGateways[0]?.snat.length,
      clbServers: region?.clbs.map(({ groups }) => [...groups.values()].map((servers) => servers.length)),
      acl: region?.clbs.map(({ acls }) => [...acls.values()]),
      nlbServers: region?.nlbs.map(({ servers }) => [...servers.values()].map((list) => list.length)),
    }).toEqual({
      instances: 30,
      interfaces: 60,
      routes: 36,
      rules: [2, 0],
      ports: [['80/80', '30000/32767']],
      prefixes: [['198.51.100.0/24']],
      snat: 4,
      clbServers: [[30], [30]],
      acl: [[['198.51.100.0/24']], [['198.51.100.0/24']]],
      nlbServers: [[30]],
    });
  });

  it('becomes a cloud.json that turns into the same calls and back', async () => {
    const { cloud, objects } = await start(5);
    const once = cloudSnapshot(await looker(cloud.endpoint).look({ objects, settings }), TAKEN_AT);
    expect(parseCloudSnapshot(JSON.parse(JSON.stringify(once)))).toEqual(once);

    cloud.serveWorld(toWire(once, 'cn-test'));
    const twice = cloudSnapshot(await looker(cloud.endpoint).look({ objects, settings }), TAKEN_AT);

    expect(twice).toEqual(once);
    expect(once.unavailable).toEqual([]);
    expect(once.services.map(({ name, loadBalancerIds }) => [name, loadBalancerIds])).toEqual([
      ['web-0', ['lb-0']],
      ['web-1', ['lb-1']],
      ['secure', ['nlb-main']],
    ]);
  });

  it('costs less than one call a node for 100 nodes, and keeps the limits of the account', async () => {
    const { cloud, objects } = await start(100);

    await looker(cloud.endpoint, { concurrency: 3, callsPerSecond: 20 }).look({ objects, settings });

    expect(cloud.calls.length).toBeLessThan(50);
    expect(cloud.mostAtOnce).toBeLessThanOrEqual(3);
    for (const { at } of cloud.calls) {
      // As many as a second's worth may begin at once, and the same again while it fills.
      expect(cloud.calls.filter((call) => call.at >= at && call.at < at + 1000).length).toBeLessThanOrEqual(41);
    }
  });

  it.each([
    'DescribeInstances',
    'DescribeNetworkInterfaces',
    'DescribeSecurityGroupAttribute',
    'DescribeVSwitches',
    'DescribeRouteEntryList',
    'DescribeNatGateways',
    'DescribeSnatTableEntries',
    'DescribeEipAddresses',
    'ListIpv4Gateways',
    'DescribeHealthStatus',
    'ListServerGroups',
  ])('goes on when %s is not allowed, and says what is missing', async (action) => {
    const { cloud, objects } = await start(3);
    cloud.faults.set([{ action, kind: 'forbidden' }]);

    const looked = await looker(cloud.endpoint).look({ objects, settings });

    const failures = looked.regions.flatMap((region) => region.failures);
    expect(failures.length).toBeGreaterThan(0);
    for (const { error } of failures)
      expect(error).toMatchObject({ kind: 'forbidden', action, details: { code: 'Forbidden.RAM' } });
    // Others were still asked.
    expect(cloud.count().get('DescribeLoadBalancers')).toBe(1);
  });

  it.each(['hang', 'drip', 'throttled', 'html', 'reset', 'truncated', 'malformed-json', 'wrong-shape'] as const)(
    'ends within its time when every answer is "%s", with all kinds unavailable',
    async (kind) => {
      const { cloud, objects } = await start(3);
      cloud.faults.set([{ kind }]);
      const began = Date.now();

      const looked = await looker(cloud.endpoint, { lookUpTimeoutMs: 1500, maxAttempts: 3 }).look({
        objects,
        settings,
      });

      expect(Date.now() - began).toBeLessThan(2500);
      const kinds = new Set(looked.regions.flatMap((region) => region.failures.map((failure) => failure.kind)));
      expect([...kinds].toSorted()).toEqual([
        'instances',
        'internetGateways',
        'loadBalancers',
        'natGateways',
        'networkAcls',
        'networkInterfaces',
        'publicIps',
        'routeTables',
        'securityGroups',
        'subnets',
        'virtualIps',
        'vpcs',
      ]);
      expect(JSON.stringify(looked)).not.toContain(KEY.secret);
    },
  );

  it('makes no call without credentials, and says so', async () => {
    const { cloud, objects } = await start(3);

    const looked = await looker(cloud.endpoint, { credentials: 'none' }).look({
      objects,
      settings: aliyunSettings.schema.parse({}),
    });

    expect(cloud.calls).toEqual([]);
    expect(looked.regions[0]?.failures[0]?.error).toMatchObject({ kind: 'auth' });
    expect(looked.regions[0]?.failures).toHaveLength(14);
  });

  it('stops when the caller gives up', async () => {
    const { cloud, objects } = await start(3);
    cloud.faults.set([{ kind: 'hang' }]);
    const caller = new AbortController();

    const looked = looker(cloud.endpoint).look({ objects, settings, signal: caller.signal });
    setTimeout(() => caller.abort(new Error('the run was cancelled')), 100);

    await expect(looked).rejects.toThrow('the run was cancelled');
  });
});
