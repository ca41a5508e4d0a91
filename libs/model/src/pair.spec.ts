import { HopscopeError } from './errors.js';
import { normalisePair, parsePair } from './pair.js';

function problemsOf(input: unknown, at?: string): unknown[] {
  try {
    parsePair(input, at);
  } catch (error) {
    if (error instanceof HopscopeError) return error.problems.map(({ path, code }) => `${path} ${code}`);
    throw error;
  }
  return [];
}

describe('parsePair', () => {
  it('reads a pair; the protocol is tcp unless said', () => {
    const pair = parsePair({ id: '7', source: '10.244.1.5', destination: 'service/default/web', port: 'http' });

    expect(pair).toMatchObject({ id: '7', port: 'http', protocol: 'tcp', destination: { kind: 'service' } });
    expect(normalisePair(pair)).toEqual({
      source: '10.244.1.5',
      destination: 'service/default/web',
      port: 'http',
      protocol: 'tcp',
    });
  });

  it.each([
    { input: { source: 'x', destination: '10.0.0.1', port: 80 }, problems: ['/source INVALID_REFERENCE'] },
    {
      input: { source: 'deployment/default/web', destination: '10.0.0.1', port: 80 },
      problems: ['/source REFERENCE_NEEDS_EXPANSION'],
    },
    { input: { source: '10.0.0.1', destination: '10.0.0.2', port: 0 }, problems: ['/port INVALID_PORT'] },
    { input: { source: '10.0.0.1', destination: '10.0.0.2', port: 65536 }, problems: ['/port INVALID_PORT'] },
    { input: { source: '10.0.0.1', destination: '10.0.0.2', port: 1.5 }, problems: ['/port INVALID_PORT'] },
    { input: { source: '10.0.0.1', destination: '10.0.0.2', port: '80' }, problems: ['/port INVALID_PORT'] },
    {
      input: { source: '10.0.0.1', destination: '10.0.0.2', port: 80, protocol: 'TCP' },
      problems: ['/protocol INVALID_VALUE'],
    },
    {
      input: { source: '10.0.0.1', destination: '10.0.0.2', port: 80, ports: 1 },
      problems: ['/ports UNKNOWN_FIELD'],
    },
    { input: 'rubbish', problems: ['/ INVALID_TYPE'] },
    { input: null, problems: ['/ INVALID_TYPE'] },
  ])('refuses $input', ({ input, problems }) => {
    expect(problemsOf(input)).toEqual(problems);
  });

  it('names every problem at once, below the place where the pair stands', () => {
    expect(problemsOf({ source: 'x', destination: 'y', port: 0, protocol: 'sctp' }, '/pairs/3')).toEqual([
      '/pairs/3/source INVALID_REFERENCE',
      '/pairs/3/destination INVALID_REFERENCE',
      '/pairs/3/port INVALID_PORT',
      '/pairs/3/protocol INVALID_VALUE',
    ]);
  });
});
