import { DiagnosisInput, DiagnosisListQuery, WaitQuery } from './diagnosis-request.js';

describe('WaitQuery', () => {
  it.each([
    { text: '30s', milliseconds: 30_000 },
    { text: '250ms', milliseconds: 250 },
    { text: '1m', milliseconds: 60_000 },
  ])('reads $text', ({ text, milliseconds }) => {
    expect(WaitQuery.parse({ wait: text })).toEqual({ wait: milliseconds });
  });

  it.each(['30', '-1s', '2m', 'soon', '1h'])('refuses %s', (wait) => {
    expect(WaitQuery.safeParse({ wait }).success).toBe(false);
  });
});

describe('DiagnosisListQuery', () => {
  it('reads what a query string can say', () => {
    const query = {
      pageSize: '5',
      verdict: 'partial,unreachable',
      ip: '::FFFF',
      port: '80',
      since: '2026-01-01T00:00:00Z',
    };

    expect(DiagnosisListQuery.parse(query)).toMatchObject({
      pageSize: 5,
      verdict: ['partial', 'unreachable'],
      ip: '::ffff',
      port: 80,
    });
  });

  it.each([
    { pageSize: '0' },
    { pageSize: '1001' },
    { verdict: 'good' },
    { ip: '10.0.0' },
    { code: 'NOPE' },
    { x: '1' },
  ])('refuses %j', (query) => {
    expect(DiagnosisListQuery.safeParse(query).success).toBe(false);
  });
});

describe('DiagnosisInput', () => {
  it('takes one pair with its cluster, and tcp unless said', () => {
    const input = { cluster: 'c', source: '10.0.0.1', destination: '10.0.0.2', port: 80 };

    expect(DiagnosisInput.parse(input)).toEqual({ ...input, protocol: 'tcp' });
  });

  it('knows no other fields', () => {
    const input = { cluster: 'c', source: '10.0.0.1', destination: '10.0.0.2', port: 80, ports: 81 };

    expect(DiagnosisInput.safeParse(input).success).toBe(false);
  });
});
