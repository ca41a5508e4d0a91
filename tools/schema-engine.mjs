#!/usr/bin/env node
// Stands in for Prisma's native schema engine, which npm does not carry: speaks its command line and its JSON-RPC over stdio,
// and lets @prisma/schema-engine-wasm do the work. For developers:
//   PRISMA_SCHEMA_ENGINE_BINARY=./tools/schema-engine.mjs npx prisma migrate dev
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory, ColumnTypeEnum } from '@prisma/driver-adapter-utils';
import * as bindings from '@prisma/schema-engine-wasm/schema_engine_bg';
import pg from 'pg';

/** The type "char" (OID 18) of PostgreSQL's catalogues is unknown to adapter-pg, and the engine wants it as Character. */
function readingChar(adapter) {
  const { performIO, queryRaw } = adapter;
  let chars = [];
  adapter.performIO = async (query) => {
    const result = await performIO.call(adapter, query);
    chars = (result.fields ?? []).flatMap((field, i) => (field.dataTypeID === 18 ? [i] : []));
    for (const i of chars) result.fields[i].dataTypeID = pg.types.builtins.BPCHAR;
    return result;
  };
  adapter.queryRaw = async (query) => {
    const answer = await queryRaw.call(adapter, query);
    for (const i of chars) answer.columnTypes[i] = ColumnTypeEnum.Character;
    return answer;
  };
  return adapter;
}

// Where the engine leaves the message of a panic.
globalThis.PRISMA_WASM_PANIC_REGISTRY = { set_message: (message) => console.error(message) };
const withDatabase = (url, name) => Object.assign(new URL(url), { pathname: `/${name}` }).href;

async function execute(url, sql) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(sql).finally(() => client.end());
}

/** adapter-pg's own shadow database ignores its name when given a URL, and is dropped while still in use. */
class Factory extends PrismaPg {
  constructor(url) {
    super({ connectionString: url });
    this.url = url;
  }
  async connect() {
    return readingChar(await super.connect());
  }
  async connectToShadowDb() {
    const name = `prisma_shadow_${randomUUID().replaceAll('-', '')}`;
    await execute(this.url, `CREATE DATABASE ${name}`);
    const adapter = await new Factory(withDatabase(this.url, name)).connect();
    const dispose = adapter.dispose.bind(adapter);
    adapter.dispose = async () => {
      await dispose();
      await execute(this.url, `DROP DATABASE ${name} WITH (FORCE)`);
    };
    return adapter;
  }
}

async function loadEngine(url, datamodels) {
  const file = createRequire(import.meta.url)
    .resolve('@prisma/schema-engine-wasm/schema_engine_bg')
    .replace(/\.js$/, '.wasm');
  const { instance } = await WebAssembly.instantiate(readFileSync(file), { './schema_engine_bg.js': bindings });
  bindings.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();
  return bindings.SchemaEngine.new({ datamodels }, () => {}, bindMigrationAwareSqlAdapterFactory(new Factory(url)));
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  strict: false,
  options: {
    datamodels: { type: 'string', multiple: true },
    datasource: { type: 'string' },
    version: { type: 'boolean' },
  },
});
const url = JSON.parse(values.datasource ?? '{}').url;

if (values.version) console.log('schema-engine-cli wasm');
else if (positionals[0] === 'cli') await runCommand(positionals[1]);
else await serve();

/** Prisma reads errors of these from stderr and skips its first line. */
async function runCommand(command) {
  const name = decodeURIComponent(new URL(url).pathname.slice(1));
  const quoted = `"${name.replaceAll('"', '""')}"`;
  try {
    if (command === 'can-connect-to-database') await execute(url, 'SELECT 1');
    else if (command === 'create-database') await execute(withDatabase(url, 'postgres'), `CREATE DATABASE ${quoted}`);
    else if (command === 'drop-database') await execute(withDatabase(url, 'postgres'), `DROP DATABASE ${quoted}`);
    else throw new Error(`unknown command ${command}`);
  } catch (error) {
    const code = { '3D000': 'P1003', '28P01': 'P1000', ECONNREFUSED: 'P1001' }[error.code] ?? 'P1010';
    const fields = { message: error.message, error_code: code };
    console.error(`\n${JSON.stringify({ level: 'ERROR', target: 'schema_engine::logger', fields })}`);
    process.exitCode = 1;
  }
}

async function serve() {
  const datamodels = values.datamodels?.map((path) => [path, readFileSync(path, 'utf8')]);
  let loaded; // On the first request, so that a database that is not there is told as an answer.
  const send = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  let pending = Promise.resolve();
  for await (const line of createInterface({ input: process.stdin })) {
    const { id, method, params } = JSON.parse(line);
    if (method === undefined) continue; // The answer to a print request.
    pending = pending.then(async () => {
      try {
        const engine = await (loaded ??= loadEngine(url ?? 'postgresql://localhost:5432/postgres', datamodels));
        // The engine meets its shadow database only in devDiagnostic.
        if (method === 'evaluateDataLoss') await engine.devDiagnostic(params);
        const result = (await engine[method](params)) ?? {};
        if (method === 'diff' && result.stdout)
          send({ id: randomUUID(), method: 'print', params: { content: result.stdout } });
        send({ id, result });
      } catch (error) {
        const message = error?.message ?? String(error);
        send({ id, error: { code: 4466, message, data: { is_panic: false, message, error_code: error?.code } } });
      }
    });
  }
  await pending;
  process.exit(0);
}
