// One look for keys, one call with them, in a process of its own: environment, metadata address and certificates are per process.
// Reads { credentials, listen?, tls? } as JSON from its standard input; prints what came of it as JSON.
import { z } from 'zod';
import { AccountGate } from '../../libs/providers/aliyun/src/inventory/account-gate.js';
import { systemClock } from '../../libs/providers/aliyun/src/inventory/clock.js';
import { CloudApi, LazySdk } from '../../libs/providers/aliyun/src/inventory/cloud-api.js';
import { CloudCallError } from '../../libs/providers/aliyun/src/inventory/cloud-call-error.js';
import { CredentialSource } from '../../libs/providers/aliyun/src/inventory/credential-source.js';
import type { CredentialSettings } from '../../libs/providers/aliyun/src/inventory/credential-settings.js';
import { startDeadline } from '../../libs/providers/aliyun/src/inventory/deadline.js';
import { connectSdk, loadKeys } from '../../libs/providers/aliyun/src/inventory/sdk.js';
import { Vpcs } from '../../libs/providers/aliyun/src/inventory/wire/vpc.js';
import { FakeCloud } from './fake-cloud.js';
import { emptyWireWorld } from './wire-world.js';

const Question = z.object({
  credentials: z.custom<CredentialSettings>(),
  oidcToken: z.string().default('the token'),
  tls: z.object({ key: z.string(), cert: z.string() }).optional(),
  /** Makes the cloud take its sessions away after the first call, and calls again. */
  endSessions: z.boolean().default(false),
  /** Serves the metadata service at its own address; wants a network namespace in which that is ours. */
  metadata: z.boolean().default(false),
});

const chunks: Buffer[] = [];
for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk));
const question = Question.parse(JSON.parse(Buffer.concat(chunks).toString()));

const account = {
  keys: [{ id: 'LTAI-env', secret: 'secret of the environment' }],
  roles: [
    {
      arn: 'acs:ram::1234567890123456:role/hopscope',
      instanceRole: 'hopscope-node',
      oidc: { providerArn: 'acs:ram::1234567890123456:oidc-provider/ack-rrsa', tokens: [question.oidcToken] },
    },
  ],
};
const cloud = new FakeCloud({ world: emptyWireWorld('cn-test'), account });
await (question.metadata ? cloud.start(80, '100.100.100.200') : cloud.start());
// STS is asked over HTTPS; both know the same sessions.
const sts =
  question.tls === undefined
    ? undefined
    : await new FakeCloud({ world: emptyWireWorld('cn-test'), account, tls: question.tls, keys: cloud.keys }).start();

const stsHost = sts === undefined ? undefined : `localhost:${sts.endpoint.split(':')[1]}`;
const credentials = new CredentialSource(() => loadKeys(question.credentials, 3000, stsHost));
const { endpoint } = cloud;
const endpoints = {
  region: 'cn-test',
  protocol: 'http',
  ecs: endpoint,
  vpc: endpoint,
  slb: endpoint,
  nlb: endpoint,
} as const;
const deadline = startDeadline(systemClock, 20_000, undefined);
const api = new CloudApi(new LazySdk(() => connectSdk(endpoints, credentials, 'probe')), credentials, {
  gate: new AccountGate({ concurrency: 8, callsPerSecond: 100 }, systemClock),
  policy: { maxAttempts: 1, callTimeoutMs: 5000, firstPauseMs: 20, maxPauseMs: 100 },
  clock: systemClock,
  deadline,
});

const call = async (): Promise<string> => {
  try {
    await api.call('DescribeVpcs', {}, Vpcs);
    return 'ok';
  } catch (error) {
    if (!(error instanceof CloudCallError)) throw error;
    return `${error.kind}: ${error.message}`;
  }
};
const results = await Promise.all([call(), call(), call()]);
if (question.endSessions) {
  cloud.keys.expireSessions();
  results.push(await call());
}
const asked = [...(sts?.calls ?? []), ...cloud.calls].map((entry) => `${entry.action} ${entry.status}`);
console.log(JSON.stringify({ results, asked }));
deadline.close();
await cloud.stop();
await sts?.stop();
