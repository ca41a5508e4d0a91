import * as fc from 'fast-check';
import { describeEndpoint, formatEndpointRef, parseEndpointRef } from './endpoint.js';
import { HopscopeError } from './errors.js';

function codeOf(text: string): string {
  try {
    parseEndpointRef(text);
  } catch (error) {
    if (error instanceof HopscopeError) return error.code;
    throw error;
  }
  return 'none';
}

describe('parseEndpointRef', () => {
  it.each([
    { text: '10.244.1.2', kind: 'ip', printed: '10.244.1.2' },
    { text: 'FD00:0::1', kind: 'ip', printed: 'fd00::1' },
    { text: 'pod/default/web-0', kind: 'pod', printed: 'pod/default/web-0' },
    { text: 'service/kube-system/kube-dns', kind: 'service', printed: 'service/kube-system/kube-dns' },
    { text: 'node/node1.example.com', kind: 'node', printed: 'node/node1.example.com' },
    { text: 'external/203.0.113.10', kind: 'external', printed: 'external/203.0.113.10' },
    { text: 'external/2001:DB8::1', kind: 'external', printed: 'external/2001:db8::1' },
  ])('$text is a $kind, printed $printed', ({ text, kind, printed }) => {
    const ref = parseEndpointRef(text);

    expect(ref.kind).toBe(kind);
    expect(formatEndpointRef(ref)).toBe(printed);
    expect(parseEndpointRef(printed)).toEqual(ref);
  });

  it.each([
    'web-0',
    'pod/web-0',
    'pod/default/web-0/eth0',
    'pod/Default/web',
    'pod/default/',
    'pod//web',
    'node/',
    'node/-a',
    'node/a_b',
    'external/web',
    'external/10.0.0.1/8',
    '10.0.0.1/24',
    '10.0.0.1:80',
    'svc/default/web',
    `node/${'a'.repeat(254)}`,
    'pod/default/web\u0000',
  ])('refuses %j and names the forms', (text) => {
    expect(() => parseEndpointRef(text)).toThrow(/is not a reference: use an IP, pod\//);
    expect(codeOf(text)).toBe('INVALID_REFERENCE');
  });

  it.each(['deployment/default/web', 'statefulset/default/web', 'daemonset/kube-system/kube-proxy'])(
    '%s names many pods',
    (text) => {
      expect(codeOf(text)).toBe('REFERENCE_NEEDS_EXPANSION');
    },
  );

  it('never repeats much of a long or unprintable text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 400 }), (text) => {
        fc.pre(codeOf(text) !== 'none');

        expect(() => parseEndpointRef(text)).toThrow(/^"[\x20-\x7e]{1,80}" /);
      }),
    );
  });
});

describe('describeEndpoint', () => {
  it.each([
    {
      endpoint: { kind: 'pod' as const, namespace: 'default', name: 'web-0', ip: '10.244.1.2', ref: '' },
      text: 'pod default/web-0 (10.244.1.2)',
    },
    { endpoint: { kind: 'node' as const, name: 'node1', ip: null, ref: '' }, text: 'node node1' },
    { endpoint: { kind: 'external' as const, ip: '8.8.8.8', ref: '' }, text: '8.8.8.8' },
    { endpoint: { kind: 'unknown' as const, ip: null, ref: 'pod/default/gone' }, text: 'pod/default/gone' },
  ])('$text', ({ endpoint, text }) => {
    expect(describeEndpoint(endpoint)).toBe(text);
  });
});
