import type { Persistence } from './repositories.js';

export interface PersistenceOptions {
  readonly databaseUrl: string;
  /** Sessions that this process may hold, 10 unless given. */
  readonly maxConnections?: number;
}

export declare function openPersistence(options: PersistenceOptions): Promise<Persistence>;
