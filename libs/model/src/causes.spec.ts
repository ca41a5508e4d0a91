import { linkCauses } from './causes.js';
import type { Evidence } from './evidence.js';
import type { Place } from './place.js';
import { suspect, type Suspicion } from './suspicion.js';
import type { SuspicionCode } from './suspicion-codes.js';

const NODE1 = { kind: 'node', name: 'node1' };
const NODE2 = { kind: 'node', name: 'node2' };

function finding(code: SuspicionCode, subject: Place, ...texts: readonly string[]): Suspicion {
  const at = { kind: subject.kind, name: subject.name };
  const evidence = texts.map((text): Evidence => ({ kind: 'route', at, locator: `main/${text}`, text }));
  return suspect({ code, subject, evidence, blocking: false });
}

function follows(symptom: Suspicion, cause: Suspicion): boolean {
  return linkCauses([symptom, cause]).get(symptom.fingerprint) === cause;
}

describe('linkCauses', () => {
  const missing = 'missing: 10.244.2.0/24 via 10.244.2.0 dev flannel.1';

  it('a route is missing because its device is down, on the same host only', () => {
    const symptom = finding('POD_CIDR_ROUTE_MISSING', NODE1, missing);

    expect(follows(symptom, finding('IFACE_DOWN', { ...NODE1, interface: 'flannel.1' }))).toBe(true);
    expect(follows(symptom, finding('IFACE_DOWN', { ...NODE1, interface: 'flannel' }))).toBe(false);
    expect(follows(symptom, finding('IFACE_DOWN', { ...NODE2, interface: 'flannel.1' }))).toBe(false);
  });

  it('a packet is lost outside because the route that would have kept it is missing', () => {
    const taken = 'default via 10.10.0.1 dev eth0';
    const lost = suspect({
      code: 'CLOUD_NO_ROUTE',
      subject: { kind: 'network', name: 'underlay' },
      evidence: [{ kind: 'route', at: NODE1, locator: 'route/10.244.2.2', text: taken }],
      blocking: true,
    });

    expect(follows(lost, finding('POD_CIDR_ROUTE_MISSING', NODE1, missing, taken))).toBe(true);
    expect(follows(lost, finding('POD_CIDR_ROUTE_MISSING', NODE2, missing, taken))).toBe(false);
  });

  it('a rule refuses because its service has no endpoints, and nothing follows from itself or the other way round', () => {
    const rule = '-A KUBE-SERVICES -d 10.96.10.4/32 -j REJECT';
    const reject = finding('FILTER_REJECT', NODE1, rule);
    const service = { kind: 'service', namespace: 'default', name: 'web' };
    const evidence: Evidence = { kind: 'rule', at: NODE1, locator: 'filter/KUBE-SERVICES/1', text: rule };
    const empty = suspect({ code: 'NO_ENDPOINTS', subject: service, evidence: [evidence], blocking: true });

    expect([...linkCauses([empty, reject])]).toEqual([[reject.fingerprint, empty]]);
    expect(linkCauses([reject]).size).toBe(0);
  });

  it('what one service port lacks follows from a kube-proxy that is behind on the same node', () => {
    const stale = finding('PROXY_STALE_ENDPOINT', NODE1, '-A KUBE-SEP-X -j DNAT');

    expect(follows(stale, finding('PROXY_NOT_SYNCED', NODE1, 'x'))).toBe(true);
    expect(follows(stale, finding('PROXY_NOT_SYNCED', NODE2, 'x'))).toBe(false);
  });

  it('a neighbour is silent because the device of the pod behind it, or of the node before it, is broken', () => {
    const pod = { kind: 'pod', namespace: 'default', name: 'web', node: 'node1', interface: 'eth0' };
    const silent = finding('NEIGH_FAILED', { ...NODE1, interface: 'cni0' }, '10.244.1.2 dev cni0 FAILED');

    expect(follows(silent, finding('CARRIER_DOWN', pod))).toBe(true);
    expect(follows(silent, finding('CARRIER_DOWN', { ...pod, node: 'node2' }))).toBe(false);
    expect(follows(finding('NEIGH_FAILED', pod), finding('ADDRESS_MISSING', { ...NODE1, interface: 'cni0' }))).toBe(
      true,
    );
  });

  it('a source has no way back because the route to it refuses, unless another route is shown', () => {
    const setting: Evidence = { kind: 'sysctl', at: NODE1, locator: 'rp_filter', text: 'rp_filter = 2' };
    const drop = suspect({ code: 'RP_FILTER_DROP', subject: NODE1, evidence: [setting], blocking: true });
    const route: Evidence = { kind: 'route', at: NODE1, locator: 'main/0.0.0.0/0', text: 'default via 10.10.0.1' };
    const asymmetric = suspect({ code: 'RP_FILTER_DROP', subject: NODE1, evidence: [setting, route], blocking: true });
    const prohibit = finding('ROUTE_PROHIBIT', NODE1, 'prohibit 10.244.2.0/24');

    expect(follows(drop, prohibit)).toBe(true);
    expect(follows(asymmetric, prohibit)).toBe(false);
  });

  it('believes who found the symptom, and follows causes to the first one; a circle ends', () => {
    const root = finding('MTU_MISMATCH', NODE1);
    const middle = { ...finding('NO_LISTENER', NODE1), because: root.fingerprint };
    const leaf = { ...finding('TC_DROP', NODE2), because: middle.fingerprint };

    expect(linkCauses([leaf, middle, root]).get(leaf.fingerprint)).toBe(root);
    expect(linkCauses([{ ...root, because: leaf.fingerprint }, middle, leaf]).size).toBe(3);
    expect(linkCauses([leaf]).size).toBe(0);
  });
});
