import { join } from 'node:path';
import { genericProvider } from '#libs/providers/generic';
import { readKeptCases } from './kept-cases.js';
import { diagnosePair } from './samples.js';

const [KEPT] = readKeptCases(join(import.meta.dirname, '..', '..')).filter(
  ({ name }) => name === 'calico-bgp.iptables.masquerade-ports',
);

/** Somebody whom the policy of prod/db-0 keeps out, with some of the objects. */
async function blocking(keeps: (kind: string) => boolean) {
  if (KEPT === undefined) throw new Error('the kept case is gone');
  const snapshot = { ...KEPT.snapshot, objects: (KEPT.snapshot.objects ?? []).filter(({ kind }) => keeps(kind)) };
  const network = await genericProvider.createNetwork({ snapshot, settings: {}, overrides: {} });
  const pair = { ...KEPT.pair, source: 'pod/default/web-1' };
  return (await diagnosePair(network, pair)).blocking.map(({ code }) => code);
}

describe('a drop by a rule of a network policy', () => {
  it('is what the policy wants, or what a policy has left behind that is gone', async () => {
    expect(await blocking(() => true)).toEqual(['POLICY_DENIED_INGRESS', 'FILTER_DROP']);
    expect(await blocking((kind) => !kind.endsWith('NetworkPolicy'))).toEqual(['POLICY_STALE', 'FILTER_DROP']);
  });
});
