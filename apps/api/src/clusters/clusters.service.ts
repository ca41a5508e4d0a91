import { redactByJsonSchema } from '#libs/config';
import type { InputProblem } from '#libs/model';
import type { ClusterRecord, Page, PageRequest, Persistence } from '#libs/persistence';
import { inputProblems, PERSISTENCE, validationFailed } from '#libs/server';
import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { notFound } from '../http/ids.js';
import { CLUSTER_NAME, ClusterChange, type Cluster, type ClusterInput } from '../schemas/cluster.js';
import { accessProblem, findProvider, problemsError, settingsProblems, unknownProvider } from './cluster-settings.js';

const NEW_CLUSTER: Pick<ClusterRecord, 'provider' | 'access' | 'settings'> = {
  provider: 'generic',
  access: { kind: 'snapshot' },
  settings: {},
};
const { provider: Provider, settings: Settings, access: Access } = ClusterChange.shape;
/** What of a body can be read, each for itself. */
const Members = z.object({
  provider: Provider.catch(undefined),
  settings: Settings.catch(undefined),
  access: Access.catch(undefined),
});

@Injectable()
export class ClustersService {
  constructor(@Inject(PERSISTENCE) private readonly persistence: Persistence) {}

  async create(input: z.output<typeof ClusterInput>): Promise<Cluster> {
    await this.check(input);
    return this.show(await this.persistence.clusters.create(input));
  }

  async change(name: string, change: z.output<typeof ClusterChange>): Promise<Cluster> {
    const cluster = await this.require(name);
    await this.check({ ...cluster, ...change });
    return this.show(await this.persistence.clusters.update(name, change));
  }

  async get(name: string): Promise<Cluster> {
    return this.show(await this.require(name));
  }

  async delete(name: string): Promise<void> {
    await this.require(name);
    if (!(await this.persistence.clusters.delete(name))) throw notFound('CLUSTER', name);
  }

  async list(page: PageRequest): Promise<Page<Cluster>> {
    const { items, nextPageToken } = await this.persistence.clusters.list(page);
    return { items: await Promise.all(items.map((item) => this.show(item))), nextPageToken };
  }

  private async require(name: string): Promise<ClusterRecord> {
    const cluster = CLUSTER_NAME.test(name) ? await this.persistence.clusters.get(name) : undefined;
    if (cluster === undefined) throw notFound('CLUSTER', name);
    return cluster;
  }

  /**
   * Throws when the body does not fit the schema, with what the provider would say to it as well: who corrects one should not
   * hear of the other only then. `name` is the cluster that is changed.
   */
  async checkBody(schema: z.ZodType, body: unknown, name?: string): Promise<void> {
    const problems = inputProblems(schema, body);
    if (problems.length === 0) return;
    const before = name === undefined ? NEW_CLUSTER : await this.require(name);
    const members = Members.safeParse(body);
    // What cannot be read is among the problems already; the provider is asked about the rest.
    const { provider, settings, access } = { ...before, ...members.data };
    if (members.success && provider !== undefined)
      problems.push(...(await this.problems({ provider, settings: settings ?? {}, access: access ?? before.access })));
    throw validationFailed(problems);
  }

  private async check(cluster: Pick<ClusterRecord, 'provider' | 'access' | 'settings'>): Promise<void> {
    const problems = await this.problems(cluster);
    if (problems.length > 0) throw problemsError(problems);
  }

  private async problems(cluster: Pick<ClusterRecord, 'provider' | 'access' | 'settings'>): Promise<InputProblem[]> {
    const problems: InputProblem[] = [];
    const { provider, known } = await findProvider(this.persistence.providers, cluster.provider);
    if (provider === undefined) problems.push(unknownProvider(cluster.provider, known));
    else problems.push(...settingsProblems(provider, cluster.settings));
    const access = accessProblem(cluster.access.kind);
    if (access !== undefined) problems.push(access);
    return problems;
  }

  /** Without secrets: of the access only its kind is shown. */
  private async show(cluster: ClusterRecord): Promise<Cluster> {
    const provider = await this.persistence.providers.get(cluster.provider);
    const settings = z
      .record(z.string(), z.unknown())
      .parse(redactByJsonSchema(provider?.settingsSchema, cluster.settings));
    const { name, overrides, labels, createdAt, updatedAt } = cluster;
    const access = { kind: cluster.access.kind };
    return { name, provider: cluster.provider, access, settings, overrides, labels, createdAt, updatedAt };
  }
}
