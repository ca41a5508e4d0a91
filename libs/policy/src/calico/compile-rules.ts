import type { ClusterIndex } from '#libs/cluster';
import { parseCidr, type Cidr, type Ip } from '#libs/model';
import { CidrSet } from '../cidr-set.js';
import type { PolicyFlow } from '../flow.js';
import { both, either, matchOf, MAYBE, NO, not, type Match } from '../match.js';
import { portHasName, portInRange, type Side } from '../ports.js';
import type { Roster } from '../roster.js';
import type { Alternative, Condition, Rule } from '../rules.js';
import { ACCOUNT_LABEL, ACCOUNT_PREFIX, isIn, NAMESPACE_PREFIX, type CalicoEndpoints } from './endpoints.js';
import { NAMESPACE_LABEL, prefixSelector } from './match-selector.js';
import { parseSelector, type Selector } from './parse-selector.js';
import type { CalicoPort, CalicoRule, Entity } from './shapes.js';

export interface CalicoWorld {
  readonly cluster: ClusterIndex;
  readonly roster: Roster;
  readonly endpoints: CalicoEndpoints;
}

const ACTIONS = { Allow: 'allow', Deny: 'deny', Pass: 'pass', Log: 'log' } as const;
const PROTOCOLS: ReadonlyMap<string, string> = new Map([
  ['1', 'icmp'],
  ['6', 'tcp'],
  ['17', 'udp'],
  ['58', 'icmpv6'],
  ['132', 'sctp'],
  ['136', 'udplite'],
]);

/** Compiles the rules of one direction. `namespace` is that of a namespaced policy: its selectors stay in it. Throws on bad selectors and prefixes. */
export function compileRules(
  field: string,
  rules: readonly CalicoRule[],
  namespace: string | undefined,
  world: CalicoWorld,
): readonly Rule[] {
  return rules.map((rule, i) => ({
    action: ACTIONS[rule.action],
    path: `${field}[${i}]`,
    conditions: [
      ...entityConditions('source', rule.source, namespace, world),
      ...entityConditions('destination', rule.destination, namespace, world),
      ...protocolConditions(rule),
    ],
  }));
}

function protocolConditions({
  ipVersion,
  protocol,
  notProtocol,
  icmp,
  notICMP,
  http,
}: CalicoRule): readonly Condition[] {
  const conditions: Condition[] = [];
  if (isSet(ipVersion)) conditions.push(must((flow) => matchOf(familyOf(flow) === ipVersion)));
  if (isSet(protocol)) conditions.push(must((flow) => matchOf(flow.protocol === protocolName(protocol))));
  if (isSet(notProtocol)) conditions.push(must((flow) => matchOf(flow.protocol !== protocolName(notProtocol))));
  if (isSet(icmp)) conditions.push(must((flow) => matchIcmp(flow, icmp), 'the ICMP type of the packet'));
  if (isSet(notICMP)) conditions.push(must((flow) => not(matchIcmp(flow, notICMP)), 'the ICMP type of the packet'));
  if (isSet(http)) conditions.push(must(() => MAYBE, 'what the HTTP request looks like'));
  return conditions;
}

function entityConditions(
  side: Side,
  entity: Entity | null | undefined,
  namespace: string | undefined,
  world: CalicoWorld,
): readonly Condition[] {
  if (!isSet(entity)) return [];
  const conditions: Condition[] = [];
  const { nets, notNets, notSelector, ports, notPorts, services, domains } = entity;
  if (hasSome(nets)) {
    const set = new CidrSet(nets.map(cidrOf));
    conditions.push(must((flow) => matchOf(set.contains(flow[side].ip))));
  }
  if (hasSome(notNets)) {
    const set = new CidrSet(notNets.map(cidrOf));
    // felix/rules/policy.go filterNets: a rule whose prefixes are all of the other family is not rendered for this one.
    conditions.push(must((flow) => matchOf(!set.lacksFamilyOf(flow[side].ip) && !set.contains(flow[side].ip))));
  }
  const selector = entitySelector(entity, namespace);
  if (selector !== undefined) {
    const selected = world.endpoints.select(selector);
    conditions.push(must((flow) => isIn(selected, flow[side]), `whether the ${side} is selected`));
  }
  if (hasText(notSelector)) {
    const selected = world.endpoints.select(parseSelector(notSelector));
    conditions.push(must((flow) => not(isIn(selected, flow[side])), `whether the ${side} is selected`));
  }
  if (hasSome(ports)) conditions.push(must(anyPort(ports, side, world.roster), `the ${side} port`));
  if (hasSome(notPorts)) {
    const test = anyPort(notPorts, side, world.roster);
    conditions.push(must((flow) => not(test(flow)), `the ${side} port`));
  }
  if (isSet(services)) conditions.push(serviceCondition(services, side, namespace, world));
  if (hasSome(domains))
    conditions.push(
      must(
        (flow) => (flow[side].kind === 'outside' ? MAYBE : NO),
        `whether the address belongs to ${domains.join(', ')}`,
      ),
    );
  return conditions;
}

/**
 * One selector out of selector, namespaceSelector and serviceAccounts (libcalico-go updateprocessors/rules.go). In a namespaced policy any
 * of the selector fields, notSelector too, confines the entity to the policy's namespace, unless namespaceSelector says which.
 */
function entitySelector(entity: Entity, namespace: string | undefined): Selector | undefined {
  const { selector, notSelector, namespaceSelector, serviceAccounts } = entity;
  const parts: Selector[] = [];
  if (hasText(serviceAccounts?.selector))
    parts.push(prefixSelector(parseSelector(serviceAccounts.selector), ACCOUNT_PREFIX, ACCOUNT_LABEL));
  if (hasSome(serviceAccounts?.names))
    parts.push({ kind: 'set', key: ACCOUNT_LABEL, wanted: true, values: new Set(serviceAccounts.names) });
  if (hasText(selector)) parts.push(parseSelector(selector));
  if (hasText(namespaceSelector))
    parts.unshift(prefixSelector(parseSelector(namespaceSelector), NAMESPACE_PREFIX, NAMESPACE_LABEL));
  else if (namespace !== undefined && (parts.length > 0 || hasText(notSelector)))
    parts.unshift({ kind: 'compare', key: NAMESPACE_LABEL, operator: '==', value: namespace });
  return parts.length === 0 ? undefined : { kind: 'and', parts };
}

/** The endpoints of a Service, from its slices; at the destination with their ports. */
function serviceCondition(
  services: { readonly name: string; readonly namespace?: string | null },
  side: Side,
  namespace: string | undefined,
  { cluster }: CalicoWorld,
): Condition {
  const name = `${services.namespace ?? namespace ?? 'default'}/${services.name}`;
  const service = cluster.services.get(name);
  if (service === undefined) return must(() => NO);
  const sockets = new Set<string>();
  const addresses = new Set<Ip>();
  for (const { ports, endpoints } of cluster.slices(service))
    for (const ip of endpoints.flatMap(({ addresses: own }) => own)) {
      addresses.add(ip);
      for (const { port, protocol } of ports) sockets.add(`${ip}|${protocol.toLowerCase()}|${port ?? ''}`);
    }
  return must((flow) =>
    side === 'source'
      ? matchOf(addresses.has(flow.source.ip))
      : matchOf(sockets.has(`${flow.destination.ip}|${flow.protocol}|${flow.port ?? ''}`)),
  );
}

function anyPort(ports: readonly CalicoPort[], side: Side, roster: Roster): Alternative['test'] {
  const tests = ports.map((port): Alternative['test'] => {
    const range = portRange(port);
    if (range !== undefined) return (flow) => portInRange(flow, side, range[0], range[1]);
    return (flow) => portHasName(roster, flow, side, String(port), undefined);
  });
  return (flow) => tests.reduce<Match>((match, test) => either(match, test(flow)), NO);
}

/** `80`, `"80"` or `"8000:8080"`; anything else is a name (numorstring.Port). */
function portRange(port: CalicoPort): readonly [number, number] | undefined {
  if (typeof port === 'number') return [port, port];
  const parts = /^(\d+)(?::(\d+))?$/.exec(port);
  if (parts?.[1] === undefined) return undefined;
  const from = Number(parts[1]);
  const to = Number(parts[2] ?? parts[1]);
  if (from > to || to > 65535) throw new RangeError(`${port} is not a range of ports`);
  return [from, to];
}

function matchIcmp(flow: PolicyFlow, { type, code }: NonNullable<CalicoRule['icmp']>): Match {
  if (flow.protocol !== 'icmp' && flow.protocol !== 'icmpv6') return NO;
  if (flow.icmp === undefined) return MAYBE;
  return both(matchOf(!isSet(type) || flow.icmp.type === type), matchOf(!isSet(code) || flow.icmp.code === code));
}

function must(test: Alternative['test'], why?: string): Condition {
  return [{ path: '', test, why }];
}

function familyOf({ destination }: PolicyFlow): 4 | 6 {
  return typeof destination.ip === 'number' ? 4 : 6;
}

function protocolName(protocol: number | string): string {
  const text = String(protocol).toLowerCase();
  return PROTOCOLS.get(text) ?? text;
}

function cidrOf(text: string): Cidr {
  const cidr = parseCidr(text);
  if (cidr === undefined) throw new RangeError(`${text} is not a prefix`);
  return cidr;
}

function isSet<T>(value: T | null | undefined): value is T {
  return value !== null && value !== undefined;
}

function hasText(value: string | null | undefined): value is string {
  return isSet(value) && value.trim() !== '';
}

function hasSome<T>(list: readonly T[] | null | undefined): list is readonly T[] {
  return isSet(list) && list.length > 0;
}
