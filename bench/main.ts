import { canonicalJson, parseIp, parsePair, type Snapshot } from '#libs/model';
import { ConntrackTable, receive, TCP, type NamespaceRun, type Skb } from '#libs/netstack';
import { parseIptablesSave } from '../libs/netstack/src/parse/iptables-save.js';
import { Random } from '../test/differential/random.js';
import { listSamples, networkOf, readSample } from '../test/golden/samples.js';
import { repositoryRoot } from '../test/lab/traffic/script-path.js';
import { ADDRESSES, benchNamespace, compareAll, runOf } from './agreement.js';
import { clusterIp, kubeProxyRules } from './kube-proxy-rules.js';
import { LinearWalker, type LinearPacket } from './linear-walker.js';

const USAGE =
  'npm run bench [-- --packets N]   the ratios of the engine, side by side in one run (N: packets of the agreement, 1000000)';

function microseconds(act: (index: number) => void, atLeastMs = 700): number {
  for (let i = 0; i < 50; i++) act(i);
  const began = performance.now();
  let count = 0;
  for (; performance.now() - began < atLeastMs; count++) act(count);
  return ((performance.now() - began) * 1000) / count;
}

function packetTo(service: number): Skb {
  const [src, dst] = [parseIp('10.244.200.7'), parseIp(clusterIp(service))];
  if (src === undefined || dst === undefined) throw new Error('a bench address is wrong');
  return { family: 4, src, dst, protocol: TCP, sport: 40000, dport: 80, tcpFlags: 2, ttl: 64, mark: 0, length: 60 };
}

/** A packet for a random service, from the first hook to the wire. */
function walker(services: number): () => void {
  const run = runOf(benchNamespace(kubeProxyRules(services)), []);
  const silent = { step: () => undefined, obstacle: () => undefined };
  const random = new Random(3);
  return () => {
    const alone: NamespaceRun = { ...run, conntrack: new ConntrackTable(), recorder: silent };
    receive(alone, 'cni0', packetTo(random.int(0, services - 1)));
  };
}

/** Turn by turn, the best of five each: what else the machine does then meets all alike. */
function walkCosts(sizes: readonly number[]): number[] {
  const acts = sizes.map(walker);
  const best = sizes.map(() => Infinity);
  for (let round = 0; round < 5; round++)
    for (const [index, act] of acts.entries()) best[index] = Math.min(best[index] ?? Infinity, microseconds(act, 300));
  return best;
}

function linearCost(services: number): number {
  const walker = new LinearWalker(kubeProxyRules(services));
  const random = new Random(3);
  const local = new Set(['10.0.0.1', '10.1.0.1']);
  return microseconds(() => {
    const { src, dst, sport, dport } = packetTo(random.int(0, services - 1));
    const packet: LinearPacket = {
      src,
      dst,
      protocol: 'tcp',
      sport,
      dport,
      mark: 0,
      state: 'NEW',
      iif: 'cni0',
      oif: '',
      local,
    };
    const seen: string[] = [];
    walker.run('nat', 'PREROUTING', packet, seen);
    packet.oif = 'eth0';
    walker.run('filter', 'FORWARD', packet, seen);
    walker.run('nat', 'POSTROUTING', packet, seen);
  });
}

/** Megabytes of iptables-save text read in a second: the best of some runs, as memory is cleaned in between. */
function parserSpeed(parse: (file: string, text: string) => unknown): number {
  const text = kubeProxyRules(10_000);
  let best = 0;
  for (let i = 0; i < 4; i++) {
    const began = performance.now();
    parse('bench', text);
    best = Math.max(best, text.length / 1e6 / ((performance.now() - began) / 1000));
  }
  return best;
}

/** Complete answers, as JSON text, of the healthy sample with a thousand services more on each node. */
async function resultsPerSecond(): Promise<number> {
  const root = repositoryRoot();
  const sample = listSamples(root).find(({ name }) => name === 'healthy');
  if (sample === undefined) throw new Error('the sample "healthy" is not there');
  const network = await networkOf(withServices(await readSample(root, sample), 1000));
  const pairs = sample.pairs.map(({ source, destination, port, protocol }) =>
    parsePair({ source, destination, port, protocol }),
  );
  for (const pair of pairs) canonicalJson(await network.diagnose(pair));
  const began = performance.now();
  let count = 0;
  while (performance.now() - began < 2000)
    for (const pair of pairs) {
      canonicalJson(await network.diagnose(pair));
      count++;
    }
  return (count * 1000) / (performance.now() - began);
}

/** The chains of kube-proxy's nat table, put into the nat table that each node has. */
function withServices(snapshot: Snapshot, services: number): Snapshot {
  const lines = kubeProxyRules(services)
    .split('\n')
    .filter((line) => /KUBE-S(VC|EP)-/.test(line));
  const chains = lines.filter((line) => line.startsWith(':'));
  const rules = lines.filter((line) => !line.startsWith(':'));
  const file = 'iptables-nft-save.txt';
  const dumps = snapshot.dumps.map((dump) => {
    const text = dump.files.get(file);
    if (dump.kind !== 'node' || text === undefined) return dump;
    const nat = text.indexOf('*nat');
    const end = text.indexOf('COMMIT', nat);
    const table = `${text.slice(nat, end)}`.replace('*nat\n', `*nat\n${chains.join('\n')}\n`);
    const merged = `${text.slice(0, nat)}${table}${rules.join('\n')}\n${text.slice(end)}`;
    return { ...dump, files: new Map([...dump.files, [file, merged]]) };
  });
  return { ...snapshot, dumps };
}

function line(what: string, value: string, goal: string, reached: boolean | undefined): void {
  const mark = reached === undefined ? ' ' : reached ? 'ok' : 'NOT REACHED';
  console.log(`${what.padEnd(58)} ${value.padStart(14)}   ${goal.padEnd(22)} ${mark}`);
}

async function main(packets: number): Promise<boolean> {
  const [small = 0, middle = 0, large = 0] = walkCosts([10, 1000, 10_000]);
  const ratio = large / small;
  const naive = linearCost(1000);
  const speed = parserSpeed(parseIptablesSave);
  line(
    'walk with 10 / 1,000 / 10,000 services, µs',
    [small, middle, large].map((us) => us.toFixed(1)).join(' / '),
    '',
    undefined,
  );
  line('cost(10,000 services) / cost(10)', ratio.toFixed(2), '<= 1.5', ratio <= 1.5);
  line('naive walker at 1,000 services, µs', naive.toFixed(0), '', undefined);
  line(
    'naive / indexed traversal at 1,000 services',
    `${(naive / middle).toFixed(0)}x`,
    '>= 250x',
    naive / middle >= 250,
  );
  line('iptables-save parser, MB/s', speed.toFixed(0), '>= 80', speed >= 80);
  const results = await resultsPerSecond();
  line('complete results/s on one core at 1,000 services', results.toFixed(0), '>= 20,000 (informative)', undefined);
  line('verdict matrix / full results pair by pair', 'not built', '>= 5x', undefined);
  const problems = compareAll(packets, 11, kubeProxyRules(20), ADDRESSES);
  line(
    `indexed and linear walker on ${packets} random packets`,
    problems.length === 0 ? 'agree' : 'differ',
    '0 differences',
    problems.length === 0,
  );
  for (const problem of problems) console.log(problem);
  return problems.length === 0 && ratio <= 1.5 && naive / middle >= 250 && speed >= 80;
}

const [option, value = '1000000', ...others] = process.argv.slice(2);
if ((option !== undefined && option !== '--packets') || !/^\d+$/.test(value) || others.length > 0) {
  console.error(USAGE);
  process.exitCode = 2;
} else process.exitCode = (await main(Number(value))) ? 0 : 1;
