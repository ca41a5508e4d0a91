import { HopscopeError } from '#libs/model';
import { z } from 'zod';
import { configJsonSchema, configKeys, configTable, defineConfig, readEnv, readFlags, redactConfig } from './index.js';

const cloud = defineConfig({
  id: 'aliyun',
  title: 'Alibaba Cloud',
  schema: z.strictObject({
    accessKeyId: z.string().min(3).describe('The access key id.'),
    accessKeySecret: z.string().min(8).meta({ secret: true, description: 'The access key secret.' }),
    regions: z.array(z.string()).default(['cn-hangzhou']).describe('Regions to look in.'),
    timeoutMs: z.int().min(1).default(5000).describe('Limit of one call.'),
    dryRun: z.boolean().default(false).describe('Only look.'),
  }),
});
const http = defineConfig({
  id: 'http',
  title: 'HTTP',
  schema: z.strictObject({ port: z.int().min(0).max(65535).default(3000).meta({ env: 'PORT', description: 'Port.' }) }),
});

function failure(act: () => unknown): HopscopeError {
  try {
    act();
  } catch (error) {
    if (error instanceof HopscopeError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('config sections', () => {
  it('derives environment and flag names from the declaration', () => {
    const names = configKeys(cloud).map(({ env, flag }) => [env, flag]);

    expect(names[0]).toEqual(['HOPSCOPE_ALIYUN_ACCESS_KEY_ID', '--aliyun-access-key-id']);
    expect(configKeys(http)[0]?.env).toBe('PORT');
  });

  it('reads text as the type that the schema wants', () => {
    const values = readEnv(
      { cloud, http },
      {
        HOPSCOPE_ALIYUN_ACCESS_KEY_ID: 'abc',
        HOPSCOPE_ALIYUN_ACCESS_KEY_SECRET: 'hush-hush',
        HOPSCOPE_ALIYUN_REGIONS: 'a, b',
        HOPSCOPE_ALIYUN_DRY_RUN: 'yes',
        PORT: '8080',
      },
    );

    expect(values.http.port).toBe(8080);
    expect(values.cloud).toMatchObject({ regions: ['a', 'b'], dryRun: true, timeoutMs: 5000 });
  });

  it('reads the same section from flags', () => {
    expect(
      readFlags({ cloud }, { 'aliyun-access-key-id': 'abc', 'aliyun-access-key-secret': '12345678' }).cloud,
    ).toEqual({
      accessKeyId: 'abc',
      accessKeySecret: '12345678',
      regions: ['cn-hangzhou'],
      timeoutMs: 5000,
      dryRun: false,
    });
  });

  it('reports every problem of every section at once and never shows a secret', () => {
    const error = failure(() =>
      readEnv(
        { cloud, http },
        { PORT: 'many', HOPSCOPE_ALIYUN_ACCESS_KEY_SECRET: 'hush', HOPSCOPE_ALIYUN_DRY_RUN: 'maybe' },
      ),
    );

    expect(error.code).toBe('INVALID_CONFIG');
    expect(error.problems.map(({ path }) => path)).toEqual([
      'HOPSCOPE_ALIYUN_ACCESS_KEY_ID',
      'HOPSCOPE_ALIYUN_ACCESS_KEY_SECRET',
      'HOPSCOPE_ALIYUN_DRY_RUN',
      'PORT',
    ]);
    expect(error.message).toContain('"many"');
    expect(error.message).not.toContain('hush');
  });

  it('shows values without secrets, a JSON schema and a table', () => {
    expect(redactConfig(cloud, { accessKeyId: 'abc', accessKeySecret: 'hush' })).toEqual({
      accessKeyId: 'abc',
      accessKeySecret: '[redacted]',
    });
    expect(configJsonSchema(cloud)).toMatchObject({ type: 'object', properties: { timeoutMs: { default: 5000 } } });
    expect(configTable(cloud)).toContain('| `HOPSCOPE_ALIYUN_ACCESS_KEY_ID` | `--aliyun-access-key-id` | (required) |');
  });
});
