import { join } from 'node:path';
import { canonicalJson, parsePair, type Diagnosis, type Snapshot } from '#libs/model';
import type { Network } from '#libs/provider-kit';
import { findBreaches } from './result-rules.js';
import { diagnosePair, listSamples, networkOf, readSample, type Sample, type SamplePair } from './samples.js';

const ROOT = join(import.meta.dirname, '..', '..');
const SAMPLES = listSamples(ROOT);
const LOUD = new Set(['warning', 'critical', 'fatal']);

/** Network, and the answer to each pair that the samples do not name themselves. */
interface Opened {
  readonly snapshot: Snapshot;
  readonly network: Network;
}

async function open(sample: Pick<Sample, 'archive'>): Promise<Opened> {
  const snapshot = await readSample(ROOT, sample);
  return { snapshot, network: await networkOf(snapshot) };
}

interface Question {
  readonly source: string;
  readonly destination: string;
  readonly port: number;
  readonly protocol: 'tcp' | 'udp';
}

/** Every pod, node and host outside to every one of them and every service: on the ports that it serves, and on one that nobody has. */
function allPairs({ objects, dumps }: Snapshot): Question[] {
  const references = dumps.map(({ kind, namespace, name: own }) =>
    kind === 'pod' ? `pod/${namespace ?? ''}/${own}` : kind === 'node' ? `node/${own}` : 'external/203.0.113.10',
  );
  const services = (objects ?? [])
    .filter(({ kind }) => kind === 'Service')
    .map(({ metadata }) => `service/${metadata.namespace ?? ''}/${metadata.name}`);
  return references.flatMap((source) =>
    [...references, ...services].flatMap((destination) =>
      [...servedPorts(destination), 'tcp/9'].map((one): Question => {
        const [protocol, port] = one.split('/');
        return { source, destination, port: Number(port), protocol: protocol === 'udp' ? 'udp' : 'tcp' };
      }),
    ),
  );
}

/** What the lab's pods, nodes and services serve (test/lab/cases). */
function servedPorts(destination: string): string[] {
  if (destination.startsWith('pod/') || destination.startsWith('external/')) return ['tcp/8080', 'udp/5353'];
  if (destination.startsWith('node/')) return ['tcp/10250', 'tcp/30080'];
  if (destination === 'service/default/kubernetes') return ['tcp/443'];
  return [destination === 'service/default/names' ? 'udp/53' : 'tcp/80'];
}

/** Hosts outside have no way to pods and cluster addresses, and nobody promises them one. */
function isPromised({ source, destination, port }: Question): boolean {
  return port !== 9 && (!source.startsWith('external/') || /^(node|external)\//.test(destination));
}

const name = ({
  source,
  destination,
  port,
  protocol,
}: Pick<SamplePair, 'source' | 'destination' | 'port' | 'protocol'>): string =>
  `${source} -> ${destination} ${protocol}/${port}`;

/** The order of `skipped` follows the order of the dumps, which says nothing. */
function withSortedSkips(diagnosis: Diagnosis): Diagnosis {
  return {
    ...diagnosis,
    skipped: diagnosis.skipped.toSorted((a, b) => (canonicalJson(a) < canonicalJson(b) ? -1 : 1)),
  };
}

describe.each(SAMPLES)('sample $name', (sample) => {
  let opened: Opened;

  beforeAll(async () => {
    opened = await open(sample);
  });

  it.each(sample.pairs)('$id: verdict, symptom and cause are as samples/cases.json expects', async (pair) => {
    const { verdict, symptom, blocking } = await diagnosePair(opened.network, pair);

    expect({ verdict, symptom, codes: blocking.map(({ code }) => code).slice(0, pair.expect.codes.length) }).toEqual(
      pair.expect,
    );
  });

  it('keeps the rules of results for every pair of its pods, nodes, services and ports', async () => {
    const breaches: string[] = [];
    for (const pair of allPairs(opened.snapshot)) {
      const diagnosis = await opened.network.diagnose(parsePair(pair));
      breaches.push(...findBreaches(diagnosis).map((breach) => `${name(pair)}: ${breach}`));
    }

    expect(breaches).toEqual([]);
  });

  it('gives the same bytes for the same input: asked twice, in another order, from files in another order', async () => {
    const { snapshot, network } = opened;
    const shuffled: Snapshot = {
      ...snapshot,
      objects: snapshot.objects?.toReversed(),
      dumps: snapshot.dumps.toReversed().map((dump) => ({ ...dump, files: new Map([...dump.files].toReversed()) })),
    };
    const other = await networkOf(shuffled);
    const pairs = sample.pairs;
    const ask = async (one: Network, list: readonly SamplePair[]): Promise<Map<string, string>> => {
      const answers = new Map<string, string>();
      for (const pair of list) answers.set(pair.id, canonicalJson(withSortedSkips(await diagnosePair(one, pair))));
      return answers;
    };

    const first = await ask(network, pairs);
    const again = await ask(network, pairs.toReversed());
    const elsewhere = await ask(other, pairs);

    // Names only: the bytes of two diagnoses side by side are nothing to read.
    const differ = pairs
      .map(({ id }) => id)
      .filter((id) => again.get(id) !== first.get(id) || elsewhere.get(id) !== first.get(id));
    expect(differ).toEqual([]);
  });
});

describe('findBreaches', () => {
  const change: readonly {
    readonly title: string;
    readonly make: (good: Diagnosis) => Diagnosis;
    readonly breach: string;
  }[] = [
    { title: 'no cause', make: (good) => ({ ...good, blocking: [] }), breach: 'unreachable without a cause' },
    {
      title: 'good news with a cause',
      make: (good) => ({ ...good, verdict: 'reachable' }),
      breach: 'reachable, with something that blocks',
    },
    {
      title: 'a cause that is not listed',
      make: (good) => ({ ...good, suspicions: [] }),
      breach: 'and is not among the suspicions',
    },
    {
      title: 'a cause without evidence',
      make: (good) => ({ ...good, suspicions: good.suspicions.map((one) => ({ ...one, evidence: [] })) }),
      breach: 'is fatal and shows nothing',
    },
    {
      title: 'a hole in a text',
      make: (good) => ({ ...good, suspicions: good.suspicions.map((one) => ({ ...one, message: 'Add ?.' })) }),
      breach: 'has a hole in its text',
    },
    {
      title: 'a finding twice',
      make: (good) => ({ ...good, suspicions: [...good.suspicions, ...good.suspicions] }),
      breach: 'is reported twice',
    },
    {
      title: 'lost probability',
      make: (good) => ({ ...good, branches: good.branches.map((one) => ({ ...one, probability: 0.5 })) }),
      breach: 'the branches add up to 0.5',
    },
    {
      title: 'another symptom',
      make: (good) => ({ ...good, symptom: 'unknown' }),
      breach: 'is not that of the first branch',
    },
    {
      title: 'a link to nowhere',
      make: (good) => ({ ...good, path: { ...good.path, nodes: [] } }),
      breach: 'which are not both in the path',
    },
    {
      title: 'not knowing without saying why',
      make: (good) => ({ ...good, verdict: 'undetermined', skipped: [] }),
      breach: 'undetermined, and nothing says why',
    },
  ];

  it.each(change)('notices $title', async ({ make, breach }) => {
    const sample = SAMPLES.find(({ name: own }) => own === 'forward-drop');
    const pair = sample?.pairs.find(({ expect: expected }) => expected.verdict === 'unreachable');
    if (sample === undefined || pair === undefined) throw new Error('samples/cases.json has no blocked pair');
    const good = await diagnosePair((await open(sample)).network, pair);

    expect(findBreaches(good)).toEqual([]);
    expect(findBreaches(make(good)).join('\n')).toContain(breach);
  });
});

describe('the healthy sample', () => {
  it('has no warning and worse, whoever asks whom on a port that is served', async () => {
    const healthy = SAMPLES.find((sample) => sample.name === 'healthy');
    if (healthy === undefined) throw new Error('samples/cases.json has no sample "healthy"');
    const { snapshot, network } = await open(healthy);
    const loud: string[] = [];
    let asked = 0;
    for (const pair of allPairs(snapshot)) {
      if (!isPromised(pair)) continue;
      const diagnosis: Diagnosis = await network.diagnose(parsePair(pair));
      asked += 1;
      const codes = diagnosis.suspicions.filter(({ level }) => LOUD.has(level)).map(({ code }) => code);
      if (diagnosis.verdict !== 'reachable' || codes.length > 0)
        loud.push(`${name(pair)}: ${diagnosis.verdict} ${codes.join(' ')}`);
    }

    expect(loud).toEqual([]);
    expect(asked).toBeGreaterThan(50);
  });
});
