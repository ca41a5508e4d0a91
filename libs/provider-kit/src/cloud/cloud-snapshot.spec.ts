import { HopscopeError } from '#libs/model';
import { parseCloudSnapshot } from './cloud-snapshot.js';

const EMPTY = {
  v: 1,
  provider: 'acme',
  takenAt: '2026-11-25T00:00:00Z',
  nodes: [],
  services: [],
  instances: [],
  interfaces: [],
  networks: [],
  subnets: [],
  routeTables: [],
  securityGroups: [],
  networkAcls: [],
  natGateways: [],
  internetGateways: [],
  publicIps: [],
  virtualIps: [],
  loadBalancers: [],
  unavailable: [],
};

function problemsOf(value: unknown): readonly { readonly path: string; readonly message: string }[] {
  try {
    parseCloudSnapshot(value);
  } catch (error) {
    if (error instanceof HopscopeError) return error.problems;
    throw error;
  }
  return [];
}

describe('parseCloudSnapshot', () => {
  it('takes a look that found nothing', () => {
    expect(parseCloudSnapshot(EMPTY)).toEqual(EMPTY);
  });

  it('tells every problem with its place', () => {
    const subnet = { id: 's', networkId: 'n', zone: 'z', cidrs: ['10.0.0.0/33'], routeTableId: 't' };
    const virtualIp = { id: 'v', ip: '10.0.0.300', networkId: 'n', usable: true, state: 'Available' };

    expect(problemsOf({ ...EMPTY, subnets: [subnet], virtualIps: [virtualIp] })).toMatchObject([
      { path: '/subnets/0/cidrs/0', message: 'is not a prefix' },
      { path: '/virtualIps/0/ip', message: 'is not an IP address' },
    ]);
  });

  it('refuses names that it does not know, so that a misspelt one is not taken for absent', () => {
    expect(problemsOf({ ...EMPTY, subnet: [] })).toMatchObject([
      { path: '/', message: expect.stringContaining('subnet') },
    ]);
  });

  it('refuses a range of ports that ends before it begins', () => {
    const rule = {
      direction: 'ingress',
      action: 'allow',
      protocol: 'tcp',
      sourcePorts: { kind: 'any' },
      ports: { kind: 'ranges', ranges: [{ from: 90, to: 80 }] },
      source: { kind: 'any' },
      destination: { kind: 'any' },
    };
    const group = {
      id: 'g',
      type: 'normal',
      defaults: { ingress: 'deny', egress: 'allow' },
      insideGroup: 'allow',
      rules: [rule],
    };

    expect(problemsOf({ ...EMPTY, securityGroups: [group] })).toMatchObject([
      { path: '/securityGroups/0/rules/0/ports/ranges/0', message: 'ends before it begins' },
    ]);
  });
});
