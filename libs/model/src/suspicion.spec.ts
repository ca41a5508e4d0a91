import { isSuspicionCode, SUSPICION_CODES } from './suspicion-codes.js';
import { suspect, type SuspicionFacts } from './suspicion.js';

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

  it('fills the holes of message and remedy', () => {
    const finding = suspect({ ...FACTS, code: 'RP_FILTER_DROP', details: { source: '10.0.0.1', value: 1, key: 'k' } });

    expect(finding.message).not.toMatch(/[{}]/);
    expect(finding.message).toContain('10.0.0.1');
    expect(suspect({ ...FACTS, remedy: 'do this' }).remedy).toBe('do this');
  });
});

describe('SUSPICION_CODES', () => {
  it('has only upper-case names, each with a message that is a sentence', () => {
    for (const [code, { message }] of Object.entries(SUSPICION_CODES)) {
      expect(code).toMatch(/^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/);
      expect(message).toMatch(/\.$/);
    }
  });

  it('knows its own names and not those of Object', () => {
    expect(isSuspicionCode('NO_LISTENER')).toBe(true);
    expect(isSuspicionCode('constructor')).toBe(false);
    expect(isSuspicionCode('no_listener')).toBe(false);
  });
});
