import { readEnv, readFlags, redactConfig } from '#libs/config';
import { aliyunProcess, aliyunSettings, credentialsOf } from './aliyun-settings.js';

const process = (values: object = {}) => aliyunProcess.schema.parse(values);
const settings = (values: object = {}) => aliyunSettings.schema.parse(values);

describe('settings of Alibaba Cloud', () => {
  it('has the flags of the guide', () => {
    const flags = {
      'aliyun-access-key-id': 'id',
      'aliyun-access-key-secret': 'hush',
      'aliyun-security-token': 'token',
    };

    expect(credentialsOf(readFlags({ aliyunSettings }, flags).aliyunSettings, process())).toEqual({
      kind: 'sts',
      accessKeyId: 'id',
      accessKeySecret: 'hush',
      securityToken: 'token',
    });
  });

  it('shows neither secret nor token', () => {
    const shown = JSON.stringify(
      redactConfig(aliyunSettings, settings({ accessKeyId: 'id', accessKeySecret: 'hush', securityToken: 'whisper' })),
    );

    expect(shown).not.toMatch(/hush|whisper/);
  });

  it('uses what the process lends to a cluster without keys', () => {
    const env = { HOPSCOPE_ALIYUN_WORKER_CREDENTIALS: 'ecs-ram-role', HOPSCOPE_ALIYUN_WORKER_ROLE_NAME: 'node' };

    expect(credentialsOf(settings(), readEnv({ aliyunProcess }, env).aliyunProcess)).toEqual({
      kind: 'ecs-ram-role',
      roleName: 'node',
    });
    expect(credentialsOf(settings(), process({ credentials: 'none' }))).toBeUndefined();
  });

  it.each([
    ['half a key', { accessKeyId: 'id' }, {}],
    ['a token without a key', { securityToken: 'token' }, {}],
    ['half a role', {}, { credentials: 'oidc', roleArn: 'acs:ram::1:role/x' }],
  ])('refuses %s with the cure', (_what, ofCluster, ofProcess) => {
    expect(() => credentialsOf(settings(ofCluster), process(ofProcess))).toThrow(/give accessKeyId|set roleArn/);
  });

  it.each([{ region: 'evil.example/' }, { vpcIds: ['x'] }, { ecsEndpoint: 'x' }])('refuses %j', (values) => {
    expect(aliyunSettings.schema.safeParse(values).success).toBe(false);
  });
});
