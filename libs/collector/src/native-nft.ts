import { z } from 'zod';
import type { CommandRunner } from './command.js';
import type { DumpedFile } from './dump-namespace.js';
import { addDevices } from './nft-devices.js';

const FILE = 'nft.json';
const Table = z.object({ family: z.string(), name: z.string() });
const Listing = z.object({ nftables: z.array(z.object({ table: Table.optional() })) });

// What iptables-nft, ip6tables-nft, arptables-nft and ebtables-nft call their tables. Those come from the save commands:
// in JSON their matches are opaque, and listing 100,000 of them takes a minute.
const COMPAT_FAMILIES: ReadonlySet<string> = new Set(['ip', 'ip6', 'arp', 'bridge']);
const COMPAT_TABLES: ReadonlySet<string> = new Set(['filter', 'nat', 'mangle', 'raw', 'security', 'broute']);

/**
 * nft.json: each native nftables table, one document a line. Without any the file is there and empty. The list of all tables goes
 * before them: its handles tell which table is older, which decides between chains of equal priority.
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
  const documents = tables.length === 0 ? [] : [listing.stdout.trim()];
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
  return nftables.flatMap(({ table }) =>
    table === undefined || (COMPAT_FAMILIES.has(table.family) && COMPAT_TABLES.has(table.name)) ? [] : [table],
  );
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line.trim() !== '');
}
