import { parseIptablesSave, type SavedTable } from '../libs/netstack/src/parse/iptables-save.js';
import { parseSaveLazily } from './fast-save-parser.js';
import { kubeProxyRules } from './kube-proxy-rules.js';

const plain = (tables: readonly SavedTable[]): unknown =>
  tables.map(({ name, chains }) => ({
    name,
    chains: [...chains.values()].map((chain) => ({
      ...chain,
      rules: chain.rules.map(({ position, text, words }) => ({ position, text, words })),
    })),
  }));

describe('parseSaveLazily', () => {
  it.each([
    { what: 'without counters', text: kubeProxyRules(30) },
    { what: 'with counters', text: kubeProxyRules(30).replaceAll(/^-A /gm, '[12:3456] -A ') },
  ])('reads what the parser of netstack reads, $what', ({ text }) => {
    expect(plain(parseSaveLazily('a', text))).toEqual(plain(parseIptablesSave('a', text)));
  });
});
