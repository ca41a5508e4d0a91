import { join } from 'node:path';
import { NetNamespace } from '#libs/netstack';
import { compareBranches } from './compare-branches.js';
import { EXCEPTIONS, expectedCases, withoutFrontend } from './expected-branches.js';
import { MODES, readClusterObjects, readNodeDump } from './kube-proxy-case.js';
import { checkCompleteness } from './parsed-completely.js';

/** 1,000 services × 3 endpoints, recorded from kube-proxy 1.36; `npm run dumps -- FOLDER` does the same for larger ones. */
const FOLDER = join(__dirname, 'data', 'svc1k');
const objects = readClusterObjects(FOLDER);

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
