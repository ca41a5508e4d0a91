import { suspect, type SuspicionFacts } from './suspicion.js';
import { isSuspicionCode, SUSPICION_CODES, type CodeEntry } from './suspicion-codes.js';
import { SUSPICION_HOLES } from './suspicion-codes/holes.js';

const NODE = { kind: 'node' as const, name: 'node1' };
const FACTS: SuspicionFacts = {
  code: 'IP_FORWARD_OFF',
  subject: NODE,
  evidence: [{ kind: 'sysctl', at: NODE, locator: 'net.ipv4.ip_forward', text: 'net.ipv4.ip_forward = 0' }],
  blocking: true,
};

describe('suspect', () => {
  it('makes what blocks fatal, and leaves the level of the code to the rest', () => {
    expect(suspect(FACTS).level).toBe('fatal');
    expect(suspect({ ...FACTS, blocking: false }).level).toBe(SUSPICION_CODES.IP_FORWARD_OFF.level);
  });

  it('gives the same finding the same fingerprint in any run, blocking or not, on whatever node order', () => {
    const finding = suspect(FACTS);

    expect(finding.fingerprint).toMatch(/^[0-9a-f]{32}$/);
    expect(suspect({ ...FACTS, blocking: false, details: { a: 1 } }).fingerprint).toBe(finding.fingerprint);
    expect(suspect({ ...FACTS, subject: { ...NODE, name: 'node2' } }).fingerprint).not.toBe(finding.fingerprint);
    expect(suspect({ ...FACTS, code: 'IFACE_FORWARDING_OFF' }).fingerprint).not.toBe(finding.fingerprint);
    expect(suspect({ ...FACTS, evidence: [] }).fingerprint).not.toBe(finding.fingerprint);
  });

  it('says what drops the packet, where, and what to change', () => {
    const rule = { kind: 'rule', at: NODE, locator: 'filter/FORWARD/3', text: '-A FORWARD -j DROP' } as const;
    const finding = suspect({
      code: 'FILTER_DROP',
      subject: NODE,
      evidence: [rule],
      blocking: true,
      details: { command: 'iptables -t filter -D FORWARD -j DROP' },
    });

    expect(finding.message).toBe(
      'node node1 drops the packet silently, in rule 3 of chain FORWARD in table filter: -A FORWARD -j DROP',
    );
    expect(finding.remedy).toMatch(/^On node node1: .*iptables -t filter -D FORWARD -j DROP/);
  });

  it.each([
    ['filter/cali-fw-cali1/3', 'change the Calico or network policy'],
    ['filter/cali-pi-_x/3', 'change the Calico or network policy'],
    ['filter/cali-INPUT/2', 'see that calico-node runs there'],
    ['ip calico/filter-cali-from-wl-dispatch/3', 'see that calico-node runs there'],
    ['filter/KUBE-NWPLCY-X/1', 'kube-router'],
    ['filter/KUBE-SERVICES/1', 'kube-proxy'],
    ['ip kube-proxy/services/9', 'kube-proxy'],
    ['filter/DOCKER-ISOLATION-STAGE-2/1', 'Docker'],
    ['inet firewalld/filter_FORWARD/7', 'firewalld'],
    ['filter/ufw-user-forward/2', 'ufw'],
    ['filter/FORWARD/1', 'remove or narrow the rule: iptables -D X.'],
  ])('says of a rule at %s whose it is, so that nobody deletes what comes back: %s', (locator, says) => {
    const rule = { kind: 'rule', at: NODE, locator, text: '-A X -j DROP' } as const;
    const details = { command: 'iptables -D X' };

    expect(suspect({ ...FACTS, code: 'FILTER_DROP', evidence: [rule], details }).remedy).toContain(says);
  });

  it('does not tell to make a router of a pod', () => {
    const pod = { kind: 'pod', namespace: 'default', name: 'web', node: 'node1' };

    expect(suspect({ ...FACTS, subject: pod, details: { key: 'net.ipv4.ip_forward' } }).remedy).not.toContain('sysctl');
    expect(suspect({ ...FACTS, details: { key: 'net.ipv4.ip_forward' } }).remedy).toContain('sysctl -w');
  });

  it('names the handle of a rule of nftables', () => {
    const rule = { kind: 'rule', at: NODE, locator: 'inet fw/forward/12', text: 'tcp dport 80 drop' } as const;

    expect(suspect({ ...FACTS, code: 'FILTER_DROP', evidence: [rule] }).message).toContain(
      'the rule with handle 12 of chain forward in table inet fw',
    );
  });

  it('leaves out what is not known, and shows a hole in a command as one', () => {
    const known = suspect({ ...FACTS, code: 'NO_MASTER', details: { bridge: 'cni0', interface: 'veth1' } });
    const unknown = suspect({ ...FACTS, code: 'NO_MASTER', details: { interface: 'veth1' } });

    expect(known.message).toContain('it belongs to cni0');
    expect(unknown.message).not.toContain('it belongs to');
    expect(unknown.remedy).toBe('On node node1: ip link set veth1 master <bridge>');
  });

  it('says where a command of the finder is to be run, and leaves sentences alone', () => {
    const pod = { kind: 'pod', namespace: 'default', name: 'web', node: 'node1' };

    expect(suspect({ ...FACTS, remedy: 'ip link set cni0 up' }).remedy).toBe('On node node1: ip link set cni0 up');
    expect(suspect({ ...FACTS, subject: pod, remedy: 'ip link set eth0 up' }).remedy).toBe(
      'In pod default/web: ip link set eth0 up',
    );
    expect(suspect({ ...FACTS, remedy: 'Restart it.' }).remedy).toBe('Restart it.');
  });
});

describe('SUSPICION_CODES', () => {
  const codes = Object.entries(SUSPICION_CODES);

  it.each(codes)(
    '%s has a name that lasts, and says what it is, why, how to check it and what to change',
    (code, entry) => {
      expect(code).toMatch(/^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/);
      expect(entry.message).toMatch(/[.}]\]?\.?$/);
      expect(entry.cause).toMatch(/[.)]$/);
      expect(entry.check.length).toBeGreaterThan(0);
      expect(entry.check.filter((line) => line.trim() === '')).toEqual([]);
      expect(entry.remedy).not.toBe('');
    },
  );

  it('uses only holes that are documented, and documents none that nobody uses', () => {
    const texts = Object.values<CodeEntry>(SUSPICION_CODES).flatMap(
      ({ message, cause, check, remedy, remedyForPod = '' }) => [message, cause, remedy, remedyForPod, ...check],
    );
    const used = new Set(texts.flatMap((text) => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1])));

    expect(used).toEqual(new Set(Object.keys(SUSPICION_HOLES)));
  });

  it('says where: the message of whatever can block names its subject, node or place', () => {
    const vague = codes.filter(
      ([, { level, message }]) =>
        level === 'critical' && !/\{(subject|at|node|owners|destination|source|reference)\}/.test(message),
    );

    expect(vague.map(([code]) => code)).toEqual([]);
  });

  it('knows its own names and not those of Object', () => {
    expect(isSuspicionCode('NO_LISTENER')).toBe(true);
    expect(isSuspicionCode('constructor')).toBe(false);
    expect(isSuspicionCode('no_listener')).toBe(false);
  });
});
