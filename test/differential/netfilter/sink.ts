import { z } from 'zod';
import { must } from '../world/command.js';
import { inside } from '../world/namespaces.js';
import { count, portsKey, type Tally } from './tally.js';

const Value = z.union([z.string(), z.number()]);
const Element = z.object({
  elem: z.object({
    val: z.union([z.object({ concat: z.array(Value) }), Value]),
    counter: z.object({ packets: z.number() }),
  }),
});
const Listing = z.object({
  nftables: z.array(
    z.looseObject({ set: z.looseObject({ name: z.string(), elem: z.array(Element).optional() }).optional() }),
  ),
});

const SETS = ['post4', 'post6', 'into4', 'into6', 'leave', 'enter', 'marks', 'errs4', 'errs6', 'rsts'];

export function emptySink(): void {
  must([...inside('router'), 'nft', '-f', '-'], SETS.map((set) => `flush set inet hopsink ${set}\n`).join(''));
}

/** What left, what was delivered, and which errors the router made, by itself, since the sink was emptied. */
export function readSink(tally: Tally): void {
  const text = must([...inside('router'), 'nft', '-j', 'list', 'table', 'inet', 'hopsink']);
  for (const { set } of Listing.parse(JSON.parse(text)).nftables) {
    if (set === undefined) continue;
    for (const { elem } of set.elem ?? []) {
      const parts = typeof elem.val === 'object' ? elem.val.concat : [elem.val];
      count(tally, keyOf(set.name, parts), elem.counter.packets);
    }
  }
}

function keyOf(set: string, parts: readonly (string | number)[]): string {
  if (set.startsWith('errs')) return `made icmp ${parts.map((part) => numberOf(set, part)).join(' ')}`;
  if (set === 'rsts') return 'made rst';
  const fields = parts.slice(0, -2);
  const [sport = 0, dport = 0] = parts.slice(-2).map(Number);
  return `${set} ${fields.join(' ')} ${portsKey(sport, dport)}`;
}

/** nft prints ICMP types and codes by name. */
const NAMES: Readonly<Record<string, number>> = {
  'errs4 destination-unreachable': 3,
  'errs4 time-exceeded': 11,
  'errs4 net-unreachable': 0,
  'errs4 host-unreachable': 1,
  'errs4 prot-unreachable': 2,
  'errs4 port-unreachable': 3,
  'errs4 net-prohibited': 9,
  'errs4 host-prohibited': 10,
  'errs4 admin-prohibited': 13,
  'errs6 destination-unreachable': 1,
  'errs6 time-exceeded': 3,
  'errs6 no-route': 0,
  'errs6 admin-prohibited': 1,
  'errs6 addr-unreachable': 3,
  'errs6 port-unreachable': 4,
  'errs6 policy-fail': 5,
  'errs6 reject-route': 6,
};

function numberOf(set: string, part: string | number): number {
  return typeof part === 'number' ? part : (NAMES[`${set} ${part}`] ?? Number.NaN);
}
