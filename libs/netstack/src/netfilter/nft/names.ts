import type { Json } from '../../parse/nft.js';
import { member, textOf } from './value.js';

/** Types of devices that have a name (`meta iiftype ether`): ARPHRD_* of if_arp.h. */
export const DEVICE_TYPES = { ether: 1, ppp: 512, ipip: 768, loopback: 772, sit: 776, ipgre: 778 } as const;

/** Classes of RFC 2474, 2597 and 3246. */
const DSCP_CLASSES: Readonly<Record<string, number>> = {
  ...Object.fromEntries(Array.from({ length: 8 }, (_, at) => [`cs${at}`, at * 8])),
  ...Object.fromEntries([1, 2, 3, 4].flatMap((at) => [1, 2, 3].map((drop) => [`af${at}${drop}`, at * 8 + drop * 2]))),
  be: 0,
  df: 0,
  ef: 46,
};

const ECN: Readonly<Record<string, number>> = { 'not-ect': 0, ect1: 1, ect0: 2, ce: 3 };

/** A right-hand side with numbers for the names that nft prints; what a name stands for depends on the left-hand side. */
export function numbersFor(left: Json | undefined, right: Json): Json {
  const names = namesOf(left);
  return names === undefined ? right : replace(right, new Map(Object.entries(names)));
}

function namesOf(left: Json | undefined): Readonly<Record<string, number>> | undefined {
  const key = textOf(member(member(left, 'meta'), 'key'));
  if (key === 'iiftype' || key === 'oiftype') return DEVICE_TYPES;
  const field = textOf(member(member(left, 'payload'), 'field'));
  return field === 'dscp' ? DSCP_CLASSES : field === 'ecn' ? ECN : undefined;
}

function replace(json: Json, names: ReadonlyMap<string, number>): Json {
  if (typeof json === 'string') return names.get(json) ?? json;
  if (Array.isArray(json)) return json.map((one: Json) => replace(one, names));
  if (typeof json !== 'object' || json === null) return json;
  return Object.fromEntries(Object.entries(json).map(([key, one]) => [key, replace(one, names)]));
}
