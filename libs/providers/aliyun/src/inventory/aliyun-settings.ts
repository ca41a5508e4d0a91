import { z } from 'zod';
import { defineConfig } from '#libs/config';
import { HopscopeError } from '#libs/model';
import type { CredentialSettings } from './credential-settings.js';

/** What belongs to one cluster: whose keys, which region. The flags are those of `hopscope diagnose --cloud-provider aliyun`. */
export const aliyunSettings = defineConfig({
  id: 'aliyun',
  title: 'Alibaba Cloud, of one cluster',
  schema: z.strictObject({
    accessKeyId: z
      .string()
      .min(1)
      .optional()
      .describe("Id of an access key that may read the cluster's cloud; the worker's own credentials when left out."),
    accessKeySecret: z.string().min(1).optional().meta({ secret: true, description: 'Secret of the access key.' }),
    securityToken: z.string().min(1).optional().meta({ secret: true, description: 'Token of a temporary key (STS).' }),
    region: z
      .string()
      .regex(/^[a-z]{2}-[a-z0-9-]+$/, 'is not the name of a region, e.g. cn-hangzhou')
      .optional()
      .describe("Region to look in; that of the nodes' provider ids when left out."),
    vpcIds: z
      .array(z.string().regex(/^vpc-[a-zA-Z0-9]+$/, 'is not the id of a VPC, e.g. vpc-bp1abc'))
      .default([])
      .describe('VPCs to look in beside those of the nodes.'),
  }),
});
export type AliyunSettings = z.infer<typeof aliyunSettings.schema>;

const Host = z
  .string()
  .regex(/^[A-Za-z0-9.-]+(:\d{1,5})?$/, 'is not a host name, with a port if need be')
  .optional();

/**
 * What belongs to the process that looks: where the cloud's API answers, how hard it may be asked, and its own credentials. Not to be
 * said for a cluster: who may add a cluster could otherwise have the worker send its token, or a file, to a host of their own.
 */
export const aliyunProcess = defineConfig({
  id: 'aliyun-worker',
  title: 'Alibaba Cloud, of the process that looks',
  schema: z.strictObject({
    credentials: z
      .enum(['default', 'ecs-ram-role', 'oidc', 'none'])
      .default('default')
      .describe(
        'For clusters without keys of their own: `default` (environment, RRSA, CLI profile, credentials file, instance role: the first that has keys), `ecs-ram-role`, `oidc` (RRSA), or `none`.',
      ),
    roleName: z
      .string()
      .min(1)
      .optional()
      .describe('Of `ecs-ram-role`: the role; asked from the instance when left out.'),
    roleArn: z.string().min(1).optional().describe('Of `oidc`: the role to take.'),
    oidcProviderArn: z.string().min(1).optional().describe('Of `oidc`: the identity provider.'),
    oidcTokenFile: z.string().min(1).optional().describe("Of `oidc`: the file with the identity provider's token."),
    ecsEndpoint: Host.describe("Host of the ECS API in place of the region's."),
    vpcEndpoint: Host.describe("Host of the VPC API in place of the region's."),
    slbEndpoint: Host.describe("Host of the CLB API in place of the region's."),
    nlbEndpoint: Host.describe("Host of the NLB API in place of the region's."),
    stsEndpoint: Host.describe('Host of STS in place of sts.aliyuncs.com.'),
    protocol: z.enum(['https', 'http']).default('https').describe('`http` only for tests.'),
    concurrency: z.int().min(1).max(64).default(8).describe('Calls of one account at the same time.'),
    callsPerSecond: z
      .number()
      .min(0.1)
      .max(1000)
      .default(8)
      .describe('Calls of one account that begin in a second, on average.'),
    callTimeoutMs: z
      .int()
      .min(100)
      .max(120_000)
      .default(5000)
      .describe('Limit of one attempt of a call, in milliseconds.'),
    lookUpTimeoutMs: z
      .int()
      .min(100)
      .max(600_000)
      .default(60_000)
      .describe(
        "Limit of the whole look at a cluster's cloud, in milliseconds; what is not known by then is said to be unavailable.",
      ),
    maxAttempts: z.int().min(1).max(20).default(4).describe('How often a throttled or failed call is made, in all.'),
  }),
});
export type AliyunProcess = z.infer<typeof aliyunProcess.schema>;

/** Whose keys are used for a cluster; undefined when it has none and the process lends it none. Throws when half of them is there. */
export function credentialsOf(settings: AliyunSettings, process: AliyunProcess): CredentialSettings | undefined {
  const { accessKeyId, accessKeySecret, securityToken } = settings;
  if (accessKeyId !== undefined && accessKeySecret !== undefined) {
    return securityToken === undefined
      ? { kind: 'keys', accessKeyId, accessKeySecret }
      : { kind: 'sts', accessKeyId, accessKeySecret, securityToken };
  }
  if (accessKeyId !== undefined || accessKeySecret !== undefined || securityToken !== undefined) {
    throw new HopscopeError(
      'INVALID_SETTINGS',
      'An access key needs both its id and its secret: give accessKeyId and accessKeySecret, or neither for the credentials of the worker.',
    );
  }
  const { roleName, roleArn, oidcProviderArn, oidcTokenFile } = process;
  switch (process.credentials) {
    case 'none':
      return undefined;
    case 'default':
      return { kind: 'default' };
    case 'ecs-ram-role':
      return { kind: 'ecs-ram-role', ...(roleName === undefined ? {} : { roleName }) };
    case 'oidc':
      if (roleArn === undefined || oidcProviderArn === undefined || oidcTokenFile === undefined) {
        throw new HopscopeError(
          'INVALID_SETTINGS',
          'Credentials of kind oidc need a role, an identity provider and a token file: set roleArn, oidcProviderArn and oidcTokenFile of the worker.',
        );
      }
      return { kind: 'oidc', roleArn, oidcProviderArn, oidcTokenFile };
  }
}
