import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { buildAll } from '../support/hopscope.js';

// The credentials package of the SDK against a fake STS over HTTPS and a fake metadata service at the real address.

const PROBE = join(import.meta.dirname, '..', '..', 'dist', 'test', 'fake-cloud', 'probe.js');
const Answer = z.object({ results: z.array(z.string()), asked: z.array(z.string()) });
const ROLE = {
  kind: 'oidc',
  roleArn: 'acs:ram::1234567890123456:role/hopscope',
  oidcProviderArn: 'acs:ram::1234567890123456:oidc-provider/ack-rrsa',
};

let folder = '';
beforeAll(() => {
  buildAll();
  folder = mkdtempSync(join(tmpdir(), 'hopscope-credentials-'));
});
jest.setTimeout(60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the probe with this environment and nothing else of ours; HOME is empty, so that no profile of the machine is found. */
function probe(question: object, env: Readonly<Record<string, string>> = {}, inNamespace = false) {
  const [command = '', ...args] = inNamespace
    ? [
        'unshare',
        '--net',
        '--user',
        '--map-root-user',
        'sh',
        '-c',
        `${IN_NAMESPACE} exec "$0" "$1"`,
        process.execPath,
        PROBE,
      ]
    : [process.execPath, PROBE];
  const ran = spawnSync(command, args, {
    input: JSON.stringify(question),
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: folder,
      ALIBABA_CLOUD_ECS_METADATA_DISABLED: String(!inNamespace),
      ...env,
    },
    encoding: 'utf8',
    timeout: 60_000,
  });
  if (ran.status !== 0) throw new Error(`the probe failed: ${ran.stderr}`);
  return { ...Answer.parse(JSON.parse(ran.stdout)), output: `${ran.stdout}${ran.stderr}` };
}

const IN_NAMESPACE = 'ip link set lo up && ip address add 100.100.100.200/32 dev lo &&';

function why(command: string, args: readonly string[]): string | undefined {
  try {
    execFileSync(command, args, { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    return `${command} cannot be used here: ${error instanceof Error ? error.message.split('\n').join(' ') : ''}`;
  }
}

const noOpenssl = why('openssl', ['version']);
const noNamespace = why('unshare', ['--net', '--user', '--map-root-user', 'sh', '-c', `${IN_NAMESPACE} true`]);

describe('credentials', () => {
  it('are found once by the default chain for calls that come together', () => {
    const { results } = probe(
      { credentials: { kind: 'default' } },
      { ALIBABA_CLOUD_ACCESS_KEY_ID: 'LTAI-env', ALIBABA_CLOUD_ACCESS_KEY_SECRET: 'secret of the environment' },
    );

    expect(results).toEqual(['ok', 'ok', 'ok']);
  });

  it('that are nowhere are a reason, not a crash, and nothing is called', () => {
    const { results, asked } = probe({ credentials: { kind: 'default' } });

    expect(new Set(results)).toEqual(
      new Set([
        'auth: DescribeVpcs was not made: no credentials could be got; check the keys of the cluster, or the role of the worker',
      ]),
    );
    expect(asked).toEqual([]);
  });

  (noOpenssl === undefined ? describe : describe.skip)(
    `of a role by OIDC (RRSA)${noOpenssl === undefined ? '' : `: skipped, ${noOpenssl}`}`,
    () => {
      let tls = { key: '', cert: '' };
      let oidcTokenFile = '';
      let env = {};
      beforeAll(() => {
        const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
        const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
        const kind = [
          'req',
          '-x509',
          '-newkey',
          'ec',
          '-pkeyopt',
          'ec_paramgen_curve:prime256v1',
          '-nodes',
          '-days',
          '2',
        ];
        execFileSync('openssl', [...kind, ...subject, '-keyout', key, '-out', cert], { stdio: 'pipe' });
        tls = { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
        oidcTokenFile = join(folder, 'token');
        writeFileSync(oidcTokenFile, 'the token\n');
        env = { NODE_EXTRA_CA_CERTS: cert };
      });

      it('are got once for calls that come together', () => {
        const { results, asked } = probe({ credentials: { ...ROLE, oidcTokenFile }, tls }, env);

        expect(results).toEqual(['ok', 'ok', 'ok']);
        expect(asked).toEqual(['AssumeRoleWithOIDC 200', 'DescribeVpcs 200', 'DescribeVpcs 200', 'DescribeVpcs 200']);
      });

      it('are got anew when the cloud no longer takes the session', () => {
        const { results, asked } = probe({ credentials: { ...ROLE, oidcTokenFile }, tls, endSessions: true }, env);

        expect(results).toEqual(['ok', 'ok', 'ok', 'ok']);
        expect(asked.filter((entry) => entry.startsWith('Assume'))).toHaveLength(2);
        expect(asked).toContain('DescribeVpcs 403');
      });

      it('that STS refuses are named so, without the token', () => {
        const { results, output } = probe({ credentials: { ...ROLE, oidcTokenFile }, tls, oidcToken: 'another' }, env);

        expect(results[0]).toContain('STS refused the role or its token');
        expect(output).not.toContain('the token');
      });
    },
  );

  (noNamespace === undefined ? it : it.skip)(
    `of the instance's role come from the metadata service${noNamespace === undefined ? '' : `: skipped, ${noNamespace}`}`,
    () => {
      const { results, asked } = probe({ credentials: { kind: 'ecs-ram-role' }, metadata: true }, {}, true);

      expect(results).toEqual(['ok', 'ok', 'ok']);
      // A token for the name of the role, a token for its session.
      expect(asked.filter((entry) => entry.startsWith('metadata'))).toEqual([
        'metadata 200',
        'metadata 200',
        'metadata 200',
        'metadata 200',
      ]);
    },
  );
});
