import { z } from 'zod';
import type { Forgery } from './forge-iptables.js';

const Item = z.record(z.string(), z.unknown());
const Document = z.looseObject({ nftables: z.array(Item) });
const RuleShape = z.looseObject({
  table: z.string(),
  chain: z.string(),
  handle: z.number(),
  expr: z.array(z.unknown()),
});
const MapShape = z.looseObject({ table: z.string(), name: z.string(), elem: z.array(z.unknown()).default([]) });

/** Where a forgery goes: an item of the document, and for maps an element of it. */
export interface Spot {
  readonly item: number;
  readonly element?: number;
}

/** kube-proxy's table as JSON, apart from libs/kube-proxy: chains carry the name of their service in nftables mode. */
export class RecordedTable {
  private readonly document: z.output<typeof Document>;
  readonly spots: readonly {
    readonly spot: Spot;
    readonly service: string;
    readonly chain: string;
    readonly json: string;
  }[];
  private readonly endpoints: readonly string[];

  constructor(text: string, services: ReadonlyMap<string, string>) {
    this.document = Document.parse(JSON.parse(text));
    const spots: { spot: Spot; service: string; chain: string; json: string }[] = [];
    for (const [item, { rule, map }] of this.document.nftables.entries()) {
      const parsed = RuleShape.safeParse(rule);
      if (parsed.success && parsed.data.table === 'kube-proxy') {
        const service = /^[a-z]+-[A-Z0-9]{8}-([^/]+\/[^/]+)\//.exec(parsed.data.chain)?.[1];
        if (service !== undefined)
          spots.push({ spot: { item }, service, chain: parsed.data.chain, json: JSON.stringify(parsed.data.expr) });
      }
      const set = MapShape.safeParse(map);
      if (!set.success || set.data.table !== 'kube-proxy') continue;
      for (const [element, one] of set.data.elem.entries()) {
        const json = JSON.stringify(one);
        const key = /"concat":\["?([^"]*)"?,"?([^",]*)"?(?:,(\d+))?\]/.exec(json);
        const [, first = '', second = '', third] = key ?? [];
        const service = services.get(third === undefined ? `* ${first} ${second}` : `${first} ${second} ${third}`);
        if (service !== undefined) spots.push({ spot: { item, element }, service, chain: `@${set.data.name}`, json });
      }
    }
    this.spots = spots;
    this.endpoints = spots.filter(({ chain }) => chain.startsWith('service-')).map(({ chain }) => chain);
  }

  forgeries({ service, chain, json }: RecordedTable['spots'][number], random: () => number): Forgery[] {
    const other = this.endpoints[Math.floor(random() * this.endpoints.length)] ?? '';
    const isEndpointMap = json.includes('"numgen"');
    const changes: [string, string][] = [
      [
        'DNAT address',
        isEndpointMap || json.includes('"dnat"')
          ? json.replace(/(\["|"addr":")(\d+\.\d+\.\d+)\.\d+"/, '$1$2.251"')
          : json,
      ],
      ['DNAT port', json.includes('"dnat"') ? json.replace(/("\d+\.\d+\.\d+\.\d+",(?:"port":)?)\d+/, '$11') : json],
      ['modulus', json.replace(/"mod":(\d+)/, (_, mod: string) => `"mod":${Number(mod) + 1}`)],
      [
        'branch removed',
        json.replace(/"set":\[\[0,.*?\}\](,|\])/, (_, end: string) => (end === ',' ? '"set":[' : '"set":[]')),
      ],
      ['jump', json.replace(/"target":"(service|endpoint|external|firewall|local)-[^"]*"/, `"target":"${other}"`)],
      ['jump to nowhere', json.replace(/"target":"[^"]*"/, '"target":"not-there"')],
      ['drop', json.replace(/\{"(goto|jump)":\{"target":"[^"]*"\}\}/, '{"drop":null}')],
      ['mark', json.replace(/16384/, '32768')],
      ['source', json.replace(/("field":"saddr"\}\},"right":\{"prefix":\{"addr":)"[^"]*"/, '$1"10.9.0.0"')],
      ['remembered set', json.replace(/"@affinity-[^"]*"/, '"@affinity-OTHER"')],
      ['refusal', json.replace(/\{"drop":null\}/, '{"accept":null}')],
    ];
    const forgeries: Forgery[] = [
      { service, chain, rule: json, kind: 'removed' },
      ...changes
        .filter(([, becomes]) => becomes !== json)
        .map(([kind, becomes]) => ({ service, chain, rule: json, kind, becomes })),
    ];
    return forgeries.filter(({ kind, becomes }) => kind !== 'jump' || becomes?.includes(`"${chain}"`) !== true);
  }

  /** The document with some items forged. */
  forge(changes: ReadonlyMap<Spot, Forgery>): string {
    const byItem = new Map<number, Map<number | undefined, Forgery>>();
    for (const [{ item, element }, forgery] of changes)
      byItem.set(item, (byItem.get(item) ?? new Map<number | undefined, Forgery>()).set(element, forgery));
    const items = this.document.nftables.flatMap((item, at) => {
      const change = byItem.get(at);
      if (change === undefined) return [item];
      const whole = change.get(undefined);
      if (whole !== undefined)
        return whole.becomes === undefined
          ? []
          : [{ rule: { ...RuleShape.parse(item.rule), expr: JSON.parse(whole.becomes) as unknown } }];
      const map = MapShape.parse(item.map);
      const elem = map.elem.flatMap((one, index) => {
        const own = change.get(index);
        if (own === undefined) return [one];
        return own.becomes === undefined ? [] : [JSON.parse(own.becomes) as unknown];
      });
      return [{ map: { ...map, elem } }];
    });
    return JSON.stringify({ nftables: items });
  }
}
