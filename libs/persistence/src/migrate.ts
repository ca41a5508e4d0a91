import { createHash, randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { HopscopeError } from '#libs/model';
import { connection, unreachable } from './database.js';

// The lock that Prisma's own engine takes, so that `prisma migrate deploy` and we never work at the same time.
const PRISMA_LOCK = 72707369;

// As Prisma makes it: its command line reads and writes the same ledger.
const LEDGER = `CREATE TABLE IF NOT EXISTS _prisma_migrations (
  id VARCHAR(36) PRIMARY KEY NOT NULL,
  checksum VARCHAR(64) NOT NULL,
  finished_at TIMESTAMPTZ,
  migration_name VARCHAR(255) NOT NULL,
  logs TEXT,
  rolled_back_at TIMESTAMPTZ,
  started_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  applied_steps_count INTEGER NOT NULL DEFAULT 0
)`;

export interface MigrationReport {
  /** Names of what was applied by this call, in order; empty when the database was up to date. */
  readonly applied: readonly string[];
}

interface Migration {
  readonly name: string;
  readonly sql: string;
  readonly checksum: string;
}

interface Entry {
  readonly migration_name: string;
  readonly checksum: string;
  readonly finished_at: Date | null;
}

/** Brings the tables up to date. Any number of processes may call it at once: one works, the others wait and find nothing to do. */
export async function migrate(databaseUrl: string): Promise<MigrationReport> {
  const migrations = readMigrations(migrationFolder());
  const client = new pg.Client(connection(databaseUrl));
  client.on('error', () => undefined); // The call under way rejects as well.
  try {
    await client.connect();
  } catch (error) {
    throw unreachable(databaseUrl, error);
  }
  try {
    await client.query('SELECT pg_advisory_lock($1)', [PRISMA_LOCK]);
    return { applied: await applyMissing(client, migrations) };
  } finally {
    // Ends the session, and the lock with it.
    await client.end();
  }
}

async function applyMissing(client: pg.Client, migrations: readonly Migration[]): Promise<string[]> {
  await client.query(LEDGER);
  const { rows } = await client.query<Entry>(
    'SELECT migration_name, checksum, finished_at FROM _prisma_migrations WHERE rolled_back_at IS NULL',
  );
  checkLedger(rows, migrations);
  const known = new Set(rows.map((row) => row.migration_name));
  const applied: string[] = [];
  for (const migration of migrations) {
    if (known.has(migration.name)) continue;
    await apply(client, migration);
    applied.push(migration.name);
  }
  return applied;
}

function checkLedger(entries: readonly Entry[], migrations: readonly Migration[]): void {
  const byName = new Map(migrations.map((migration) => [migration.name, migration]));
  for (const entry of entries) {
    const migration = byName.get(entry.migration_name);
    if (migration === undefined)
      throw new HopscopeError(
        'DATABASE_NEWER',
        `the database knows the migration ${entry.migration_name} and this Hopscope does not: start the newer version, or use another database`,
      );
    if (entry.finished_at === null)
      throw new HopscopeError(
        'MIGRATION_UNFINISHED',
        `the migration ${entry.migration_name} was begun by "prisma migrate" and not finished: run "prisma migrate resolve", see https://pris.ly/d/migrate-resolve`,
      );
    if (entry.checksum !== migration.checksum)
      throw new HopscopeError(
        'MIGRATION_EDITED',
        `the migration ${entry.migration_name} was applied to this database with another content: undo the change, and write a new migration`,
      );
  }
}

/** The SQL and its entry in one transaction: a process that is killed leaves both or neither. */
async function apply(client: pg.Client, { name, sql, checksum }: Migration): Promise<void> {
  await client.query('BEGIN');
  try {
    await client.query(sql);
    await client.query(
      `INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at, applied_steps_count)
       VALUES ($1, $2, $3, clock_timestamp(), 1)`,
      [randomUUID(), checksum, name],
    );
    await client.query('COMMIT');
  } catch (cause) {
    await client.query('ROLLBACK');
    const reason = typeof cause === 'object' && cause !== null && 'message' in cause ? String(cause.message) : '';
    throw new HopscopeError('MIGRATION_FAILED', `the migration ${name} failed and was undone: ${reason}`, { cause });
  }
}

function readMigrations(folder: string): Migration[] {
  const entries = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const names = entries.map((entry) => entry.name).toSorted();
  return names.map((name) => {
    const sql = readFileSync(join(folder, name, 'migration.sql'));
    return { name, sql: sql.toString('utf8'), checksum: createHash('sha256').update(sql).digest('hex') };
  });
}

/** prisma/migrations of the package, seen from the sources as well as from dist. */
function migrationFolder(): string {
  for (let folder = import.meta.dirname; folder !== dirname(folder); folder = dirname(folder)) {
    const candidate = join(folder, 'prisma', 'migrations');
    if (existsSync(candidate)) return candidate;
  }
  throw new HopscopeError('MIGRATIONS_MISSING', 'the folder prisma/migrations is not part of this installation');
}
