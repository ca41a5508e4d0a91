import {
  HopscopeError,
  VERDICTS,
  formatCidr,
  parseCidr,
  parsePair,
  type DiagnosisRequest,
  type InputProblem,
  type Verdict,
} from '#libs/model';
import type { ClusterOverrides, Provider, ProviderRegistry } from '#libs/provider-kit';
import { z } from 'zod';
import { FAIL_ON_DEFAULT, type FailOn } from '../exit-code.js';
import {
  SINGLE_FORMATS,
  STREAM_FORMATS,
  isFormat,
  isStreamFormat,
  type Format,
  type StreamFormat,
} from '../output/formats.js';

const Flags = z.object({
  source: z.string().optional(),
  destination: z.string().optional(),
  port: z.string().optional(),
  protocol: z.string(),
  sourcePort: z.string().optional(),
  pairs: z.string().optional(),
  snapshot: z.string().optional(),
  kubeConfig: z.string().optional(),
  cloudProvider: z.string(),
  networkPlugin: z.string().optional(),
  proxyMode: z.string().optional(),
  clusterCidr: z.string().optional(),
  output: z.string().optional(),
  failOn: z.string().optional(),
  verbose: z.boolean().default(false),
});
type Flags = z.output<typeof Flags>;

/** What `hopscope diagnose` is to do; everything in it has been checked. */
export interface DiagnosePlan {
  readonly snapshot: string;
  readonly provider: Provider;
  readonly overrides: ClusterOverrides;
  readonly failOn: FailOn;
  /** Every step of the walk in the text form. */
  readonly verbose: boolean;
  readonly question:
    | { readonly kind: 'one'; readonly request: DiagnosisRequest; readonly format: Format }
    | { readonly kind: 'many'; readonly path: string; readonly format: StreamFormat };
}

const PROXY_MODES: ReadonlySet<string> = new Set(['iptables', 'nftables', 'ipvs']);
/** What detection would say; skoop's default. */
const AUTO = 'auto';

/** Throws HopscopeError USAGE with every problem of the command line. */
export function planDiagnose(input: unknown, repeated: readonly string[], providers: ProviderRegistry): DiagnosePlan {
  const flags = Flags.parse(input);
  const problems: InputProblem[] = [];
  for (const flag of repeated) problem(problems, flag, 'is given more than once; give it once');
  const snapshot = planSnapshot(flags, problems);
  const provider = providers.get(flags.cloudProvider);
  if (provider === undefined) {
    const names = providers.list().map(({ name }) => name);
    problem(problems, '--cloud-provider', `"${flags.cloudProvider}" is not one of: ${names.join(', ')}`);
  }
  const overrides = planOverrides(flags, problems);
  const failOn = planFailOn(flags.failOn, problems);
  const question = flags.pairs === undefined ? planOne(flags, problems) : planMany(flags, flags.pairs, problems);
  if (snapshot === undefined || provider === undefined || question === undefined || problems.length > 0)
    throw new HopscopeError('USAGE', 'this cannot be done as it was asked:', { problems });
  return { snapshot, provider, overrides, failOn, verbose: flags.verbose, question };
}

function planSnapshot({ snapshot, kubeConfig }: Flags, problems: InputProblem[]): string | undefined {
  if (kubeConfig !== undefined)
    problem(problems, '--kube-config', 'live clusters come with a later version; use --snapshot with a recorded one');
  else if (snapshot === undefined || snapshot === '')
    problem(problems, '--snapshot', 'is missing: name a snapshot directory or a .tar.gz');
  return snapshot;
}

function planOverrides(flags: Flags, problems: InputProblem[]): ClusterOverrides {
  const { networkPlugin, proxyMode, clusterCidr } = flags;
  if (networkPlugin !== undefined && !/^[a-z][a-z0-9-]{0,62}$/.test(networkPlugin))
    problem(problems, '--network-plugin', 'must be the name of a CNI plugin, such as flannel or calico');
  if (proxyMode !== undefined && proxyMode !== AUTO && !PROXY_MODES.has(proxyMode))
    problem(problems, '--proxy-mode', `"${proxyMode}" is not one of: ${[...PROXY_MODES].join(', ')}, ${AUTO}`);
  const cidrs = clusterCidr?.split(',').map((text) => {
    const cidr = parseCidr(text.trim());
    if (cidr === undefined) problem(problems, '--cluster-cidr', `"${text}" is no network; write it as 10.244.0.0/16`);
    return cidr === undefined ? '' : formatCidr(cidr);
  });
  return {
    ...(networkPlugin === undefined || networkPlugin === AUTO ? {} : { networkPlugin }),
    ...(proxyMode === undefined || proxyMode === AUTO ? {} : { proxyMode }),
    ...(cidrs === undefined ? {} : { clusterCidr: cidrs }),
  };
}

function planFailOn(text: string | undefined, problems: InputProblem[]): FailOn {
  if (text === undefined) return FAIL_ON_DEFAULT;
  const failOn = new Set<Verdict>();
  for (const word of text.split(',').map((part) => part.trim())) {
    const verdict = VERDICTS.find((candidate) => candidate === word);
    if (verdict !== undefined) failOn.add(verdict);
    else if (word !== 'none')
      problem(problems, '--fail-on', `"${word}" is not one of: ${VERDICTS.join(', ')}, none (with commas between)`);
  }
  return failOn;
}

function planOne(flags: Flags, problems: InputProblem[]): DiagnosePlan['question'] | undefined {
  const format = flags.output ?? 'text';
  if (!isFormat(format)) problem(problems, '-o', `"${format}" is no format here; use ${SINGLE_FORMATS.join(', ')}`);
  const request = planRequest(flags, problems);
  return isFormat(format) && request !== undefined ? { kind: 'one', request, format } : undefined;
}

function planRequest(flags: Flags, problems: InputProblem[]): DiagnosisRequest | undefined {
  const { source, destination, port, protocol, sourcePort } = flags;
  const missing: readonly (readonly [string, string | undefined, string])[] = [
    ['-s', source, 'is missing: where does the packet start?'],
    ['-d', destination, 'is missing: where is it sent?'],
    ['-p', port, 'is missing: to which port?'],
  ];
  for (const [flag, value, message] of missing) if (value === undefined) problem(problems, flag, message);
  try {
    return parsePair({
      // What is missing has been said; a stand-in lets the other flags be checked in the same go.
      source: source ?? '0.0.0.0',
      destination: destination ?? '0.0.0.0',
      port: numberOrName(port ?? '1'),
      protocol,
      ...(sourcePort === undefined ? {} : { sourcePort: /^\d+$/.test(sourcePort) ? Number(sourcePort) : Number.NaN }),
    });
  } catch (error) {
    if (!(error instanceof HopscopeError)) throw error;
    for (const { path, message } of error.problems)
      problem(problems, flagOf(path), path === '/sourcePort' ? 'must be a port, 1-65535' : message);
    return undefined;
  }
}

function numberOrName(port: string): number | string {
  return /^-?\d+$/.test(port) ? Number(port) : port;
}

function flagOf(pointer: string): string {
  switch (pointer) {
    case '/source':
      return '-s';
    case '/destination':
      return '-d';
    case '/port':
      return '-p';
    case '/sourcePort':
      return '--source-port';
    default:
      return `--${pointer.slice(1)}`;
  }
}

function planMany(flags: Flags, path: string, problems: InputProblem[]): DiagnosePlan['question'] | undefined {
  const format = flags.output ?? 'jsonl';
  if (!isStreamFormat(format))
    problem(problems, '-o', `"${format}" cannot hold many answers; with --pairs use ${STREAM_FORMATS.join(', ')}`);
  for (const [flag, value] of [
    ['-s', flags.source],
    ['-d', flags.destination],
    ['-p', flags.port],
    ['--source-port', flags.sourcePort],
  ] as const)
    if (value !== undefined) problem(problems, flag, 'does not go with --pairs, whose lines say it');
  return isStreamFormat(format) ? { kind: 'many', path, format } : undefined;
}

function problem(problems: InputProblem[], path: string, message: string): void {
  problems.push({ path, code: 'USAGE', message });
}
