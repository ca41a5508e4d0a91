export interface MigrationReport {
  /** Names of what was applied by this call, in order; empty when the database was up to date. */
  readonly applied: readonly string[];
}

export declare function migrate(databaseUrl: string): Promise<MigrationReport>;
