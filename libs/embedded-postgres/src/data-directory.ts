import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { HopscopeError } from '#libs/model';
import type { Binaries } from './binaries.js';
import { errorMessage } from './error-code.js';
import { makeReachable, type Privileges } from './privileges.js';

/** The major version that the pinned binaries speak: another one means another folder (PostgreSQL does not convert data). */
const MAJOR = '18';

export interface DataDirectory {
  readonly root: string;
  readonly pgData: string;
  readonly logFile: string;
}

/** Makes the directory, readable for its owner only; parents as usual. */
export function openDataDirectory(dataDir: string): DataDirectory {
  try {
    mkdirSync(dirname(dataDir), { recursive: true });
    if (!existsSync(dataDir)) mkdirSync(dataDir, { mode: 0o700 });
    // PostgreSQL's working directory is compared with this, so symbolic links are resolved.
    const root = realpathSync(dataDir);
    return { root, pgData: join(root, `postgres-${MAJOR}`), logFile: join(root, 'postgres.log') };
  } catch (cause) {
    throw new HopscopeError(
      'DATA_DIR_UNUSABLE',
      `cannot use the data directory ${dataDir} (${errorMessage(cause)}): choose another with --data-dir`,
      { cause },
    );
  }
}

/** Runs initdb once. Gives the password of the database's one user; any other user of the machine is kept out by it. */
export async function initialise(
  directory: DataDirectory,
  binaries: Binaries,
  privileges: Privileges,
): Promise<{ readonly password: string; readonly binaries: Binaries }> {
  const passwordFile = join(directory.root, 'password');
  const fresh = !existsSync(join(directory.pgData, 'PG_VERSION'));
  if (fresh) writeFileSync(passwordFile, randomBytes(24).toString('hex'), { mode: 0o600 });
  const reachable = makeReachable(privileges, directory.root, binaries);
  if (fresh) {
    // Renamed when complete: an initdb that was killed half-way starts over next time.
    const unfinished = `${directory.pgData}.unfinished`;
    rmSync(unfinished, { recursive: true, force: true });
    const [command, args] = privileges.once(reachable.initdb, [
      ...['-D', unfinished, '-U', 'hopscope', '-E', 'UTF8', '--locale=C', '--no-sync'],
      ...['--auth=scram-sha-256', `--pwfile=${passwordFile}`],
    ]);
    await run(command, args, directory.root);
    renameSync(unfinished, directory.pgData);
  }
  return { password: readFileSync(passwordFile, 'utf8').trim(), binaries: reachable };
}

function run(command: string, args: readonly string[], cwd: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    const listen = (text: Buffer) => (said = (said + text.toString('utf8')).slice(-2000));
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0) return resolve();
      const message = `PostgreSQL's initdb ended with ${code ?? signal}: ${said.trim() || 'it said nothing'}`;
      reject(new HopscopeError('EMBEDDED_POSTGRES_INIT_FAILED', message));
    });
  });
}
