import { spawnSync } from 'node:child_process';
import { chownSync, cpSync, existsSync, lstatSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { HopscopeError } from '#libs/model';
import { binariesIn, type Binaries } from './binaries.js';

// nobody/nogroup on Linux: owns nothing, needs no entry in /etc/passwd.
const NOBODY = 65534;

/**
 * PostgreSQL refuses to run as root, and should end when we are killed. Each way in turn, as the machine allows:
 *
 *   user                  setpriv --pdeathsig (Linux), else plain
 *   root, user namespace  unshare: looks like nobody to itself, like root to the file system; nothing to create or to chown
 *   root, no namespaces   (Docker's seccomp profile) uid 65534; what it touches must be reachable for that user
 */
export interface Privileges {
  readonly kind: 'user' | 'namespace' | 'nobody';
  /** Command and arguments that run `program` for as long as it likes (initdb). */
  once(program: string, args: readonly string[]): readonly [string, string[]];
  /** The same for a server that is asked to stop (SIGINT: fast shutdown) when this process dies. */
  serve(program: string, args: readonly string[]): readonly [string, string[]];
}

export function findPrivileges(): Privileges {
  const setpriv = process.platform === 'linux' && works('setpriv', ['--pdeathsig', 'INT', '--', 'true']);
  const tied = setpriv ? ['setpriv', '--pdeathsig', 'INT', '--'] : [];
  if (process.getuid?.() !== 0) return prefixed('user', [], tied);
  const namespace = ['--user', `--map-user=${NOBODY}`, `--map-group=${NOBODY}`, '--'];
  if (works('unshare', [...namespace, 'true']))
    return prefixed('namespace', ['unshare', ...namespace], ['unshare', ...namespace, ...tied]);
  const dropped = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];
  if (works('setpriv', [...dropped.slice(1), '--', 'true']))
    return prefixed('nobody', [...dropped, '--'], [...dropped, '--pdeathsig', 'INT', '--']);
  throw new HopscopeError(
    'EMBEDDED_POSTGRES_AS_ROOT',
    'PostgreSQL does not run as root, and neither user namespaces nor setpriv are allowed here: start Hopscope as another user, or set DATABASE_URL',
  );
}

/** For `nobody` only: gives it the data, and a copy of the binaries when it cannot reach those of npm. */
export function makeReachable(privileges: Privileges, dataDir: string, binaries: Binaries): Binaries {
  if (privileges.kind !== 'nobody') return binaries;
  const barrier = closedParent(dataDir);
  if (barrier !== undefined)
    throw new HopscopeError(
      'DATA_DIR_UNREACHABLE',
      `PostgreSQL runs as uid ${NOBODY} here and cannot enter ${barrier} on the way to ${dataDir}: choose another directory with --data-dir, start Hopscope as another user, or set DATABASE_URL`,
    );
  giveTo(dataDir);
  if (closedParent(binaries.root) === undefined) return binaries;
  const copy = binariesIn(join(dataDir, 'postgres-binaries'));
  if (!existsSync(copy.postgres)) cpSync(binaries.root, copy.root, { recursive: true, verbatimSymlinks: true });
  giveTo(copy.root);
  return copy;
}

function prefixed(kind: Privileges['kind'], once: readonly string[], serve: readonly string[]): Privileges {
  const command = (
    prefix: readonly string[],
    program: string,
    args: readonly string[],
  ): readonly [string, string[]] => {
    const [first = program, ...rest] = [...prefix, program, ...args];
    return [first, rest];
  };
  return {
    kind,
    once: (program, args) => command(once, program, args),
    serve: (program, args) => command(serve, program, args),
  };
}

function works(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

function closedParent(path: string): string | undefined {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const { mode, uid } = statSync(folder);
    if ((mode & 0o001) === 0 && uid !== NOBODY) return folder;
    if (folder === dirname(folder)) return undefined;
  }
}

function giveTo(path: string): void {
  const stat = lstatSync(path);
  if (stat.isSymbolicLink()) return;
  if (stat.uid !== NOBODY) chownSync(path, NOBODY, NOBODY);
  if (stat.isDirectory()) for (const name of readdirSync(path)) giveTo(join(path, name));
}
