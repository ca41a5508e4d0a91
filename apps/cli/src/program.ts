import { Command, Option } from 'commander';
import type { CliIo } from './io.js';
import { programVersion } from './version.js';

// Only commander is loaded for --help: the engine and the providers are imported when a command runs.

const EXAMPLES = `
Endpoints: an IP, pod/<namespace>/<name>, node/<name>, service/<namespace>/<name>, external/<ip>
Exit codes: 0 reachable, 1 unreachable or partial, 2 wrong use, 3 undetermined, 130 interrupted

  hopscope diagnose --snapshot samples/forward-drop.tar.gz -s pod/default/client-0 -d 10.244.2.2 -p 8080
  hopscope diagnose --snapshot DIR --pairs pairs.jsonl -o jsonl --fail-on unreachable`;

/** The whole command line. `done` gets the exit code of the command that ran. */
export function createProgram(io: CliIo, done: (status: number) => void): Command {
  const program = new Command('hopscope')
    .description('Answers why A cannot reach B in Kubernetes, by replaying a packet through recorded state.')
    .version(programVersion(), '-V, --version', 'print the version')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
    })
    .showSuggestionAfterError()
    .showHelpAfterError('See `hopscope --help`.');
  addDiagnose(program, io, done);
  addProviders(program, io, done);
  return program;
}

function addDiagnose(program: Command, io: CliIo, done: (status: number) => void): void {
  const command = program
    .command('diagnose')
    .description('diagnose one pair, or many with --pairs')
    .option('-s, --source <endpoint>', 'where the packet starts')
    .option('-d, --destination <endpoint>', 'where it is sent')
    .option('-p, --port <port>', 'destination port, or the name of a service port')
    .option('--protocol <protocol>', 'tcp or udp', 'tcp')
    .option('--source-port <port>', 'source port, in place of an ephemeral one')
    .option(
      '--pairs <file>',
      'many pairs, one JSON object a line: {"id","source","destination","port","protocol"}; - for stdin',
    )
    .option('--snapshot <path>', 'the recorded cluster: a directory or a .tar.gz')
    .option('--kube-config <file>', 'a live cluster (comes later)')
    .option('--cloud-provider <name>', 'see `hopscope providers`', 'generic')
    .option('--network-plugin <name>', 'the CNI plugin, in place of what is detected')
    .option('--proxy-mode <mode>', 'iptables, nftables or ipvs, in place of what is detected')
    .option('--cluster-cidr <cidrs>', 'pod networks, in place of what is detected, with commas between')
    .option(
      '-o, --output <format>',
      'text, json, jsonl, yaml, mermaid, d2, dot, svg or kubeskoop-json (text; with --pairs jsonl)',
    )
    .option('-v, --verbose', 'text: every step with the line that decided it, in place of one line a hop')
    .option('--fail-on <verdicts>', 'what counts as a failure: unreachable, partial, undetermined, reachable, none')
    .addHelpText('after', EXAMPLES)
    .action(async (flags: unknown) => {
      const { runDiagnose } = await import('./commands/diagnose.js');
      done(await runDiagnose(flags, repeated(), io));
    });
  // The names that KubeSkoop's command line has for the same things.
  for (const [flag, name] of [
    ['--src <endpoint>', 'source'],
    ['--dst <endpoint>', 'destination'],
    ['--dport <port>', 'port'],
    ['--format <format>', 'output'],
  ] as const)
    command.addOption(new Option(flag).hideHelp()).on(`option:${flag.slice(2, flag.indexOf(' '))}`, (value: string) => {
      command.setOptionValueWithSource(name, value, 'cli');
    });
  const repeated = watchRepeats(command, { src: 'source', dst: 'destination', dport: 'port', format: 'output' });
}

/** Tells which flags came more than once, by any of their names: commander takes the last one and says nothing. */
function watchRepeats(command: Command, aliases: Readonly<Record<string, string>> = {}): () => string[] {
  const count = new Map<string, number>();
  for (const option of command.options)
    command.on(`option:${option.name()}`, () => {
      const name = aliases[option.name()] ?? option.name();
      count.set(name, (count.get(name) ?? 0) + 1);
    });
  return () =>
    command.options
      .filter((option) => (count.get(option.name()) ?? 0) > 1)
      .map((option) => option.short ?? option.long ?? option.name());
}

function addProviders(program: Command, io: CliIo, done: (status: number) => void): void {
  program
    .command('providers')
    .description('list the cloud providers that this program has')
    .option('-o, --output <format>', 'text, json or yaml', 'text')
    .action(async (flags: unknown) => {
      const { runProviders } = await import('./commands/providers.js');
      done(await runProviders(flags, io));
    });
}
