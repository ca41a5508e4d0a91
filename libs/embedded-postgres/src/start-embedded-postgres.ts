import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import pg from 'pg';
import { HopscopeError } from '#libs/model';
import { findBinaries } from './binaries.js';
import { initialise, openDataDirectory, type DataDirectory } from './data-directory.js';
import { errorCode, errorMessage } from './error-code.js';
import { freePort, isPortFree } from './free-port.js';
import { takeDirectory } from './owner-lock.js';
import { clearRemains, stopPostmaster } from './postmaster.js';
import { findPrivileges, type Privileges } from './privileges.js';
import { delay } from './processes.js';

const DATABASE = 'hopscope';
// Recovery after a crash replays at most max_wal_size (1 GB).
const START_MS = 120_000;
// After a kill -9 of the postmaster its children hold the shared memory until they notice (stack.md §3: two seconds).
const REMAINS_MS = 15_000;
const MAX_LOG_BYTES = 10_000_000;

export interface EmbeddedPostgresOptions {
  /** Ours alone; made when missing. */
  readonly dataDir: string;
  /** A free one unless given. */
  readonly port?: number;
}

export interface EmbeddedPostgres {
  /** Of the application's database; holds a password. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Settles when the server has ended, asked or not. */
  readonly exited: Promise<void>;
  /** Clean stop; safe to call twice. */
  stop(): Promise<void>;
}

/** Starts the server on its directory and waits until the application's database answers. */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const binaries = findBinaries();
  const privileges = findPrivileges();
  const directory = openDataDirectory(options.dataDir);
  const owner = takeDirectory(directory.root);
  try {
    await clearRemains(directory.pgData);
    const ready = await initialise(directory, binaries, privileges);
    const server = await serve({ ...ready, directory, privileges, port: options.port });
    return {
      ...server,
      async stop() {
        await stopPostmaster(server.pid);
        await server.exited;
        owner.release();
      },
    };
  } catch (error) {
    owner.release();
    throw error;
  }
}

interface Launch {
  readonly directory: DataDirectory;
  readonly binaries: { readonly postgres: string };
  readonly privileges: Privileges;
  readonly password: string;
  readonly port: number | undefined;
}

type Server = Omit<EmbeddedPostgres, 'stop'>;

/** Starts until it works: another process may take the free port first, and a killed server's children may still be there. */
async function serve(launch: Launch): Promise<Server> {
  if (launch.port !== undefined && !(await isPortFree(launch.port)))
    throw new HopscopeError('PORT_IN_USE', `port ${launch.port} is taken: choose another for PostgreSQL, or none`);
  const deadline = Date.now() + REMAINS_MS;
  for (;;) {
    const port = launch.port ?? (await freePort());
    const outcome = await launchOnce(launch, port);
    if (outcome.kind === 'ready') return outcome.server;
    const passing = /shared memory block .* is still in use|could not bind|Address already in use/.test(outcome.log);
    if (!passing || Date.now() > deadline)
      throw new HopscopeError(
        'EMBEDDED_POSTGRES_START_FAILED',
        `PostgreSQL ended while it started; its log is ${launch.directory.logFile}: ${lastLines(outcome.log)}`,
      );
    await delay(200);
  }
}

type Outcome = { readonly kind: 'ready'; readonly server: Server } | { readonly kind: 'ended'; readonly log: string };

async function launchOnce(launch: Launch, port: number): Promise<Outcome> {
  const { directory, privileges, binaries } = launch;
  const { fd, offset } = openLog(directory.logFile);
  const settings = { listen_addresses: '127.0.0.1', unix_socket_directories: '', jit: 'off' };
  const [command, args] = privileges.serve(binaries.postgres, [
    ...['-D', directory.pgData, '-p', String(port)],
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ]);
  // A session of its own: Ctrl-C in the terminal must reach us only, we stop the server when its users are done.
  const child = spawn(command, args, { cwd: directory.root, detached: true, stdio: ['ignore', fd, fd] });
  closeSync(fd);
  const exited = untilExit(child);
  const url = (database: string) => `postgresql://hopscope:${launch.password}@127.0.0.1:${port}/${database}`;
  const up = await waitUntilReady(child, url('postgres'));
  if (!up || child.pid === undefined) {
    await exited;
    return { kind: 'ended', log: readFileSync(directory.logFile).subarray(offset).toString('utf8') };
  }
  await createDatabase(url('postgres'));
  return { kind: 'ready', server: { url: url(DATABASE), port, pid: child.pid, exited } };
}

/** False when the server ended first. */
async function waitUntilReady(child: ChildProcess, url: string): Promise<boolean> {
  const deadline = Date.now() + START_MS;
  while (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
    // A server that goes away says so through this event as well; the rejected call below is what counts.
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.end();
      return true;
    } catch (error) {
      if (!isStarting(error)) {
        child.kill('SIGINT');
        throw error;
      }
    }
    if (Date.now() > deadline) {
      child.kill('SIGQUIT');
      throw new HopscopeError(
        'EMBEDDED_POSTGRES_START_FAILED',
        `PostgreSQL does not answer after ${START_MS / 1000} s`,
      );
    }
    await delay(30);
  }
  return false;
}

/** Nobody listens yet, the connection was cut, or 57P03: the database system is starting up. */
function isStarting(error: unknown): boolean {
  const passing = new Set(['ECONNREFUSED', 'ECONNRESET', '57P03']);
  return passing.has(errorCode(error) ?? '') || /terminated|timeout/.test(errorMessage(error));
}

async function createDatabase(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE]);
    if (found.rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
  } finally {
    await client.end();
  }
}

function untilExit(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('exit', () => resolve());
    child.once('error', reject);
  });
}

function openLog(file: string): { readonly fd: number; readonly offset: number } {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  const restart = size > MAX_LOG_BYTES;
  return { fd: openSync(file, restart ? 'w' : 'a', 0o600), offset: restart ? 0 : size };
}

function lastLines(log: string): string {
  return log.trim().split('\n').slice(-3).join(' | ') || 'it said nothing';
}
