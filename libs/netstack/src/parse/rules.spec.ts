import { formatCidr } from '#libs/model';
import { parseRules } from './rules.js';

const parse = (...rows: Record<string, unknown>[]) => parseRules('ip-rule.json', JSON.stringify(rows));

describe('parseRules', () => {
  it.each([
    { row: { priority: 0, src: 'all', table: 'local' }, rule: { action: 'lookup', table: 'local', from: undefined } },
    { row: { src: 'all', table: 254 }, rule: { priority: 0, table: '254' } },
    {
      row: { priority: 10, src: 'all', fwmark: '0x4000', fwmask: '0x4000', table: '100' },
      rule: { mark: { value: 0x4000, mask: 0x4000 } },
    },
    { row: { priority: 10, src: 'all', fwmark: '0x1', table: '100' }, rule: { mark: { value: 1, mask: 0xffffffff } } },
    { row: { priority: 10, not: null, src: 'all', iif: 'lo', table: '100' }, rule: { invert: true, iif: 'lo' } },
    { row: { priority: 10, src: 'all', goto: 200 }, rule: { action: 'goto', target: 200 } },
    { row: { priority: 10, src: 'all', action: 'blackhole' }, rule: { action: 'blackhole' } },
    { row: { priority: 10, src: 'all', action: 'unreachable' }, rule: { action: 'unreachable' } },
    { row: { priority: 10, src: 'all', action: 'prohibit' }, rule: { action: 'prohibit' } },
    { row: { priority: 10, src: 'all', action: 'nop' }, rule: { action: 'nop' } },
    {
      row: { priority: 10, src: 'all', ipproto: 'tcp', dport_start: 80, dport_end: 90, table: '1' },
      rule: { protocol: 'tcp', dport: { from: 80, to: 90 } },
    },
    { row: { priority: 10, src: 'all', sport: '53', table: '1' }, rule: { sport: { from: 53, to: 53 } } },
    { row: { priority: 10, src: 'all', dport: '80-90', table: '1' }, rule: { dport: { from: 80, to: 90 } } },
    {
      row: { priority: 10, src: 'all', uid_start: 0, uid_end: 999, table: '1' },
      rule: { uid: { start: 0, end: 999 } },
    },
    { row: { priority: 10, src: 'all', tos: '0x10', table: '1' }, rule: { tos: 16 } },
    {
      row: { priority: 10, src: 'all', table: 'main', suppress_prefixlen: 0 },
      rule: { table: 'main', suppressPrefixLength: 0 },
    },
    { row: { priority: 10, src: 'all', l3mdev: null }, rule: { unknown: 'l3mdev', action: 'nop' } },
  ])('$row', ({ row, rule }) => {
    expect(parse(row)[0]).toMatchObject(rule);
  });

  it('reads prefixes given as address and length', () => {
    const [rule] = parse({ priority: 5, src: '10.0.0.0', srclen: 8, dst: '10.1.2.3', table: '7' });

    expect(rule?.from && formatCidr(rule.from)).toBe('10.0.0.0/8');
    expect(rule?.to && formatCidr(rule.to)).toBe('10.1.2.3/32');
    expect(rule?.text).toBe('5: from 10.0.0.0/8 to 10.1.2.3 lookup 7');
  });

  it('sorts by priority and keeps the order of equal ones', () => {
    const rules = parse(
      { priority: 100, src: 'all', table: 'b' },
      { priority: 5, src: 'all', table: 'a' },
      { priority: 100, src: 'all', table: 'c' },
    );

    expect(rules.map((rule) => rule.table)).toEqual(['a', 'b', 'c']);
  });
});
