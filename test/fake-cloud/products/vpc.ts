import { pageByNumber, pageByToken } from '../paging.js';
import { Refusal } from '../refusal.js';
import type { Params } from '../params.js';
import type { WireObject } from '../wire-world.js';
import { where, type Handler, type Product } from './handler.js';

const LIMITS = { default: 10, max: 50 };

/** A call with page numbers whose answer is `{ outer: { inner: [...] } }`. */
function numbered(
  outer: string,
  inner: string,
  find: (params: Params, world: Parameters<Handler>[1]) => readonly WireObject[],
  limits = LIMITS,
): Handler {
  return (params, world, smallPage) => {
    const page = pageByNumber(find(params, world), params, limits, smallPage);
    return { [outer]: { [inner]: page.items }, ...page.marks };
  };
}

/** VPC, 2016-04-28: https://api.aliyun.com/document/Vpc/2016-04-28 */
export const vpc: Product = {
  DescribeVpcs: numbered('Vpcs', 'Vpc', (params, world) => {
    const ids = params.get('VpcId')?.split(',');
    if (ids !== undefined && ids.length > 20) throw new Refusal(400, 'InvalidParameter.VpcId', 'At most 20 ids.');
    return ids === undefined ? world.vpcs : world.vpcs.filter((item) => ids.includes(String(item['VpcId'])));
  }),
  DescribeVSwitches: numbered('VSwitches', 'VSwitch', (params, world) => {
    // The real call wants one of them.
    if (params.get('VpcId') === undefined && params.get('VSwitchId') === undefined) params.need('VpcId');
    return where(where(world.vSwitches, 'VpcId', params.get('VpcId')), 'VSwitchId', params.get('VSwitchId'));
  }),
  DescribeRouteTableList: numbered('RouterTableList', 'RouterTableListType', (params, world) =>
    where(
      world.routeTables.map(({ table }) => table),
      'VpcId',
      params.get('VpcId'),
    ),
  ),
  DescribeRouteEntryList: (params, world, smallPage) => {
    const id = params.need('RouteTableId');
    const found = world.routeTables.find(({ table }) => table['RouteTableId'] === id);
    if (found === undefined) {
      throw new Refusal(404, 'InvalidRouteTableId.NotFound', 'The specified RouteTableId does not exist.');
    }
    const page = pageByToken(found.entries, params, { default: 10, max: 100, sizeName: 'MaxResult' }, smallPage);
    return {
      RouteEntrys: { RouteEntry: page.items },
      NextToken: page.marks['NextToken'],
      TotalCount: found.entries.length,
    };
  },
  DescribeNetworkAcls: numbered('NetworkAcls', 'NetworkAcl', (params, world) =>
    where(where(world.networkAcls, 'VpcId', params.get('VpcId')), 'NetworkAclId', params.get('NetworkAclId')),
  ),
  DescribeNatGateways: numbered('NatGateways', 'NatGateway', (params, world) =>
    where(where(world.natGateways, 'VpcId', params.get('VpcId')), 'NatGatewayId', params.get('NatGatewayId')),
  ),
  DescribeSnatTableEntries: numbered('SnatTableEntries', 'SnatTableEntry', (params, world) =>
    where(world.snatEntries, 'SnatTableId', params.need('SnatTableId')),
  ),
  DescribeForwardTableEntries: numbered('ForwardTableEntries', 'ForwardTableEntry', (params, world) =>
    where(world.forwardEntries, 'ForwardTableId', params.need('ForwardTableId')),
  ),
  DescribeEipAddresses: numbered(
    'EipAddresses',
    'EipAddress',
    (params, world) => where(world.eips, 'IpAddress', params.get('EipAddress')),
    { default: 10, max: 100 },
  ),
  DescribeHaVips: numbered('HaVips', 'HaVip', (_params, world) => world.haVips),
  ListIpv4Gateways: (params, world, smallPage) => {
    const found = where(world.ipv4Gateways, 'VpcId', params.get('VpcId'));
    const page = pageByToken(found, params, { default: 10, max: 100 }, smallPage);
    return { Ipv4GatewayModels: page.items, ...page.marks, TotalCount: String(found.length) };
  },
};
