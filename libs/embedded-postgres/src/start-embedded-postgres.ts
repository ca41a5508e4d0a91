export interface EmbeddedPostgresOptions {
  /** Ours alone; made when missing. */
  readonly dataDir: string;
  /** A free one unless given. */
  readonly port?: number;
}

export interface EmbeddedPostgres {
  /** Of the application's database. */
  readonly url: string;
  readonly port: number;
  stop(): Promise<void>;
}

export declare function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres>;
