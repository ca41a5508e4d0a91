import type { CloudApi } from './cloud-api.js';
import type { Failures } from './failures.js';
import type { Gathered, GatheredNatGateway } from './gathered.js';
import { allByNumber, allByToken } from './pages.js';
import {
  ForwardEntries,
  HaVips,
  Ipv4Gateways,
  NatGateways,
  NetworkAcls,
  RouteEntries,
  RouteTables,
  SnatEntries,
  VSwitches,
  Vpcs,
  type WireNatGateway,
  type WireRouteTable,
} from './wire/vpc.js';

/** The largest page that calls of VPC with page numbers give. */
const PAGE = 50;

type VpcPart = Pick<
  Gathered,
  'vpcs' | 'vSwitches' | 'routeTables' | 'networkAcls' | 'natGateways' | 'ipv4Gateways' | 'haVips'
>;

/** Everything of some VPCs that decides where packets go, but for network interfaces and their groups. */
export async function gatherVpcs(api: CloudApi, vpcIds: readonly string[], failures: Failures): Promise<VpcPart> {
  const ofEach = async <T>(look: (vpcId: string) => Promise<readonly T[]>): Promise<readonly T[]> =>
    (await Promise.all(vpcIds.map(look))).flat();
  const [vpcs, vSwitches, routeTables, networkAcls, natGateways, ipv4Gateways, haVips] = await Promise.all([
    ofEach((id) => failures.keep('vpcs', id, () => vpcOf(api, id), [])),
    ofEach((id) => failures.keep('subnets', id, () => vSwitchesOf(api, id), [])),
    ofEach((id) => routeTablesOf(api, id, failures)),
    ofEach((id) => failures.keep('networkAcls', id, () => networkAclsOf(api, id), [])),
    ofEach((id) => natGatewaysOf(api, id, failures)),
    ofEach((id) => failures.keep('internetGateways', id, () => ipv4GatewaysOf(api, id), [])),
    failures.keep('virtualIps', undefined, () => haVipsOf(api, vpcIds), []),
  ]);
  return { vpcs, vSwitches, routeTables, networkAcls, natGateways, ipv4Gateways, haVips };
}

const vpcOf = (api: CloudApi, vpcId: string) =>
  allByNumber(api, { action: 'DescribeVpcs', parameters: { vpcId }, schema: Vpcs, pageSize: PAGE });

const vSwitchesOf = (api: CloudApi, vpcId: string) =>
  allByNumber(api, { action: 'DescribeVSwitches', parameters: { vpcId }, schema: VSwitches, pageSize: PAGE });

const networkAclsOf = (api: CloudApi, vpcId: string) =>
  allByNumber(api, { action: 'DescribeNetworkAcls', parameters: { vpcId }, schema: NetworkAcls, pageSize: PAGE });

const ipv4GatewaysOf = (api: CloudApi, vpcId: string) =>
  allByToken(api, { action: 'ListIpv4Gateways', parameters: { vpcId }, schema: Ipv4Gateways, pageSize: 100 });

/** The call knows filters, but none for a VPC that is documented to work for all kinds: the region's few are looked through. */
async function haVipsOf(api: CloudApi, vpcIds: readonly string[]) {
  const all = await allByNumber(api, { action: 'DescribeHaVips', parameters: {}, schema: HaVips, pageSize: PAGE });
  return all.filter((haVip) => vpcIds.includes(haVip.VpcId));
}

async function routeTablesOf(api: CloudApi, vpcId: string, failures: Failures): Promise<Gathered['routeTables']> {
  const list = () =>
    allByNumber(api, {
      action: 'DescribeRouteTableList',
      parameters: { vpcId },
      schema: RouteTables,
      pageSize: PAGE,
    });
  const tables = await failures.keep<readonly WireRouteTable[]>('routeTables', vpcId, list, []);
  const withEntries = tables.map((table) =>
    failures.keep<Gathered['routeTables']>(
      'routeTables',
      table.RouteTableId,
      async () => [{ table, entries: await routeEntriesOf(api, table.RouteTableId) }],
      [],
    ),
  );
  return (await Promise.all(withEntries)).flat();
}

const routeEntriesOf = (api: CloudApi, routeTableId: string) =>
  allByToken(api, {
    action: 'DescribeRouteEntryList',
    parameters: { routeTableId },
    schema: RouteEntries,
    pageSize: 100,
    // The only call that spells it in the singular.
    sizeName: 'maxResult',
  });

async function natGatewaysOf(api: CloudApi, vpcId: string, failures: Failures): Promise<readonly GatheredNatGateway[]> {
  const list = () =>
    allByNumber(api, { action: 'DescribeNatGateways', parameters: { vpcId }, schema: NatGateways, pageSize: PAGE });
  const gateways = await failures.keep<readonly WireNatGateway[]>('natGateways', vpcId, list, []);
  const whole = gateways.map((gateway) =>
    failures.keep<readonly GatheredNatGateway[]>(
      'natGateways',
      gateway.NatGatewayId,
      async () => [await withEntriesOf(api, gateway)],
      [],
    ),
  );
  return (await Promise.all(whole)).flat();
}

async function withEntriesOf(api: CloudApi, gateway: WireNatGateway): Promise<GatheredNatGateway> {
  const snat = gateway.SnatTableIds.map((snatTableId) =>
    allByNumber(api, {
      action: 'DescribeSnatTableEntries',
      parameters: { snatTableId },
      schema: SnatEntries,
      pageSize: PAGE,
    }),
  );
  const forward = gateway.ForwardTableIds.map((forwardTableId) =>
    allByNumber(api, {
      action: 'DescribeForwardTableEntries',
      parameters: { forwardTableId },
      schema: ForwardEntries,
      pageSize: PAGE,
    }),
  );
  return { gateway, snat: (await Promise.all(snat)).flat(), forward: (await Promise.all(forward)).flat() };
}
