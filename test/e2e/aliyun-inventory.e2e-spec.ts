import { join } from 'node:path';
import { aliyunInventory, aliyunProcess, aliyunSettings } from '../../libs/providers/aliyun/src/inventory/index.js';
import { clusterWorld } from '../fake-cloud/cluster-world.js';
import { FakeCloud } from '../fake-cloud/fake-cloud.js';
import { toWire } from '../fake-cloud/to-wire.js';
import { readWorldFile } from '../fake-cloud/world-file.js';
import { loadAliyunSdk } from '../support/load-aliyun-sdk.js';

// World in YAML -> fake cloud -> HTTP -> real SDK -> adapter -> the same world.

const { region, account, cloud: model } = readWorldFile(join(import.meta.dirname, '../fake-cloud/worlds/flannel.yaml'));
const [key = { id: '', secret: '' }] = account.keys;
const settings = aliyunSettings.schema.parse({ accessKeyId: key.id, accessKeySecret: key.secret });
const node = (name: string, providerID: string) => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name },
  spec: { providerID },
});
const service = (name: string, id: string) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'shop', labels: { 'service.k8s.alibaba/loadbalancer-id': id } },
  spec: { type: 'LoadBalancer' },
});
const objects = [
  node('node-a', 'cn-test.i-a'),
  node('node-b', 'alicloud://cn-test.i-b'),
  node('virtual', 'ack-virtual-kubelet'),
  service('web', 'lb-web'),
  service('secure', 'nlb-secure'),
];

/** What stays the same for every fetch here. */
const common = { signal: new AbortController().signal, takenAt: '2026-01-01T00:00:00.000Z' };

beforeAll(loadAliyunSdk, 60_000);
// Hundreds of calls over HTTP on a machine that others use, too.
jest.setTimeout(30_000);

const running: FakeCloud[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((cloud) => cloud.stop()));
});

async function start(options: ConstructorParameters<typeof FakeCloud>[0], values: object = {}) {
  const cloud = await new FakeCloud(options).start();
  running.push(cloud);
  const host = cloud.endpoint;
  const endpoints = { ecsEndpoint: host, vpcEndpoint: host, slbEndpoint: host, nlbEndpoint: host, protocol: 'http' };
  const process = aliyunProcess.schema.parse({ ...endpoints, callsPerSecond: 500, ...values });
  return { cloud, inventory: aliyunInventory(process) };
}

describe('the inventory', () => {
  it.each([1000, 1])('gives back the world that the cloud serves, with pages of at most %d', async (smallPage) => {
    const { inventory } = await start({ world: toWire(model, region), account, smallPage });

    expect(await inventory.fetch({ ...common, objects, settings })).toEqual(model);
  });

  it('sees what changes in the cloud with the next look', async () => {
    const { cloud, inventory } = await start({ world: toWire(model, region), account });
    await inventory.fetch({ ...common, objects, settings });
    const stopped = model.instances.map((item) =>
      item.id === 'i-b' ? { ...item, usable: false, state: 'Stopped' } : item,
    );
    cloud.serveWorld(toWire({ ...model, instances: stopped }, region));

    expect((await inventory.fetch({ ...common, objects, settings })).instances).toEqual(stopped);
  });

  it.each([
    ['the objects were not collected', {}, [], 'no region is known', 13],
    ['only the region is known', { region: 'cn-test' }, [], 'no VPC is known', 9],
    ['the instances are of another account', {}, [node('lost', 'cn-test.i-elsewhere')], 'no VPC is known', 9],
    ['no node is an instance', {}, [node('hybrid', 'ack-hybrid://x')], 'no region is known', 13],
  ])('never shows empty lists as all there is when %s', async (_what, extra, some, text, atLeast) => {
    const { inventory } = await start({ world: toWire(model, region), account });

    const { unavailable } = await inventory.fetch({ ...common, objects: some, settings: { ...settings, ...extra } });

    const said = new Set(unavailable.filter(({ message }) => message.includes(text)).map(({ resource }) => resource));
    for (const kind of ['interfaces', 'securityGroups', 'routeTables', 'networkAcls', 'natGateways'])
      expect(said).toContain(kind);
    expect(said.size).toBeGreaterThanOrEqual(atLeast);
  });

  it('stays below three calls a node with a load balancer for each of 100 services', async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error): void => void warnings.push(warning);
    process.on('warning', onWarning);
    const large = clusterWorld(100, 100);
    const { cloud, inventory } = await start({ world: large.world, account });

    const fetched = await inventory.fetch({ ...common, objects: large.objects, settings });

    process.off('warning', onWarning);
    expect(fetched.unavailable).toEqual([]);
    expect(fetched.loadBalancers).toHaveLength(101);
    expect(cloud.calls.length).toBeLessThanOrEqual(300);
    // They share one access list.
    expect(cloud.count().get('DescribeAccessControlListAttribute')).toBe(1);
    expect(warnings).toEqual([]);
  });

  it('says by name what it could not look up, and shows no secret', async () => {
    const { cloud, inventory } = await start({ world: toWire(model, region), account });
    cloud.faults.set([{ action: 'DescribeRouteEntryList', kind: 'forbidden' }]);

    const fetched = await inventory.fetch({ ...common, objects, settings });

    expect(fetched.routeTables).toEqual([]);
    expect(fetched.unavailable.map(({ requestId: _id, ...rest }) => rest)).toEqual(
      ['vtb-in', 'vtb-main'].map((id) => ({
        resource: 'routeTables',
        id,
        region: 'cn-test',
        reason: 'forbidden',
        call: 'DescribeRouteEntryList',
        code: 'Forbidden.RAM',
        message:
          'DescribeRouteEntryList was answered with Forbidden.RAM: User not authorized to operate on the specified resource.',
      })),
    );
    expect({ ...fetched, routeTables: model.routeTables, unavailable: [] }).toEqual(model);
    expect(JSON.stringify(fetched)).not.toContain(key.secret);
  });
});
