import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import type { CommandResult, CommandRunner } from '#libs/collector';
import { z } from 'zod';
import type { NamespacePlan } from '../cluster/plan.js';
import type { Protocol } from '../cluster/spec.js';
import { netnsName } from '../netns/lab-namespaces.js';
import { scriptPath } from './script-path.js';

const IP = 'ip';
const PATIENCE_MS = 60_000;
const SPREAD_MS = 400;

export interface Probe {
  readonly id: string;
  /** The namespace that it starts from. */
  readonly from: string;
  readonly address: string;
  readonly port: number;
  readonly protocol: Protocol;
  /** More than one where the kernel throws dice. */
  readonly attempts: number;
}

/** What one real connection did. `backend` and `source` as the listener saw them. */
export const Attempt = z.object({
  outcome: z.string(),
  backend: z.string().optional(),
  source: z.string().optional(),
  /** UDP: all that the backend can have been. */
  backends: z.array(z.string()).optional(),
});
export type Attempt = z.output<typeof Attempt>;
const Line = z.object({ id: z.number(), result: z.unknown().optional(), error: z.string().optional() });
const Ran = z.object({ status: z.number().nullable(), stdout: z.string(), stderr: z.string() });
const Results = z.array(z.object({ id: z.string(), attempts: z.array(Attempt) }));

/** How connections are made one after the other. */
export interface Slowness {
  readonly queueOf: (probe: Probe) => string;
  /** Before each connection. */
  readonly pauseMs: number;
  /** Connections of a queue. */
  readonly most: number;
  /** A queue is left after so many time-outs in a row; default: never. */
  readonly patience?: number;
}

/** One process in each namespace that listens there and connects from there. */
export class Agents {
  private constructor(private readonly byName: ReadonlyMap<string, Agent>) {}

  /** Resolves when all ports are bound. */
  static async start(plan: readonly NamespacePlan[]): Promise<Agents> {
    const started = plan.filter(({ dump }) => dump !== undefined).map((namespace) => new Agent(namespace));
    const agents = new Agents(new Map(started.map((agent) => [agent.name, agent])));
    try {
      await Promise.all(started.map((agent) => agent.ready()));
      return agents;
    } catch (error) {
      await agents.stop();
      throw error;
    }
  }

  /**
   * Makes all connections, nearly at the same time, from the namespaces where they start. What timed out is done again with
   * few others beside it and more time: a machine that is busy with something else must not look like a network that is broken.
   */
  async probe(probes: readonly Probe[], timeoutMs: number): Promise<ReadonlyMap<string, readonly Attempt[]>> {
    const first = await this.probeAtOnce(probes, timeoutMs);
    const late = probes.filter(({ id }) => first.get(id)?.some(({ outcome }) => outcome === 'timeout'));
    return new Map([...first, ...(await this.probeAtOnce(late, 2 * timeoutMs))]);
  }

  private async probeAtOnce(
    probes: readonly Probe[],
    timeoutMs: number,
  ): Promise<ReadonlyMap<string, readonly Attempt[]>> {
    const answers = await Promise.all(
      [...new Set(probes.map(({ from }) => from))].map((name) =>
        this.agent(name).probe(
          probes.filter(({ from }) => from === name),
          timeoutMs,
        ),
      ),
    );
    return new Map(answers.flat().map(({ id, attempts }) => [id, attempts]));
  }

  /** Makes connections one after the other, those of different queues side by side. */
  async probeOneByOne(
    probes: readonly Probe[],
    timeoutMs: number,
    { queueOf, pauseMs, most, patience = Infinity }: Slowness,
  ): Promise<ReadonlyMap<string, readonly Attempt[]>> {
    const queues = new Map<string, Probe[]>();
    for (const probe of probes) queues.set(queueOf(probe), [...(queues.get(queueOf(probe)) ?? []), probe]);
    const results = new Map<string, readonly Attempt[]>();
    await Promise.all(
      [...queues.values()].map(async (queue) => {
        let left = most;
        let silent = 0;
        for (const probe of queue) {
          // Where the kernel throws dice, a few times.
          const times = Math.min(probe.attempts, 2);
          left -= times;
          if (left < 0 || silent >= patience) return;
          const attempts: Attempt[] = [];
          while (attempts.length < times) {
            await wait(pauseMs);
            const made = await this.probeAtOnce([{ ...probe, attempts: 1 }], timeoutMs);
            attempts.push(...(made.get(probe.id) ?? []));
          }
          results.set(probe.id, attempts);
          silent = attempts.every(({ outcome }) => outcome === 'timeout') ? silent + 1 : 0;
        }
      }),
    );
    return results;
  }

  /** Runs commands in a namespace, as `ip netns exec` would. */
  runIn(name: string): CommandRunner {
    return (argv) => this.agent(name).run(argv);
  }

  private agent(name: string): Agent {
    const agent = this.byName.get(name);
    if (agent === undefined) throw new Error(`lab: no agent in ${name}`);
    return agent;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.byName.values()].map((agent) => agent.stop()));
  }
}

class Agent {
  readonly name: string;
  private readonly child: ChildProcessByStdio<Writable, Readable, null>;
  private readonly waiting = new Map<number, (line: z.output<typeof Line>) => void>();
  private readonly started: Promise<unknown>;
  private last = 0;

  constructor({ name, address, listens }: NamespacePlan) {
    this.name = name;
    const argv = ['netns', 'exec', netnsName(name), process.execPath, scriptPath('agent.mjs')];
    this.child = spawn(IP, argv, { stdio: ['pipe', 'pipe', 'inherit'] });
    // An agent that ended is noticed by the line that it does not print.
    this.child.stdin.on('error', () => undefined);
    createInterface({ input: this.child.stdout }).on('line', (text) => {
      const line = Line.parse(JSON.parse(text));
      this.waiting.get(line.id)?.(line);
      this.waiting.delete(line.id);
    });
    this.started = this.ask('listen', { address, listens });
    this.started.catch(() => undefined);
  }

  async ready(): Promise<void> {
    await this.started;
  }

  async probe(probes: readonly Probe[], timeoutMs: number): Promise<z.output<typeof Results>> {
    return Results.parse(await this.ask('probe', { timeoutMs, spreadMs: SPREAD_MS, probes }));
  }

  async run(argv: readonly string[]): Promise<CommandResult> {
    return Ran.parse(await this.ask('run', argv));
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await ended;
  }

  private ask(act: 'listen' | 'probe' | 'run', argument: unknown): Promise<unknown> {
    const id = ++this.last;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`lab: the agent in ${this.name} does not answer (${act})`)),
        PATIENCE_MS,
      );
      this.waiting.set(id, ({ result, error }) => {
        clearTimeout(timer);
        if (error === undefined) resolve(result);
        else reject(new Error(`lab: ${act} in ${this.name} failed: ${error}`));
      });
      this.child.stdin.write(`${JSON.stringify({ id, act, with: argument })}\n`);
    });
  }
}
