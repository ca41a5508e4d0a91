import { clusterStore } from './cluster-store.js';
import { openDatabase, unreachable } from './database.js';
import { diagnosisStore } from './diagnosis-store.js';
import { providerStore } from './provider-store.js';
import type { Persistence } from './repositories.js';
import { runStore } from './run-store.js';
import { snapshotStore } from './snapshot-store.js';

export interface PersistenceOptions {
  readonly databaseUrl: string;
  /** Sessions that this process may hold, 10 unless given. */
  readonly maxConnections?: number;
}

/** Opens the database and waits for its first answer. Call `migrate` before. Throws DATABASE_URL_INVALID, DATABASE_UNREACHABLE. */
export async function openPersistence({ databaseUrl, maxConnections = 10 }: PersistenceOptions): Promise<Persistence> {
  const database = openDatabase(databaseUrl, maxConnections);
  const persistence: Persistence = {
    clusters: clusterStore(database),
    snapshots: snapshotStore(database),
    runs: runStore(database),
    diagnoses: diagnosisStore(database),
    providers: providerStore(database),
    async ping() {
      try {
        await database.pool.query('SELECT 1');
      } catch (error) {
        throw unreachable(databaseUrl, error);
      }
    },
    async close() {
      await database.prisma.$disconnect();
      await database.pool.end();
    },
  };
  try {
    await persistence.ping();
  } catch (error) {
    await persistence.close();
    throw error;
  }
  return persistence;
}
