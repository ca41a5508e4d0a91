import { z } from 'zod';
import { HopscopeError } from '#libs/model';
import { sqlState, type Database } from './database.js';
import type { Cluster } from './generated/client.js';
import { jsonInput, ownJson } from './json.js';
import { cutPage, pageWindow } from './page.js';
import type { ClusterAccess, ClusterRecord, JsonObject } from './records.js';
import type { ClusterRepository } from './repositories.js';
import { storableText } from './storable.js';

// Prisma's codes: P2002 unique constraint, P2025 no row to change.
const DUPLICATE = 'P2002';
const NO_ROW = 'P2025';

const Access = ownJson<ClusterAccess>();
const Fields = ownJson<JsonObject>();
const Labels = z.record(z.string(), z.string());

export function clusterStore({ prisma }: Database): ClusterRepository {
  return {
    async create(cluster) {
      const { access, settings, overrides, labels } = cluster;
      const json = { access: jsonInput(access), settings: jsonInput(settings), overrides: jsonInput(overrides) };
      try {
        const data = { name: cluster.name, provider: cluster.provider, ...json, labels: jsonInput(labels) };
        return record(await prisma.cluster.create({ data }));
      } catch (error) {
        if (sqlState(error) !== DUPLICATE) throw error;
        const message = `a cluster named ${cluster.name} exists: choose another name, or change that one with PATCH`;
        throw new HopscopeError('CLUSTER_EXISTS', message, { cause: error });
      }
    },
    async get(name) {
      const row = await prisma.cluster.findUnique({ where: { name: storableText(name) } });
      return row === null ? undefined : record(row);
    },
    async list(page) {
      const { size, after } = pageWindow(page);
      const rows = await prisma.cluster.findMany({
        ...(after && {
          where: { OR: [{ createdAt: { lt: after.at } }, { createdAt: after.at, name: { lt: after.key } }] },
        }),
        orderBy: [{ createdAt: 'desc' }, { name: 'desc' }],
        take: size + 1,
      });
      return cutPage(rows, size, (row) => ({ at: row.createdAt, key: row.name }), record);
    },
    async update(name, { provider, access, settings, overrides, labels }) {
      const data = {
        ...(provider !== undefined && { provider }),
        ...(access && { access: jsonInput(access) }),
        ...(settings && { settings: jsonInput(settings) }),
        ...(overrides && { overrides: jsonInput(overrides) }),
        ...(labels && { labels: jsonInput(labels) }),
      };
      try {
        return record(await prisma.cluster.update({ where: { name: storableText(name) }, data }));
      } catch (error) {
        throw sqlState(error) === NO_ROW ? clusterNotFound(name) : error;
      }
    },
    async delete(name) {
      const { count } = await prisma.cluster.deleteMany({ where: { name: storableText(name) } });
      return count > 0;
    },
  };
}

export function clusterNotFound(name: string): HopscopeError {
  return new HopscopeError(
    'CLUSTER_NOT_FOUND',
    `no cluster is named ${storableText(name)}: register it with POST /v1/clusters`,
  );
}

function record(row: Cluster): ClusterRecord {
  return {
    name: row.name,
    provider: row.provider,
    access: Access.parse(row.access),
    settings: Fields.parse(row.settings),
    overrides: Fields.parse(row.overrides),
    labels: Labels.parse(row.labels),
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}
