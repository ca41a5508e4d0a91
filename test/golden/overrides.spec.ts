import { join } from 'node:path';
import type { ClusterOverrides } from '#libs/provider-kit';
import { genericProvider } from '#libs/providers/generic';
import { readKeptCases } from './kept-cases.js';
import { diagnosePair } from './samples.js';

const CASES = new Map(readKeptCases(join(import.meta.dirname, '..', '..')).map((one) => [one.name, one]));

/** The codes that block a kept case when the user says what the cluster is. */
async function blocking(name: string, overrides: ClusterOverrides) {
  const kept = CASES.get(name);
  if (kept === undefined) throw new Error(`no kept case ${name}`);
  const network = await genericProvider.createNetwork({ snapshot: kept.snapshot, settings: {}, overrides });
  return (await diagnosePair(network, kept.pair)).blocking;
}

describe('what the user says of a cluster', () => {
  it.each([
    { title: 'detected', overrides: {}, codes: ['MASQUERADE_MISSING', 'NO_ROUTE'] },
    // A plugin that is not known may have meant either.
    { title: 'plugin unknown', overrides: { networkPlugin: 'unknown' }, codes: ['NO_ROUTE'] },
    { title: 'plugin routed', overrides: { networkPlugin: 'routed' }, codes: ['NO_ROUTE'] },
  ])('decides what a host outside without a way back to a pod means: $title', async ({ overrides, codes }) => {
    const found = await blocking('flannel-host-gw.iptables.cni-masquerade-missing', overrides);

    expect(found.map(({ code }) => code)).toEqual(codes);
    const seen = found.flatMap(({ evidence }) => evidence.map(({ text }) => text)).join('\n');
    expect(seen).toMatch(/no rule (?:masquerades|translates) 10\.244\.1\.2/);
  });

  it('decides which rules of kube-proxy are at work', async () => {
    const detected = await blocking('kindnet.legacy.port-forward-in-service-chain', {});
    const told = await blocking('kindnet.legacy.port-forward-in-service-chain', { proxyMode: 'ipvs' });

    expect(detected[0]?.subject).toEqual({ kind: 'service', namespace: 'default', name: 'np-cluster' });
    expect(told[0]).toMatchObject({ code: 'PROXY_RULES_MISSING', subject: { kind: 'node', name: 'node1' } });
    expect(told[0]?.evidence.map(({ text }) => text)).toContain('the user says: ipvs');
  });
});
