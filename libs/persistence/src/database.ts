import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { HopscopeError } from '#libs/model';
import { PrismaClient } from './generated/client.js';

/** One pool, used two ways: Prisma for rows one at a time, SQL where many rows or a compare-and-set are at stake. */
export interface Database {
  readonly prisma: PrismaClient;
  readonly pool: pg.Pool;
}

export type Session = pg.Pool | pg.PoolClient;

export function openDatabase(databaseUrl: string, maxConnections: number): Database {
  const pool = new pg.Pool({ ...connection(databaseUrl), max: maxConnections });
  // An idle session that the server ends is reported here only; whoever asks next gets a new one, or the error.
  pool.on('error', () => undefined);
  return { pool, prisma: new PrismaClient({ adapter: new PrismaPg(pool) }) };
}

export function connection(databaseUrl: string): pg.ClientConfig {
  if (!/^postgres(ql)?:\/\//.test(databaseUrl) || !URL.canParse(databaseUrl))
    throw new HopscopeError(
      'DATABASE_URL_INVALID',
      'DATABASE_URL is not of the form postgresql://user:password@host:port/database',
    );
  return { connectionString: databaseUrl, connectionTimeoutMillis: 10_000, application_name: 'hopscope' };
}

/** Says which server does not answer, never with which password it was asked. */
export function unreachable(databaseUrl: string, cause: unknown): HopscopeError {
  const { hostname, port, pathname } = new URL(databaseUrl);
  const reason = errorText(cause);
  return new HopscopeError(
    'DATABASE_UNREACHABLE',
    `PostgreSQL at ${hostname}:${port || '5432'}${pathname} does not answer (${reason}): check DATABASE_URL and that the server runs`,
    { cause, retryable: true },
  );
}

/** Runs `work` in one transaction; what it throws undoes it. */
export async function transaction<T>(pool: pg.Pool, work: (session: pg.PoolClient) => Promise<T>): Promise<T> {
  const session = await pool.connect();
  try {
    await session.query('BEGIN');
    const result = await work(session);
    await session.query('COMMIT');
    session.release();
    return result;
  } catch (error) {
    try {
      await session.query('ROLLBACK');
      session.release();
    } catch {
      // The session is lost, and its transaction with it: the first error is the one to tell.
      session.release(true);
    }
    throw error;
  }
}

/** SQLSTATE of PostgreSQL or code of Prisma; looked at by shape, see errorText. */
export function sqlState(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

export const UNIQUE_VIOLATION = '23505';
export const FOREIGN_KEY_VIOLATION = '23503';

/** An AggregateError (localhost with two addresses) has an empty message: its code says more. */
function errorText(error: unknown): string {
  const message =
    typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error);
  return message === '' ? (sqlState(error) ?? 'unknown reason') : message;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Ids come from users: what is no UUID names nothing, and must not reach a uuid column. */
export function isRowId(id: string): boolean {
  return UUID.test(id);
}
