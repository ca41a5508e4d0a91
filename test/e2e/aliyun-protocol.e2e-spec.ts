import { CloudApi, LazySdk } from '../../libs/providers/aliyun/src/inventory/cloud-api.js';
import { CloudCallError } from '../../libs/providers/aliyun/src/inventory/cloud-call-error.js';
import type { CallContext } from '../../libs/providers/aliyun/src/inventory/call-with-retries.js';
import { AccountGate } from '../../libs/providers/aliyun/src/inventory/account-gate.js';
import { systemClock } from '../../libs/providers/aliyun/src/inventory/clock.js';
import type { CredentialSettings } from '../../libs/providers/aliyun/src/inventory/credential-settings.js';
import { CredentialSource } from '../../libs/providers/aliyun/src/inventory/credential-source.js';
import { startDeadline } from '../../libs/providers/aliyun/src/inventory/deadline.js';
import { allByNumber, allByToken } from '../../libs/providers/aliyun/src/inventory/pages.js';
import { connectSdk, loadKeys } from '../../libs/providers/aliyun/src/inventory/sdk.js';
import { ClbAclEntries } from '../../libs/providers/aliyun/src/inventory/wire/clb.js';
import { NlbListeners } from '../../libs/providers/aliyun/src/inventory/wire/nlb.js';
import { RouteEntries, VSwitches } from '../../libs/providers/aliyun/src/inventory/wire/vpc.js';
import { FakeCloud, type FakeCloudOptions } from '../fake-cloud/fake-cloud.js';
import type { Fault } from '../fake-cloud/fault.js';
import { emptyWireWorld, type WireWorld } from '../fake-cloud/wire-world.js';
import { loadAliyunSdk } from '../support/load-aliyun-sdk.js';

// The real SDK over real HTTP. The fake's judge of signatures is written from the documentation, not from the SDK.

const KEY = { id: 'LTAI-test', secret: 'a secret of 30 characters, say' };
const SESSION = { id: 'STS.test', secret: 'another secret', token: 'CAIS+/token==' };

const world: WireWorld = {
  ...emptyWireWorld('cn-test'),
  vSwitches: Array.from({ length: 7 }, (_, nth) => ({
    VSwitchId: `vsw-${nth}`,
    VpcId: 'vpc-1',
    ZoneId: 'cn-test-a',
    CidrBlock: `10.0.${nth}.0/24`,
    RouteTable: { RouteTableId: 'vtb-1' },
  })),
  routeTables: [
    {
      table: { RouteTableId: 'vtb-1', VpcId: 'vpc-1', RouteTableType: 'System' },
      entries: Array.from({ length: 25 }, (_, nth) => ({
        DestinationCidrBlock: `172.16.${nth}.0/24`,
        Status: 'Available',
        NextHops: { NextHop: [{ NextHopType: 'Instance', NextHopId: `i-${nth}`, Enabled: 1, Weight: 0 }] },
      })),
    },
  ],
  clbAcls: { 'acl-1': Array.from({ length: 120 }, (_, nth) => `203.0.113.${nth}/32`), 'acl-none': [] },
  nlbListeners: [
    {
      ListenerId: 'lsn-1',
      LoadBalancerId: 'nlb-1',
      ListenerProtocol: 'TCP',
      ListenerPort: 80,
      ListenerStatus: 'Running',
    },
    {
      ListenerId: 'lsn-2',
      LoadBalancerId: 'nlb-2',
      ListenerProtocol: 'TCP',
      ListenerPort: 81,
      ListenerStatus: 'Running',
    },
  ],
};

beforeAll(loadAliyunSdk, 60_000);

const running: FakeCloud[] = [];
const closers: (() => void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) close();
  await Promise.all(running.splice(0).map((cloud) => cloud.stop()));
});

async function startCloud(options: Partial<FakeCloudOptions> = {}): Promise<FakeCloud> {
  const account = {
    keys: [
      KEY,
      { id: 'LTAI-off', secret: 'x', active: false },
      { id: 'LTAI-poor', secret: 'y', denied: ['DescribeVSwitches'] },
    ],
    sessions: [{ ...SESSION, expiresAt: Date.now() + 3_600_000 }],
  };
  const cloud = await new FakeCloud({ world, account, ...options }).start();
  running.push(cloud);
  return cloud;
}

interface Limits {
  readonly maxAttempts: number;
  readonly callTimeoutMs: number;
  readonly deadlineMs: number;
}

function connect(endpoint: string, settings: CredentialSettings, limits: Partial<Limits> = {}): CloudApi {
  const { maxAttempts = 1, callTimeoutMs = 2000, deadlineMs = 20_000 } = limits;
  const credentials = new CredentialSource(() => loadKeys(settings, callTimeoutMs));
  const endpoints = {
    region: 'cn-test',
    protocol: 'http',
    ecs: endpoint,
    vpc: endpoint,
    slb: endpoint,
    nlb: endpoint,
  } as const;
  const deadline = startDeadline(systemClock, deadlineMs, undefined);
  closers.push(() => deadline.close());
  const context: CallContext = {
    gate: new AccountGate({ concurrency: 8, callsPerSecond: 500 }, systemClock),
    policy: { maxAttempts, callTimeoutMs, firstPauseMs: 20, maxPauseMs: 100 },
    clock: systemClock,
    deadline,
  };
  return new CloudApi(new LazySdk(() => connectSdk(endpoints, credentials, 'test')), credentials, context);
}

const keys: CredentialSettings = { kind: 'keys', accessKeyId: KEY.id, accessKeySecret: KEY.secret };

const vSwitches = (api: CloudApi, pageSize = 50) =>
  allByNumber(api, { action: 'DescribeVSwitches', parameters: { vpcId: 'vpc-1' }, schema: VSwitches, pageSize });

async function failure(act: Promise<unknown>): Promise<CloudCallError> {
  try {
    await act;
  } catch (error) {
    if (error instanceof CloudCallError) return error;
    throw error;
  }
  throw new Error('the call was answered');
}

describe('the SDK and the fake cloud', () => {
  it('signs so that the cloud takes it: query parameters, lists, forms', async () => {
    const cloud = await startCloud();
    const api = connect(cloud.endpoint, keys);

    expect(await vSwitches(api)).toHaveLength(7);
    const listeners = await allByToken(api, {
      action: 'ListListeners',
      parameters: { loadBalancerIds: ['nlb-2'] },
      schema: NlbListeners,
      pageSize: 100,
    });
    expect(listeners.map((listener) => listener.ListenerId)).toEqual(['lsn-2']);
    expect(cloud.calls.map(({ action, status, regionId }) => [action, status, regionId])).toEqual([
      ['DescribeVSwitches', 200, 'cn-test'],
      ['ListListeners', 200, 'cn-test'],
    ]);
  });

  it('turns pages of both kinds until the end, also when the cloud gives smaller ones than it was asked for', async () => {
    const cloud = await startCloud({ smallPage: 3 });
    const api = connect(cloud.endpoint, keys);

    const routes = await allByToken(api, {
      action: 'DescribeRouteEntryList',
      parameters: { routeTableId: 'vtb-1' },
      schema: RouteEntries,
      pageSize: 100,
      sizeName: 'maxResult',
    });
    const acl = (aclId: string) =>
      allByNumber(api, {
        action: 'DescribeAccessControlListAttribute',
        parameters: { aclId },
        schema: ClbAclEntries,
        pageSize: 50,
        numberName: 'page',
        totalName: 'TotalAclEntry',
      });

    expect(new Set(routes.map((route) => route.DestinationCidrBlock)).size).toBe(25);
    expect((await vSwitches(api)).map((item) => item.VSwitchId)).toEqual(
      world.vSwitches.map((item) => item['VSwitchId']),
    );
    expect(await acl('acl-1')).toHaveLength(120);
    expect(await acl('acl-none')).toEqual([]);
    expect(cloud.count()).toEqual(
      new Map([
        ['DescribeRouteEntryList', 9],
        ['DescribeVSwitches', 3],
        ['DescribeAccessControlListAttribute', 41],
      ]),
    );
  });

  it.each<[string, CredentialSettings, { kind: string; code: string }]>([
    [
      'a wrong secret',
      { kind: 'keys', accessKeyId: KEY.id, accessKeySecret: 'wrong' },
      { kind: 'auth', code: 'SignatureDoesNotMatch' },
    ],
    [
      'an unknown key',
      { kind: 'keys', accessKeyId: 'LTAI-nobody', accessKeySecret: 'x' },
      { kind: 'auth', code: 'InvalidAccessKeyId.NotFound' },
    ],
    [
      'a key that is switched off',
      { kind: 'keys', accessKeyId: 'LTAI-off', accessKeySecret: 'x' },
      { kind: 'auth', code: 'InvalidAccessKeyId.Inactive' },
    ],
    [
      'an action that RAM denies',
      { kind: 'keys', accessKeyId: 'LTAI-poor', accessKeySecret: 'y' },
      { kind: 'forbidden', code: 'Forbidden.RAM' },
    ],
    [
      'a token of another session',
      { kind: 'sts', accessKeyId: SESSION.id, accessKeySecret: SESSION.secret, securityToken: 'other' },
      { kind: 'auth', code: 'InvalidSecurityToken.Malformed' },
    ],
  ])('tells %s from other failures', async (_what, settings, expected) => {
    const cloud = await startCloud();

    const error = await failure(vSwitches(connect(cloud.endpoint, settings)));

    expect({ kind: error.kind, code: error.details.code }).toEqual(expected);
    expect(error.details.requestId).toMatch(/^[0-9A-F-]{36}$/);
    expect(error.message).not.toContain('wrong');
  });

  it('works with a temporary key, and says so when it has ended or the clocks differ', async () => {
    const cloud = await startCloud();
    const sts: CredentialSettings = {
      kind: 'sts',
      accessKeyId: SESSION.id,
      accessKeySecret: SESSION.secret,
      securityToken: SESSION.token,
    };
    const api = connect(cloud.endpoint, sts);
    expect(await vSwitches(api)).toHaveLength(7);

    cloud.keys.expireSessions();
    expect((await failure(vSwitches(api))).details.code).toBe('InvalidSecurityToken.Expired');

    const ahead = await startCloud({ now: () => Date.now() + 16 * 60_000 });
    expect((await failure(vSwitches(connect(ahead.endpoint, keys)))).details.code).toBe('InvalidTimeStamp.Expired');
  });

  it.each<[Fault['kind'], CloudCallError['kind']]>([
    ['throttled', 'throttled'],
    ['throttled-with-delay', 'throttled'],
    ['too-many-requests', 'throttled'],
    ['forbidden', 'forbidden'],
    ['bad-signature', 'auth'],
    ['server-error', 'unavailable'],
    ['service-unavailable', 'unavailable'],
    ['html', 'unavailable'],
    ['empty', 'malformed'],
    ['redirect', 'malformed'],
    ['hang', 'timeout'],
    ['slow', 'timeout'],
    ['drip', 'timeout'],
    ['reset', 'unavailable'],
    ['reset-in-body', 'unavailable'],
    ['truncated', 'malformed'],
    ['malformed-json', 'malformed'],
    ['wrong-shape', 'malformed'],
    ['not-an-object', 'malformed'],
  ])('ends a call that is hit by "%s" in time, as %s', async (fault, kind) => {
    const cloud = await startCloud();
    cloud.faults.set([{ action: 'DescribeVSwitches', kind: fault, delayMs: 5000 }]);
    const began = Date.now();

    const error = await failure(vSwitches(connect(cloud.endpoint, keys, { callTimeoutMs: 300 })));

    expect(error.kind).toBe(kind);
    expect(Date.now() - began).toBeLessThan(5000);
    expect(error.message).toContain('DescribeVSwitches');
    expect(error.message).not.toMatch(/127\.0\.0\.1|http|secret|tengine/);
  });

  it('gets through trouble that passes, and tells how often it asked', async () => {
    const cloud = await startCloud();
    cloud.faults.set([
      { action: 'DescribeVSwitches', kind: 'throttled-with-delay', times: 1 },
      { action: 'DescribeVSwitches', kind: 'html', times: 1 },
      { action: 'DescribeVSwitches', kind: 'truncated', times: 1 },
    ]);

    expect(await vSwitches(connect(cloud.endpoint, keys, { maxAttempts: 4 }))).toHaveLength(7);
    expect(cloud.calls.map((call) => call.status)).toEqual(['fault', 'fault', 'fault', 200]);
  });

  it('passes on what the cloud says, without a token that it repeats', async () => {
    const cloud = await startCloud();
    cloud.faults.set([{ kind: 'echo' }]);
    const { id: accessKeyId, secret: accessKeySecret, token: securityToken } = SESSION;

    const error = await failure(
      vSwitches(connect(cloud.endpoint, { kind: 'sts', accessKeyId, accessKeySecret, securityToken })),
    );

    expect(error.message).toBe('DescribeVSwitches was answered with NoPermission: Not allowed for token (secret).');
  });

  it('is refused when a request is sent again', async () => {
    const cloud = await startCloud();
    const sent: RequestInit[] = [];
    await vSwitches(connect(cloud.endpoint, keys));
    const [seen] = cloud.requests;
    if (seen === undefined) throw new Error('nothing was sent');
    const { host: _host, connection: _connection, 'content-length': _length, ...headers } = seen.headers;
    sent.push({
      method: seen.method,
      headers: Object.fromEntries(Object.entries(headers).map(([k, v]) => [k, v ?? ''])),
    });

    const answer = await fetch(`http://${cloud.endpoint}${seen.url}`, sent[0]);

    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ Code: 'SignatureNonceUsed' });
  });
});
