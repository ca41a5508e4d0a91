import type { CloudApi } from './cloud-api.js';
import type { Failures } from './failures.js';
import type { Gathered, GatheredSecurityGroup } from './gathered.js';
import { inChunks } from './in-chunks.js';
import { allByToken, pagesByToken } from './pages.js';
import {
  Instances,
  NetworkInterfaces,
  PortRangeListEntries,
  PrefixListEntries,
  SecurityGroupPage,
  SecurityGroups,
  type WireInstance,
  type WireNetworkInterface,
  type WireSecurityGroup,
} from './wire/ecs.js';

/** Calls of ECS take this many ids at a time. */
const IDS_AT_ONCE = 100;

/** Instances by id. One that does not exist is absent from the answer, without an error. */
export async function gatherInstances(
  api: CloudApi,
  ids: readonly string[],
  failures: Failures,
): Promise<readonly WireInstance[]> {
  const look = (some: readonly string[]) =>
    allByToken(api, {
      action: 'DescribeInstances',
      parameters: { instanceIds: JSON.stringify(some) },
      schema: Instances,
      pageSize: 100,
    });
  const parts = inChunks(ids, IDS_AT_ONCE).map((some) => failures.keep('instances', undefined, () => look(some), []));
  return (await Promise.all(parts)).flat();
}

/**
 * All network interfaces of a VPC: a page of 500 is cheaper than a call for each node, and whether any interface owns an address can
 * be told only from all of them.
 */
export async function gatherNetworkInterfaces(
  api: CloudApi,
  vpcIds: readonly string[],
  failures: Failures,
): Promise<readonly WireNetworkInterface[]> {
  const look = (vpcId: string) =>
    allByToken(api, {
      action: 'DescribeNetworkInterfaces',
      parameters: { vpcId },
      schema: NetworkInterfaces,
      pageSize: 500,
    });
  const parts = vpcIds.map((vpcId) => failures.keep('networkInterfaces', vpcId, () => look(vpcId), []));
  return (await Promise.all(parts)).flat();
}

/** Security groups by id, with their rules and the lists that those name. */
export async function gatherSecurityGroups(
  api: CloudApi,
  ids: readonly string[],
  failures: Failures,
): Promise<Pick<Gathered, 'securityGroups' | 'prefixLists' | 'portLists'>> {
  const look = (some: readonly string[]) =>
    allByToken(api, {
      action: 'DescribeSecurityGroups',
      parameters: { securityGroupIds: JSON.stringify(some) },
      schema: SecurityGroups,
      pageSize: 100,
    });
  const parts = inChunks(ids, IDS_AT_ONCE).map((some) =>
    failures.keep<readonly WireSecurityGroup[]>('securityGroups', undefined, () => look(some), []),
  );
  const groups = (await Promise.all(parts)).flat();
  const withRules = groups.map((group) =>
    failures.keep<readonly GatheredSecurityGroup[]>(
      'securityGroups',
      group.SecurityGroupId,
      async () => [await withRulesOf(api, group)],
      [],
    ),
  );
  const securityGroups = (await Promise.all(withRules)).flat();
  return { securityGroups, ...(await gatherLists(api, securityGroups, failures)) };
}

async function withRulesOf(api: CloudApi, group: WireSecurityGroup): Promise<GatheredSecurityGroup> {
  const pages = await pagesByToken(api, {
    action: 'DescribeSecurityGroupAttribute',
    parameters: { securityGroupId: group.SecurityGroupId, direction: 'all', nicType: 'intranet' },
    schema: SecurityGroupPage,
    pageSize: 1000,
  });
  return {
    group,
    innerAccessPolicy: pages[0]?.innerAccessPolicy,
    permissions: pages.flatMap((page) => page.permissions),
  };
}

async function gatherLists(
  api: CloudApi,
  groups: readonly GatheredSecurityGroup[],
  failures: Failures,
): Promise<Pick<Gathered, 'prefixLists' | 'portLists'>> {
  const rules = groups.flatMap((group) => group.permissions);
  const prefixIds = unique(rules.flatMap((rule) => [rule.SourcePrefixListId, rule.DestPrefixListId]));
  const portIds = unique(rules.map((rule) => rule.PortRangeListId));
  const prefixes = prefixIds.map((id) =>
    failures.keep('prefixLists', id, () => entry(id, prefixesOf(api, id)), undefined),
  );
  const ports = portIds.map((id) => failures.keep('portLists', id, () => entry(id, portsOf(api, id)), undefined));
  return { prefixLists: mapOf(await Promise.all(prefixes)), portLists: mapOf(await Promise.all(ports)) };
}

async function prefixesOf(api: CloudApi, prefixListId: string): Promise<readonly string[]> {
  const entries = await api.call('DescribePrefixListAttributes', { prefixListId }, PrefixListEntries);
  return entries.map((item) => item.Cidr);
}

async function portsOf(api: CloudApi, portRangeListId: string): Promise<readonly string[]> {
  const answer = await api.call('DescribePortRangeListEntries', { portRangeListId }, PortRangeListEntries);
  return answer.Entries.map((item) => item.PortRange);
}

type Entry = readonly [string, readonly string[]];

const entry = async (id: string, values: Promise<readonly string[]>): Promise<Entry | undefined> => [id, await values];

const mapOf = (entries: readonly (Entry | undefined)[]): ReadonlyMap<string, readonly string[]> =>
  new Map(entries.filter((item) => item !== undefined));

const unique = (ids: readonly (string | undefined)[]): readonly string[] => [
  ...new Set(ids.filter((id) => id !== undefined)),
];
