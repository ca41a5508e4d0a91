import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { parse } from 'yaml';
import { runCli } from './run-cli.js';

const SAMPLES = join(import.meta.dirname, '../../../samples');
const HEALTHY = join(SAMPLES, 'healthy.tar.gz');
const DROP = join(SAMPLES, 'forward-drop.tar.gz');
const PAIR = ['-s', 'pod/default/client-0', '-d', 'pod/default/web-1', '-p', '8080'];

interface Run {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

interface World {
  readonly input?: string | Readable;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly tty?: boolean;
  readonly signal?: AbortSignal;
}

/** The program with streams of our own in place of a terminal. */
async function hopscope(argv: readonly string[], world: World = {}): Promise<Run> {
  const stdout = Object.assign(new PassThrough(), { isTTY: world.tty ?? false });
  const stderr = Object.assign(new PassThrough(), { isTTY: false });
  const [out, err] = [text(stdout), text(stderr)];
  const input = world.input ?? '';
  const status = await runCli(argv, {
    stdin: typeof input === 'string' ? Readable.from([Buffer.from(input)]) : input,
    stdout,
    stderr,
    env: world.env ?? {},
    signal: world.signal ?? new AbortController().signal,
  });
  stdout.end();
  stderr.end();
  return { status, out: await out, err: await err };
}

function json(line: string): Record<string, unknown> {
  return JSON.parse(line);
}

describe('hopscope diagnose', () => {
  it('answers one pair with exit code 0 when it is reachable', async () => {
    const { status, out, err } = await hopscope(['diagnose', '--snapshot', HEALTHY, ...PAIR]);

    expect({ status, err }).toEqual({ status: 0, err: '' });
    expect(out).toContain('REACHABLE, the client sees: connected');
    expect(out).not.toContain('\u001b');
  });

  it('names the cause and ends with 1 when it is unreachable', async () => {
    const { status, out } = await hopscope(['diagnose', '--snapshot', DROP, ...PAIR, '-o', 'json']);

    expect(status).toBe(1);
    expect(json(out)).toMatchObject({
      verdict: 'unreachable',
      symptom: 'timeout',
      blocking: [{ code: 'FILTER_DROP', evidence: [{ locator: expect.stringMatching(/^filter\/FORWARD\//) }] }],
    });
  });

  it("takes skoop's names of flags", async () => {
    const argv = ['diagnose', '--snapshot', HEALTHY, '--src', '10.244.1.3', '--dst', '10.244.2.2', '--dport', '8080'];

    const { status, out } = await hopscope([...argv, '--format', 'jsonl', '--cloud-provider', 'generic']);

    expect(status).toBe(0);
    expect(json(out)).toMatchObject({ port: 8080, protocol: 'tcp', verdict: 'reachable' });
  });

  it('writes YAML', async () => {
    const yaml = await hopscope(['diagnose', '--snapshot', DROP, ...PAIR, '-o', 'yaml']);

    expect(parse(yaml.out)).toMatchObject({ verdict: 'unreachable' });
  });

  it.each([
    ['mermaid', /^flowchart LR\n[^]*FILTER_DROP/],
    ['d2', /^direction: right\n[^]*FILTER_DROP/],
    ['dot', /^digraph path \{\n[^]*FILTER_DROP[^]*\n\}\n$/],
    ['svg', /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"[^]*FILTER_DROP[^]*<\/svg>\n$/],
    ['kubeskoop-json', /^\{\n {2}"cluster": [^]*"level": 3/],
  ])('writes %s', async (format, form) => {
    const { status, out } = await hopscope(['diagnose', '--snapshot', DROP, ...PAIR, '-o', format]);

    expect({ status, out }).toEqual({ status: 1, out: expect.stringMatching(form) });
  });

  it('says in text what drops the packet, where and what to change, and with --verbose every step', async () => {
    const short = await hopscope(['diagnose', '--snapshot', DROP, ...PAIR]);
    const verbose = await hopscope(['diagnose', '--snapshot', DROP, ...PAIR, '--verbose']);

    const answer = [
      'node node2 drops the packet silently, in rule 1 of chain FORWARD in table filter: ',
      'change: On node node2: remove or narrow the rule: iptables -t filter -D FORWARD ',
    ];
    for (const line of answer) {
      expect(short.out).toContain(line);
      expect(verbose.out).toContain(line);
    }
    expect(short.out).not.toContain('    filter ');
    expect(verbose.out).toContain('    filter      dropped\n');
  });

  it.each([
    { title: 'on a terminal', world: { tty: true }, colours: true },
    { title: 'with NO_COLOR', world: { tty: true, env: { NO_COLOR: '1' } }, colours: false },
    { title: 'on a dumb terminal', world: { tty: true, env: { TERM: 'dumb' } }, colours: false },
    { title: 'in a pipe', world: {}, colours: false },
  ])('colours: $title', async ({ world, colours }) => {
    const { out } = await hopscope(['diagnose', '--snapshot', HEALTHY, ...PAIR], world);

    expect(out.includes('\u001b[32mREACHABLE')).toBe(colours);
  });

  it('refuses a flag that is given twice, by whichever of its names', async () => {
    const argv = ['diagnose', '--snapshot', HEALTHY, ...PAIR, '-p', '81', '--src', '10.0.0.1', '--protocol', 'tcp'];

    const { status, out, err } = await hopscope([...argv, '--protocol', 'udp']);

    expect({ status, out }).toEqual({ status: 2, out: '' });
    expect([...err.matchAll(/^ {2}(-\S+): is given more than once/gm)].map((match) => match[1])).toEqual([
      '-s',
      '-p',
      '--protocol',
    ]);
  });

  it('refuses a file of pairs that is empty', async () => {
    const { status, out, err } = await hopscope(['diagnose', '--snapshot', HEALTHY, '--pairs', '-'], { input: '' });

    expect({ status, out }).toEqual({ status: 2, out: '' });
    expect(err).toContain('--pairs: "-" is empty');
  });

  it('says everything that is wrong at once', async () => {
    const { status, out, err } = await hopscope([
      'diagnose',
      ...['-s', 'deployment/a/b', '-d', '10.244.1.256', '-p', '0', '--protocol', 'sctp', '--source-port', 'x'],
      ...['--cloud-provider', 'acme', '--proxy-mode', 'ebpf', '--cluster-cidr', '10.244/16', '--fail-on', 'sometimes'],
      ...['-o', 'pdf'],
    ]);

    expect({ status, out }).toEqual({ status: 2, out: '' });
    const flags = new Set([...err.matchAll(/^ {2}(-\S+):/gm)].map((match) => match[1]));
    expect(flags).toEqual(
      new Set([
        ...['--cloud-provider', '--cluster-cidr', '--fail-on', '--protocol', '--proxy-mode', '--snapshot'],
        ...['--source-port', '-d', '-o', '-p', '-s'],
      ]),
    );
    expect(err).toContain(
      '"pdf" is no format here; use text, json, jsonl, yaml, mermaid, d2, dot, svg, kubeskoop-json',
    );
    expect(err).not.toMatch(/\n\s+at /);
  });

  it.each([
    { argv: [], says: 'Usage: hopscope' },
    { argv: ['diagnoze'], says: "unknown command 'diagnoze'" },
    { argv: ['diagnose', '--snapshoot', 'x'], says: 'Did you mean --snapshot?' },
    { argv: ['diagnose', ...PAIR], says: '--snapshot: is missing' },
    {
      argv: ['diagnose', '--kube-config', '/root/.kube/config', ...PAIR],
      says: 'live clusters come with a later version',
    },
    { argv: ['diagnose', '--snapshot', HEALTHY], says: '-s: is missing' },
    { argv: ['diagnose', '--snapshot', '/nowhere', ...PAIR], says: 'SNAPSHOT_UNREADABLE' },
    { argv: ['diagnose', '--snapshot', import.meta.filename, ...PAIR], says: 'SNAPSHOT_NOT_GZIP' },
    { argv: ['diagnose', '--snapshot', HEALTHY, '--pairs', '/nowhere'], says: '"/nowhere" cannot be read (ENOENT)' },
    { argv: ['diagnose', '--snapshot', HEALTHY, '--pairs', '/tmp'], says: '"/tmp" cannot be read (it is a directory)' },
    { argv: ['diagnose', '--snapshot', HEALTHY, '--pairs', '-', '-o', 'mermaid'], says: 'use jsonl, text, yaml' },
    {
      argv: ['diagnose', '--snapshot', HEALTHY, '--pairs', '-', '-s', '10.0.0.1'],
      says: '-s: does not go with --pairs',
    },
  ])('ends with 2: $says', async ({ argv, says }) => {
    const { status, out, err } = await hopscope(argv);

    expect({ status, out }).toEqual({ status: 2, out: '' });
    expect(err).toContain(says);
    expect(err).not.toMatch(/\n\s+at /);
  });

  it('ends with 3 for what is well formed but not there', async () => {
    const argv = [
      'diagnose',
      '--snapshot',
      HEALTHY,
      '-s',
      'pod/default/gone-0',
      '-d',
      '10.244.2.2',
      '-p',
      '80',
      '-o',
      'json',
    ];

    const { status, out } = await hopscope(argv);

    expect(status).toBe(3);
    expect(json(out)).toMatchObject({ verdict: 'undetermined' });
    expect(out).toContain('SRC_NOT_FOUND');
  });

  it.each([
    { failOn: 'none', status: 0 },
    { failOn: 'undetermined', status: 0 },
    { failOn: 'partial,unreachable', status: 1 },
  ])('--fail-on $failOn', async ({ failOn, status }) => {
    const run = await hopscope(['diagnose', '--snapshot', DROP, ...PAIR, '--fail-on', failOn]);

    expect(run.status).toBe(status);
  });
});

describe('hopscope diagnose --pairs', () => {
  const good = { id: 'a', source: 'pod/default/client-0', destination: '10.244.2.2', port: 8080, protocol: 'tcp' };
  const bulk = ['diagnose', '--snapshot', HEALTHY, '--pairs', '-', '-o', 'jsonl'];

  it('answers each line in order, echoes ids and goes on after bad lines', async () => {
    const lines = [
      JSON.stringify(good),
      '{"id": "b", "source": ',
      JSON.stringify({ ...good, id: 3, port: 0 }),
      '',
      JSON.stringify({ ...good, id: undefined, protocol: 'udp', port: 5353 }),
      JSON.stringify({ ...good, id: 'x', nonsense: 1, destination: 'pod/A' }),
      'x'.repeat(100_000),
      JSON.stringify({ ...good, id: 'last' }),
    ];

    const { status, out } = await hopscope(bulk, { input: lines.join('\n') });

    const answers = out.trimEnd().split('\n').map(json);
    expect(answers).toMatchObject([
      { id: 'a', verdict: 'reachable' },
      { id: null, line: 2, error: { code: 'BAD_JSON' } },
      { id: 3, line: 3, error: { code: 'INVALID_PAIR', message: expect.stringContaining('/port') } },
      { id: null, line: 4, error: { code: 'BAD_JSON' } },
      { id: null, verdict: 'reachable', protocol: 'udp' },
      { id: 'x', line: 6, error: { code: 'INVALID_PAIR', message: expect.stringMatching(/nonsense.*|destination.*/) } },
      { id: null, line: 7, error: { code: 'LINE_TOO_LONG' } },
      { id: 'last', verdict: 'reachable' },
    ]);
    expect(status).toBe(2);
  });

  it('prints the fields that programs rely on', async () => {
    const { out } = await hopscope(bulk, { input: JSON.stringify(good) });

    expect(Object.keys(json(out))).toEqual(
      expect.arrayContaining([
        ...['id', 'source', 'destination', 'port', 'protocol', 'verdict', 'symptom', 'branches', 'blocking'],
        ...['suspicions', 'skipped', 'path'],
      ]),
    );
    expect(json(out)).toMatchObject({
      branches: [{ probability: 1, backend: '10.244.2.2:8080', symptom: 'connected', sourceSeen: '10.244.1.3' }],
    });
  });

  it('lets a bad line outweigh an unreachable pair, and that an undetermined one', async () => {
    const unknown = JSON.stringify({ ...good, source: 'pod/default/gone-0' });
    const argv = ['diagnose', '--snapshot', DROP, '--pairs', '-'];

    expect((await hopscope(argv, { input: `${unknown}\n` })).status).toBe(3);
    expect((await hopscope(argv, { input: `${unknown}\n${JSON.stringify(good)}\n` })).status).toBe(1);
    expect((await hopscope(argv, { input: `${unknown}\n${JSON.stringify(good)}\nx\n` })).status).toBe(2);
  });

  it('reads a file, with and without a last line end', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hopscope-cli-'));
    try {
      for (const end of ['', '\n', '\r\n']) {
        await writeFile(join(folder, 'pairs.jsonl'), JSON.stringify(good) + end);
        const run = await hopscope(['diagnose', '--snapshot', HEALTHY, '--pairs', join(folder, 'pairs.jsonl')]);
        expect(run.out.trimEnd().split('\n')).toHaveLength(1);
        expect(run.status).toBe(0);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('answers before the input ends', async () => {
    const stdin = new PassThrough();
    const stdout = new PassThrough();
    const io = { stdin, stdout, stderr: new PassThrough(), env: {}, signal: new AbortController().signal };
    const ended = runCli(bulk, io);
    stdin.write(`${JSON.stringify(good)}\n`);

    const first: unknown = await new Promise((resolve) => stdout.once('data', resolve));

    expect(json(String(first))).toMatchObject({ id: 'a' });
    stdin.end();
    expect(await ended).toBe(0);
  });

  it('ends with 130 when it is interrupted, also while it waits for input', async () => {
    const interrupt = new AbortController();
    const stdin = new PassThrough();
    stdin.write(`${JSON.stringify(good)}\n`);
    setTimeout(() => interrupt.abort(), 300);

    const { status, err } = await hopscope(bulk, { input: stdin, signal: interrupt.signal });

    expect({ status, err }).toEqual({ status: 130, err: '' });
  });

  it('stops quietly when the reader goes away', async () => {
    let written = 0;
    const stdout = new Writable({
      write(_chunk, _encoding, done) {
        done(++written > 2 ? Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }) : null);
      },
    });
    const stderr = new PassThrough();
    const endless = Readable.from(
      (function* () {
        for (;;) yield `${JSON.stringify(good)}\n`;
      })(),
    );

    const status = await runCli(bulk, {
      stdin: endless,
      stdout,
      stderr,
      env: {},
      signal: new AbortController().signal,
    });
    stderr.end();

    expect({ status, err: await text(stderr) }).toEqual({ status: 0, err: '' });
    expect(written).toBeLessThan(10);
  });
});

describe('hopscope', () => {
  it('lists its providers', async () => {
    const list = await hopscope(['providers']);
    const detail = await hopscope(['providers', '-o', 'json']);

    expect(list.status).toBe(0);
    expect(list.out).toMatch(/^generic\s+\S/);
    expect(JSON.parse(detail.out)).toMatchObject([{ name: 'generic', settings: { type: 'object' } }]);
  });

  it('shows help and version', async () => {
    expect(await hopscope(['--help'])).toMatchObject({ status: 0, out: expect.stringContaining('diagnose') });
    expect(await hopscope(['diagnose', '--help'])).toMatchObject({
      status: 0,
      out: expect.stringContaining('--snapshot'),
    });
    expect(await hopscope(['--version'])).toMatchObject({ status: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  });
});
