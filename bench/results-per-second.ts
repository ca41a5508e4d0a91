import { canonicalJson, parsePair, type Snapshot } from '#libs/model';
import { listSamples, networkOf, readSample } from '../test/golden/samples.js';
import { repositoryRoot } from '../test/lab/traffic/script-path.js';
import { kubeProxyRules } from '../test/fixtures/kube-proxy-rules.js';

/** Complete answers, as JSON text, of the healthy sample with so many services more on each node. */
export async function resultsPerSecond(services: number, milliseconds: number): Promise<number> {
  const root = repositoryRoot();
  const sample = listSamples(root).find(({ name }) => name === 'healthy');
  if (sample === undefined) throw new Error('the sample "healthy" is not there');
  const network = await networkOf(withServices(await readSample(root, sample), services));
  const pairs = sample.pairs.map(({ source, destination, port, protocol }) =>
    parsePair({ source, destination, port, protocol }),
  );
  for (const pair of pairs) canonicalJson(await network.diagnose(pair));
  const began = performance.now();
  let count = 0;
  while (performance.now() - began < milliseconds)
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
