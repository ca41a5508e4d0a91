import { createHash } from 'node:crypto';
import type { AliyunProcess } from './aliyun-settings.js';
import { LazySdk } from './cloud-api.js';
import type { CredentialSettings } from './credential-settings.js';
import { CredentialSource } from './credential-source.js';
import { connectSdk, loadKeys } from './sdk.js';

/** The clients of one account in one region. */
export interface Connection {
  readonly sdk: LazySdk;
  readonly credentials: CredentialSource;
}

/** Keys change and clusters go: what was not used for the longest time is forgotten. */
const MAX_KEPT = 64;

/** Clients that stay for the next look, so that sessions and sockets are used again. */
export class Connections {
  private readonly kept = new Map<string, Connection>();

  constructor(private readonly process: AliyunProcess) {}

  of(credentials: CredentialSettings, region: string): Connection {
    const name = createHash('sha256')
      .update(JSON.stringify([credentials, region]))
      .digest('hex');
    const connection = this.kept.get(name) ?? this.connect(credentials, region);
    this.kept.delete(name);
    this.kept.set(name, connection);
    const [oldest] = this.kept.keys();
    if (this.kept.size > MAX_KEPT && oldest !== undefined) this.kept.delete(oldest);
    return connection;
  }

  private connect(settings: CredentialSettings, region: string): Connection {
    const { protocol, ecsEndpoint: ecs, vpcEndpoint: vpc, slbEndpoint: slb, nlbEndpoint: nlb } = this.process;
    const credentials = new CredentialSource(() =>
      loadKeys(settings, this.process.callTimeoutMs, this.process.stsEndpoint),
    );
    const endpoints = { region, protocol, ecs, vpc, slb, nlb };
    return { credentials, sdk: new LazySdk(() => connectSdk(endpoints, credentials, 'hopscope')) };
  }
}
