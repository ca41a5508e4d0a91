import { TWO_NODE_FLANNEL } from './cases/two-node-flannel.js';
import { addKubeProxyRules, endpointChain, serviceChain } from './cluster/kube-proxy-iptables.js';
import { RuleSet } from './cluster/rule-set.js';
import { nodeOf } from './cluster/spec.js';

describe('kube-proxy rules of the lab', () => {
  // Names read off a real kube-proxy 1.36.
  it.each([
    { made: serviceChain('KUBE-SVC-', 'default/kubernetes:https', 'tcp'), real: 'KUBE-SVC-NPX46M4PTMTKRN6Y' },
    { made: serviceChain('KUBE-SVC-', 'default/web:http', 'tcp'), real: 'KUBE-SVC-CDGGSHYLG3RE2FKL' },
    { made: endpointChain('default/web:http', 'tcp', '10.244.2.2:8080'), real: 'KUBE-SEP-4EX2N4PG4ASNZOBF' },
    { made: endpointChain('default/udp-echo:dns', 'udp', '10.244.1.2:5353'), real: 'KUBE-SEP-HCTSRYQBOYXU3XTD' },
  ])('has the real chain name $real', ({ made, real }) => {
    expect(made).toBe(real);
  });

  it('gives each endpoint an equal share', () => {
    const rules = new RuleSet();
    addKubeProxyRules(rules, TWO_NODE_FLANNEL, nodeOf('node1', TWO_NODE_FLANNEL));

    const shares = rules.chain('nat', serviceChain('KUBE-SVC-', 'default/web:http', 'tcp'));

    expect(shares[1]).toContain('--probability 0.5000000000 ');
    expect(shares[2]).not.toContain('statistic');
  });

  it('rejects what has no endpoints', () => {
    const rules = new RuleSet();
    const services = TWO_NODE_FLANNEL.services.map((service) => ({ ...service, selector: { app: 'nothing' } }));
    addKubeProxyRules(rules, { ...TWO_NODE_FLANNEL, services }, nodeOf('node1', TWO_NODE_FLANNEL));

    const rejects = rules.chain('filter', 'KUBE-SERVICES');

    expect(rejects).toHaveLength(services.length);
    expect(rejects.every((rule) => rule.endsWith('-j REJECT --reject-with icmp-port-unreachable'))).toBe(true);
  });
});
