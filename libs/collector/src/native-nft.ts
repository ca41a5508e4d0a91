import { z } from 'zod';
import type { CommandRunner } from './command.js';
import type { DumpedFile } from './dump-namespace.js';
import { addDevices } from './nft-devices.js';

const FILE = 'nft.json';
const Table = z.object({ family: z.string(), name: z.string() });
const Chain = z.object({
  family: z.string(),
  table: z.string(),
  name: z.string(),
  handle: z.number(),
  hook: z.string().optional(),
});
const Chains = z.object({ nftables: z.array(z.object({ chain: Chain.optional() })) });
const Listing = z.object({ nftables: z.array(z.object({ table: Table.optional() })) });

// What iptables-nft, ip6tables-nft, arptables-nft and ebtables-nft call their tables. Those come from the save commands:
// in JSON their matches are opaque, and listing 100,000 of them takes a minute.
const COMPAT_FAMILIES: ReadonlySet<string> = new Set(['ip', 'ip6', 'arp', 'bridge']);
const COMPAT_TABLES: ReadonlySet<string> = new Set(['filter', 'nat', 'mangle', 'raw', 'security', 'broute']);

const BASE_CHAINS: ReadonlySet<string> = new Set(['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING']);
/** Handles of chains that were made with their table are small; those of 10,000 services are of no interest. */
const EARLY_HANDLES = 100;

/**
 * nft.json: each native nftables table, one document a line. Without any the file is there and empty. The list of all tables goes
 * before them, and chains of iptables-nft: handles tell which is older, which decides between chains of equal priority.
 */
export async function dumpNativeNft(run: CommandRunner): Promise<DumpedFile> {
  const listing = await run(['nft', '-j', 'list', 'tables']);
  if (listing.status === null) return { file: FILE, notes: ['nft is not installed'] };
  if (listing.status !== 0)
    return {
      file: FILE,
      notes: [...lines(listing.stderr), `\`nft -j list tables\` ended with status ${listing.status}`],
    };
  const notes = lines(listing.stderr);
  const tables = nativeTables(listing.stdout);
  const documents = tables.length === 0 ? [] : [listing.stdout.trim(), ...(await compatChains(run, notes))];
  for (const { family, name } of tables) {
    const table = await run(['nft', '-j', 'list', 'table', family, name]);
    notes.push(...lines(table.stderr));
    // Half a rule set would read as a whole one: then there is no file.
    if (table.status !== 0)
      return { file: FILE, notes: [...notes, `table ${family} ${name} could not be listed (status ${table.status})`] };
    documents.push((await withDevices(run, { family, name }, table.stdout)).trim());
  }
  return { file: FILE, text: documents.map((document) => `${document}\n`).join(''), notes };
}

/** When chains of iptables-nft were made; not worth failing for: without it their order is not known. */
async function compatChains(run: CommandRunner, notes: string[]): Promise<readonly string[]> {
  const listing = await run(['nft', '-j', 'list', 'chains']);
  if (listing.status !== 0 || listing.stdout.trim() === '') {
    notes.push(...lines(listing.stderr), `\`nft -j list chains\` ended with status ${listing.status ?? 'none'}`);
    return [];
  }
  const kept = Chains.parse(JSON.parse(listing.stdout)).nftables.flatMap(({ chain }) =>
    chain !== undefined && isCompat({ family: chain.family, name: chain.table }) && isTelling(chain) ? [{ chain }] : [],
  );
  return kept.length === 0 ? [] : [JSON.stringify({ nftables: kept })];
}

/** A base chain of iptables-nft, or one whose handle tells that the handles below it are of chains, not of rules. */
function isTelling({ name, handle, hook }: z.output<typeof Chain>): boolean {
  return hook === undefined ? handle <= EARLY_HANDLES : BASE_CHAINS.has(name);
}

/** nft 1.0.6 prints the devices of ingress and egress chains in its text only. */
async function withDevices(
  run: CommandRunner,
  { family, name }: z.output<typeof Table>,
  json: string,
): Promise<string> {
  if (family !== 'netdev' && family !== 'inet') return json;
  return addDevices(json, async () => {
    const text = await run(['nft', 'list', 'table', family, name]);
    return text.status === 0 ? text.stdout : '';
  });
}

function nativeTables(text: string): readonly z.output<typeof Table>[] {
  if (text.trim() === '') return [];
  const { nftables } = Listing.parse(JSON.parse(text));
  return nftables.flatMap(({ table }) => (table === undefined || isCompat(table) ? [] : [table]));
}

function isCompat({ family, name }: z.output<typeof Table>): boolean {
  return COMPAT_FAMILIES.has(family) && COMPAT_TABLES.has(name);
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line.trim() !== '');
}
