import { parseIp } from '#libs/model';
import { SCTP, TCP, UDP, tupleKey, type Tuple } from '../skb.js';

/** A connection that was open when the dump was taken. */
export interface DumpedConn {
  readonly original: Tuple;
  readonly reply: Tuple;
  readonly state: string;
  readonly mark: number;
  readonly seenReply: boolean;
  readonly text: string;
}

const PROTOCOLS: ReadonlyMap<string, number> = new Map(Object.entries({ tcp: TCP, udp: UDP, sctp: SCTP }));

/** Lines of `conntrack -L`, by the key of the original tuple and of the answer's. Lines of other protocols are passed over. */
export function parseConntrack(
  text: string,
): ReadonlyMap<string, { readonly conn: DumpedConn; readonly reply: boolean }> {
  const entries = new Map<string, { conn: DumpedConn; reply: boolean }>();
  for (const line of text.split('\n')) {
    const words = line.trim().split(/\s+/);
    const protocol = PROTOCOLS.get(words[0] ?? '');
    if (protocol === undefined) continue;
    const fields = words.filter((word) => word.includes('=')).map((word) => word.split('='));
    const all = (name: string): string[] => fields.filter(([key]) => key === name).map(([, value]) => value ?? '');
    const tuple = (index: number): Tuple | undefined => {
      const src = parseIp(all('src')[index] ?? '');
      const dst = parseIp(all('dst')[index] ?? '');
      if (src === undefined || dst === undefined) return undefined;
      return { src, dst, protocol, sport: Number(all('sport')[index]), dport: Number(all('dport')[index]) };
    };
    const original = tuple(0);
    const reply = tuple(1);
    if (original === undefined || reply === undefined) continue;
    const state = /^[A-Z_0-9]+$/.test(words[3] ?? '') ? (words[3] ?? '') : '';
    const conn: DumpedConn = {
      original,
      reply,
      state,
      mark: Number(all('mark')[0] ?? 0) >>> 0,
      seenReply: !line.includes('[UNREPLIED]'),
      text: line.trim().replace(/\s+/g, ' '),
    };
    entries.set(tupleKey(original), { conn, reply: false });
    entries.set(tupleKey(reply), { conn, reply: true });
  }
  return entries;
}
