import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { parseCloudSnapshot, type CloudSnapshot } from '#libs/provider-kit';
import { Account } from './account.js';

/** A cloud in a YAML file: `cloud` is what a look at it finds (the model of cloud.json), `account` who may look. */
export interface WorldFile {
  readonly region: string;
  readonly account: Account;
  readonly cloud: CloudSnapshot;
}

const Outer = z.strictObject({ region: z.string(), account: Account, cloud: z.looseObject({}) });

/** Lists that are empty may be left out of the file. */
const EMPTY: CloudSnapshot = {
  v: 1,
  provider: 'aliyun',
  takenAt: '2026-01-01T00:00:00.000Z',
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

export function readWorldFile(path: string): WorldFile {
  const outer = Outer.parse(parse(readFileSync(path, 'utf8'), { merge: true }));
  return { ...outer, cloud: parseCloudSnapshot({ ...EMPTY, ...outer.cloud }, path) };
}
