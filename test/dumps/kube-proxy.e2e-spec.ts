import { join } from 'node:path';
import { KubeProxy } from '#libs/kube-proxy';
import { NetNamespace } from '#libs/netstack';
import { compareBranches } from './compare-branches.js';
import { EXCEPTIONS, expectedCases, withoutFrontend } from './expected-branches.js';
import { findForgeries, forgeOf } from './find-forgeries.js';
import { MODES, readClusterObjects, readNodeDump } from './kube-proxy-case.js';
import { checkCompleteness } from './parsed-completely.js';
import { readClusterIndex } from './recorded-cluster.js';

/** 1,000 services × 3 endpoints, recorded from kube-proxy 1.36; `npm run dumps -- FOLDER` does the same for larger ones. */
const FOLDER = join(__dirname, 'data', 'svc1k');
const objects = readClusterObjects(FOLDER);
const cluster = readClusterIndex(FOLDER);

/** As grep counts them in the recorded files. */
const RECORDED = {
  'iptables-nft': { rules: 11290, chains: 4116 },
  'iptables-legacy': { rules: 11290, chains: 4104 },
  nftables: { rules: 1121, chains: 1088 },
} as const;

describe.each(MODES)('the dump of kube-proxy in mode %s', (mode) => {
  const dump = readNodeDump(FOLDER, mode);
  const ns = new NetNamespace(dump);

  it('is parsed completely: no rule lost, none that is not understood', () => {
    const { rules, chains, problems } = checkCompleteness(dump, ns);

    expect(problems).toEqual([]);
    expect({ rules, chains }).toEqual(RECORDED[mode]);
  });

  it('leads every service port to the ready endpoints of its slices, each as likely', () => {
    const { differences, services, frontends } = compareBranches(ns, objects, mode);

    expect(differences).toEqual([]);
    expect({ services, frontends }).toEqual({ services: 1021, frontends: 1054 });
  });

  it('is as the objects imply, says the check of libs/kube-proxy', () => {
    const { findings, skipped } = new KubeProxy(cluster).on(ns).checkAll();

    expect({ findings, skipped }).toEqual({ findings: [], skipped: [] });
  });

  it('has no rule of a service that could be removed or changed without being named', () => {
    // One rule of each service at a time, drawn by chance; `npm run dumps:forge` tries all of them.
    const { forged, missed, innocent } = findForgeries(forgeOf(dump, mode, cluster, 7), cluster, 7, 3);

    expect(missed).toEqual([]);
    expect(innocent).toEqual([]);
    expect(forged).toBeGreaterThan(3000);
  });

  it('would show a rule that is lost', () => {
    const text = dump.files.get('nft.json') ?? '';
    const save = mode === 'iptables-nft' ? 'iptables-nft-save.txt' : 'iptables-legacy-save.txt';
    const broken = new Map(dump.files);
    if (mode === 'nftables') broken.set('nft.json', text.replaceAll('"port": 8080', '"port": 8081'));
    else broken.set(save, (dump.files.get(save) ?? '').replaceAll('10.244.0.2:8080', '10.244.0.99:8080'));

    const { differences } = compareBranches(new NetNamespace({ ...dump, files: broken }), objects, mode);

    expect(differences.length).toBeGreaterThan(0);
  });
});

describe('what is compared', () => {
  it('covers every kind of address, from a pod, from the node and from outside', () => {
    const kinds = new Set(
      expectedCases(objects, 'nftables').map(({ frontend, origin }) => `${frontend.kind} ${origin}`),
    );

    expect(kinds.size).toBe(12);
  });

  it('leaves out only services that have no address', () => {
    expect(withoutFrontend(objects)).toEqual(['demo/extname', 'demo/web-headless']);
  });

  it('names the services that by design do not use all ready endpoints', () => {
    expect(Object.keys(EXCEPTIONS)).toEqual(['demo/web-zone', 'demo/web-itp-local']);
  });
});
