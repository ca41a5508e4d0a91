import type { Database } from './database.js';
import type { Provider } from './generated/client.js';
import { jsonInput, ownJson } from './json.js';
import type { JsonObject, ProviderRecord } from './records.js';
import type { ProviderRepository } from './repositories.js';

const Schema = ownJson<JsonObject>();

export function providerStore({ prisma, pool }: Database): ProviderRepository {
  return {
    async upsert({ name, title, settingsSchema }) {
      // Prisma's upsert looks first and inserts then: two workers that start at once would collide.
      await pool.query(
        `INSERT INTO providers (name, title, settings_schema) VALUES ($1, $2, $3)
         ON CONFLICT (name) DO UPDATE SET title = excluded.title, settings_schema = excluded.settings_schema, seen_at = now()`,
        [name, title, jsonInput(settingsSchema)],
      );
    },
    async get(name) {
      const row = await prisma.provider.findUnique({ where: { name } });
      return row === null ? undefined : record(row);
    },
    async list() {
      return (await prisma.provider.findMany({ orderBy: { name: 'asc' } })).map(record);
    },
  };
}

function record(row: Provider): ProviderRecord {
  const { name, title } = row;
  return { name, title, settingsSchema: Schema.parse(row.settingsSchema), seenAt: row.seenAt.toISOString() };
}
