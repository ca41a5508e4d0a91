import { type Family, type Ip, type NamespaceDump, type Place } from '#libs/model';
import type { HookPlans } from './netfilter/hook-plan.js';
import { compileRuleset, type Ruleset } from './netfilter/ruleset.js';
import { compileProgram, type Program } from './netfilter/nft/program.js';
import { parseNft, type NftDump } from './parse/nft.js';
import type { DumpedTable } from './netfilter/conntrack.js';
import { parseConntrack } from './parse/conntrack.js';
import { DumpError } from './parse/dump-file.js';
import { parseIpvs, type VirtualServer } from './parse/ipvs.js';
import { parseIpsets, type IpSet } from './parse/ipset.js';
import { parseLinks, type Link } from './parse/links.js';
import { parseFdb, parseNeighbours, type FdbEntry, type Neighbour } from './parse/neighbours.js';
import { parseRoutes } from './parse/routes.js';
import { parseRules } from './parse/rules.js';
import { parseSockets, type Socket } from './parse/sockets.js';
import { parseSysctl, type Sysctl } from './parse/sysctl.js';
import { parseVlans, type PortVlans } from './parse/vlans.js';
import { parseTc, type TcFilter } from './parse/tc.js';
import { buildFibs } from './routing/fib.js';
import type { RoutingState } from './routing/lookup.js';

/** A file of the dump that is not there or cannot be read, and why. */
export interface MissingFile {
  readonly file: string;
  readonly reason: string;
}

/** One network namespace, compiled from its dump. Undefined members were not collected: never read them as empty. */
export class NetNamespace {
  readonly id: string;
  readonly place: Place;
  readonly links: ReadonlyMap<string, Link> | undefined;
  readonly linksByIndex: ReadonlyMap<number, Link>;
  readonly neighbours: readonly Neighbour[] | undefined;
  readonly fdb: readonly FdbEntry[] | undefined;
  readonly ipsets: ReadonlyMap<string, IpSet> | undefined;
  readonly sockets: readonly Socket[] | undefined;
  /** ipvs; undefined when not collected, which only matters where ipvs is used. */
  readonly virtualServers: readonly VirtualServer[] | undefined;
  /** What netfilter found out about its hooks; see hook-plan.ts. */
  readonly hookPlans: HookPlans = { 4: {}, 6: {} };
  /** Native nftables tables, compiled. */
  readonly native: readonly Program[] | undefined;
  /** Which nftables table was made first, iptables-nft's among them where the dump lists them. */
  readonly nftHandles: NftDump['handles'];
  readonly nftChainHandles: NftDump['chainHandles'];
  /** VLANs of bridge ports; undefined when not collected. */
  readonly vlans: ReadonlyMap<string, PortVlans> | undefined;
  private readonly filters: readonly TcFilter[];
  private readonly sysctls: Sysctl | undefined;
  private readonly routings: { readonly 4?: RoutingState; readonly 6?: RoutingState };
  private readonly rulesets: {
    readonly 4: readonly (Ruleset | undefined)[];
    readonly 6: readonly (Ruleset | undefined)[];
  };
  private fullTable: DumpedTable | undefined;
  private emptyTable: DumpedTable | undefined;
  private readonly unread: MissingFile[] = [];
  private readonly neighbourIndex = new Map<string, Map<Ip, Neighbour>>();
  private readonly owners = new Map<Ip, Link>();
  /** By name and interface: there are fewer names than interfaces. */
  private readonly confs = {
    4: new Map<string, Map<string, number | undefined>>(),
    6: new Map<string, Map<string, number | undefined>>(),
  };
  private readonly numbers = new Map<string, number | undefined>();

  constructor(readonly dump: NamespaceDump) {
    this.place = placeOf(dump);
    this.id = `${dump.kind}/${dump.namespace === undefined ? '' : `${dump.namespace}/`}${dump.name}`;
    // Without addresses the links are of no use: who owns what could not be told.
    const addresses = this.read('ip-addr.json', (text) => text);
    const links = this.read('ip-link.json', (text) =>
      addresses === undefined ? undefined : parseLinks(text, addresses, dump.files.get('bridge-link.json')),
    );
    this.links = links === undefined ? undefined : new Map(links.map((link) => [link.name, link]));
    this.linksByIndex = new Map((links ?? []).map((link) => [link.index, link]));
    this.neighbours = this.read('ip-neigh.json', parseNeighbours);
    for (const neighbour of this.neighbours ?? [])
      inner(this.neighbourIndex, neighbour.dev).set(neighbour.ip, neighbour);
    for (const link of links ?? [])
      for (const { ip } of link.addresses) if (!this.owners.has(ip)) this.owners.set(ip, link);
    this.fdb = this.read('bridge-fdb.json', parseFdb);
    this.vlans = dump.kind === 'node' ? this.read('bridge-vlan.json', parseVlans) : undefined;
    this.ipsets = this.read('ipset-save.txt', parseIpsets);
    this.virtualServers = dump.kind === 'node' ? this.read('ipvsadm-save.txt', parseIpvs) : undefined;
    this.sockets = this.read('ss-listen.txt', parseSockets);
    this.sysctls = this.read('sysctl-net.txt', parseSysctl);
    // Without tc.txt filters are not looked at; that is said once, in `skipped`, and does not make an answer undetermined.
    this.filters = this.read('tc.txt', parseTc) ?? [];
    this.routings = { 4: this.readRouting(4), 6: this.readRouting(6) };
    this.rulesets = { 4: this.readRulesets(4), 6: this.readRulesets(6) };
    const nft = this.read('nft.json', parseNft);
    this.native = nft?.tables.map((table) => compileProgram(table));
    this.nftHandles = nft?.handles ?? new Map();
    this.nftChainHandles = nft?.chainHandles ?? new Map();
  }

  /** Connections in use when the dump was taken; undefined when not collected. */
  get conntrackCount(): number | undefined {
    const text = this.dump.files.get('conntrack-count.txt');
    return text === undefined ? undefined : Number(text.trim());
  }

  /** What the dumped connection table means for an exchange; its entries are read when a source port is asked about. */
  conntrackTable(withEntries: boolean): DumpedTable {
    return withEntries ? (this.fullTable ??= this.dumpedTable(true)) : (this.emptyTable ??= this.dumpedTable(false));
  }

  private dumpedTable(withEntries: boolean): DumpedTable {
    const max = this.sysctlNumber('net.netfilter.nf_conntrack_max');
    const count = this.conntrackCount;
    const tracked =
      this.rulesets[4].some((ruleset) => (ruleset?.tables.size ?? 0) > 0) || (this.native?.length ?? 0) > 0;
    return {
      entries: withEntries ? parseConntrack(this.dump.files.get('conntrack.txt') ?? '') : new Map(),
      full: tracked && count !== undefined && max !== undefined && max > 0 && count >= max,
    };
  }

  /** undefined when links, addresses, routes or rules were not collected. */
  routing(family: Family): RoutingState | undefined {
    return this.routings[family];
  }

  /** iptables-nft first, then legacy: the order in which equal hook priorities run. An undefined entry was not collected. */
  iptables(family: Family): readonly (Ruleset | undefined)[] {
    return this.rulesets[family];
  }

  get sysctlsCollected(): boolean {
    return this.sysctls !== undefined;
  }

  sysctl(key: string): string | undefined {
    return this.sysctls?.get(key);
  }

  /** A number, or undefined when not collected. */
  sysctlNumber(key: string): number | undefined {
    const known = this.numbers.get(key);
    if (known !== undefined || this.numbers.has(key)) return known;
    const text = this.sysctl(key);
    const value = text === undefined ? undefined : Number(text);
    this.numbers.set(key, value);
    return value;
  }

  /** `net.ipv4.conf.<dev>.<name>`; sysctl(8) prints dots in interface names as slashes. */
  confKey(family: Family, dev: string, name: string): string {
    return `net.ipv${family}.conf.${dev.replaceAll('.', '/')}.${name}`;
  }

  /** Asked at every hop, so kept by interface and name: building the key costs more than the look-up. */
  conf(family: Family, dev: string, name: string): number | undefined {
    const byDevice = inner(this.confs[family], name);
    const known = byDevice.get(dev);
    if (known !== undefined || byDevice.has(dev)) return known;
    const value = this.sysctlNumber(this.confKey(family, dev, name));
    byDevice.set(dev, value);
    return value;
  }

  get filtersFrames(): boolean {
    return this.filters.length > 0;
  }

  tcFilters(dev: string, direction: TcFilter['direction']): readonly TcFilter[] {
    return this.filters.length === 0
      ? this.filters
      : this.filters.filter((filter) => filter.dev === dev && filter.direction === direction);
  }

  link(name: string): Link | undefined {
    return this.links?.get(name);
  }

  neighbour(dev: string, ip: Ip): Neighbour | undefined {
    return this.neighbourIndex.get(dev)?.get(ip);
  }

  /** Files that a walk may ask for and that are not there. */
  missing(file: string): MissingFile | undefined {
    return this.unread.find((missing) => missing.file === file);
  }

  missingFiles(): readonly MissingFile[] {
    return this.unread;
  }

  /** All addresses on its interfaces. */
  get addresses(): Iterable<Ip> {
    return this.owners.keys();
  }

  /** Whether the address is configured on an interface of this namespace. */
  owns(ip: Ip): Link | undefined {
    return this.owners.get(ip);
  }

  private read<T>(file: string, parse: (text: string) => T): T | undefined {
    const text = this.dump.files.get(file);
    if (text === undefined) {
      this.unread.push({ file, reason: stderrOf(this.dump, file) ?? 'not collected' });
      return undefined;
    }
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof DumpError)) throw error;
      this.unread.push({ file, reason: `cannot be read: ${error.message}` });
      return undefined;
    }
  }

  private readRouting(family: Family): RoutingState | undefined {
    const prefix = family === 4 ? 'ip' : 'ip6';
    const routes = this.read(`${prefix}-route.json`, (text) => parseRoutes(`${prefix}-route.json`, text, family));
    const rules = this.read(`${prefix}-rule.json`, (text) => parseRules(`${prefix}-rule.json`, text));
    if (routes === undefined || rules === undefined || this.links === undefined) return undefined;
    return {
      rules,
      fibs: buildFibs(family, routes),
      links: this.links,
      ignoresLinkdown: (dev) =>
        this.conf(family, 'all', 'ignore_routes_with_linkdown') === 1 ||
        this.conf(family, dev, 'ignore_routes_with_linkdown') === 1,
    };
  }

  private readRulesets(family: Family): (Ruleset | undefined)[] {
    const prefix = family === 4 ? 'iptables' : 'ip6tables';
    return (['nft', 'legacy'] as const).map((backend) => {
      const file = `${prefix}-${backend}-save.txt`;
      return this.read(file, (text) => compileRuleset(file, text, backend, family));
    });
  }
}

function placeOf(dump: NamespaceDump): Place {
  if (dump.kind !== 'pod') return { kind: dump.kind, name: dump.name };
  return {
    kind: 'pod',
    namespace: dump.namespace ?? '',
    name: dump.name,
    ...(dump.node === undefined ? {} : { node: dump.node }),
  };
}

/** What the collector heard on standard error while it made the file. */
function stderrOf(dump: NamespaceDump, file: string): string | undefined {
  for (const line of dump.files.get('stderr.txt')?.split('\n') ?? [])
    if (line.startsWith(`${file}:`))
      return line
        .slice(file.length + 1)
        .trim()
        .slice(0, 200);
  return undefined;
}

/** The inner map of a two-level map, made when it is not there. */
function inner<K, V>(outer: Map<string, Map<K, V>>, key: string): Map<K, V> {
  let map = outer.get(key);
  if (map === undefined) outer.set(key, (map = new Map()));
  return map;
}
