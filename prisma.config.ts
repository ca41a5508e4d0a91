import { defineConfig } from 'prisma/config';

// For developers only (generate, migrate dev): the applications apply migrations themselves.
export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  // Prisma's `env()` throws when the variable is unset, and `generate` needs no database.
  datasource: { url: process.env.DATABASE_URL ?? 'postgresql://localhost:5432/hopscope' },
});
