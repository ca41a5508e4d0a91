import { z } from 'zod';

const Chain = z.looseObject({ name: z.string(), hook: z.string().optional(), dev: z.unknown().optional() });
const Document = z.looseObject({ nftables: z.array(z.looseObject({ chain: Chain.optional() })) });

/**
 * The document of one table, its chains below IP with the devices that they are on, as newer nft prints them. `listTable` gives the
 * table as text; it is asked for only when the document lacks a device. A chain that the text does not name stays without.
 */
export async function addDevices(json: string, listTable: () => Promise<string>): Promise<string> {
  if (!/"hook": *"(ingress|egress)"/.test(json)) return json;
  const document = Document.parse(JSON.parse(json));
  const lacking = document.nftables.flatMap(({ chain }) => (chain !== undefined && lacksDevice(chain) ? [chain] : []));
  if (lacking.length === 0) return json;
  const devices = devicesOf(await listTable());
  for (const chain of lacking) {
    const found = devices.get(chain.name);
    if (found !== undefined) chain.dev = found.length === 1 ? found[0] : found;
  }
  return JSON.stringify(document);
}

function lacksDevice({ hook, dev }: z.output<typeof Chain>): boolean {
  return (hook === 'ingress' || hook === 'egress') && dev === undefined;
}

/** `device "eth0"` or `devices = { eth0, "eth0.1" }` in the head of a base chain. */
function devicesOf(text: string): ReadonlyMap<string, readonly string[]> {
  const devices = new Map<string, readonly string[]>();
  let chain = '';
  for (const line of text.split('\n')) {
    chain = /^\s*chain (\S+) \{/.exec(line)?.[1] ?? chain;
    const head = /^\s*type \S+ hook (?:ingress|egress) devices? (?:= \{ ([^}]*) \}|("[^"]*"|\S+)) /.exec(line);
    const names = head?.[1] ?? head?.[2];
    if (names !== undefined)
      devices.set(
        chain,
        names.split(',').map((name) => name.trim().replaceAll('"', '')),
      );
  }
  return devices;
}
