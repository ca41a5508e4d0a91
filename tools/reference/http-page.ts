import { LOG, METRICS, PERSISTENCE, QUEUES } from '#libs/server';
import { Module, type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import 'reflect-metadata';
import { z } from 'zod';
import { ApiModule } from '../../apps/api/src/api.module.js';
import { openApiDocument } from '../../apps/api/src/openapi/open-api-document.js';
import { markdownTable, pageHead, type ReferencePage } from './page.js';

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

const Operation = z.looseObject({
  summary: z.string().optional(),
  description: z.string().optional(),
  parameters: z
    .array(
      z.looseObject({
        name: z.string(),
        in: z.string(),
        required: z.boolean().optional(),
        description: z.string().optional(),
        schema: z.looseObject({ type: z.unknown(), description: z.string().optional() }).optional(),
      }),
    )
    .default([]),
  requestBody: z.looseObject({ content: z.record(z.string(), z.unknown()) }).optional(),
  responses: z.record(z.string(), z.looseObject({ description: z.string().optional() })).default({}),
});
type Operation = z.infer<typeof Operation>;
const Document = z.looseObject({
  paths: z.record(z.string(), z.record(z.string(), z.unknown())),
  components: z.looseObject({ schemas: z.record(z.string(), z.unknown()).default({}) }).default({ schemas: {} }),
});

function describeOperation(method: string, path: string, operation: Operation): string {
  const about = [operation.summary, operation.description].filter((text) => text !== undefined && text !== '');
  const parameters = operation.parameters.map((parameter) => [
    `\`${parameter.name}\``,
    parameter.in,
    parameter.required === true ? 'yes' : '',
    parameter.description ?? parameter.schema?.description ?? '',
  ]);
  const bodies = Object.keys(operation.requestBody?.content ?? {}).map((type) => `\`${type}\``);
  const answers = Object.entries(operation.responses).map(([status, { description }]) => [status, description ?? '']);
  return [
    `### ${method.toUpperCase()} ${path}\n`,
    ...about.map((text) => `${text ?? ''}\n`),
    ...(parameters.length === 0 ? [] : [markdownTable(['parameter', 'in', 'required', 'meaning'], parameters)]),
    ...(bodies.length === 0 ? [] : [`Body: ${bodies.join(', ')}.\n`]),
    ...(answers.length === 0 ? [] : [markdownTable(['status', 'means'], answers)]),
  ].join('\n');
}

@Module({})
class WithoutInfrastructure {
  /** The names that controllers ask for, with nothing behind: no method is ever called. */
  static around(module: DynamicModule): DynamicModule {
    const providers = [PERSISTENCE, QUEUES, LOG, METRICS].map((provide) => ({ provide, useValue: {} }));
    return { module: WithoutInfrastructure, global: true, imports: [module], providers, exports: providers };
  }
}

/** The document that a running server gives at /openapi.json, without a server: in preview nothing is instantiated. */
async function readDocument(): Promise<z.infer<typeof Document>> {
  const limits = { uploadBytes: 1, unpackedBytes: 1, pairsBytes: 1, chunkSize: 1 };
  const root = WithoutInfrastructure.around(ApiModule.of({ limits, boardReadOnly: true }));
  const app = await NestFactory.create(root, { preview: true, abortOnError: false, logger: false });
  // Through JSON, which drops what is undefined.
  return Document.parse(JSON.parse(JSON.stringify(openApiDocument(app))));
}

export const httpPage: ReferencePage = {
  path: 'docs/reference/http-api.md',
  render: async () => {
    const document = await readDocument();
    const operations = Object.entries(document.paths)
      .toSorted(([a], [b]) => a.localeCompare(b, 'en'))
      .flatMap(([path, item]) =>
        METHODS.filter((method) => method in item).map((method) =>
          describeOperation(method, path, Operation.parse(item[method])),
        ),
      );
    const schemas = Object.entries(document.components.schemas)
      .toSorted(([a], [b]) => a.localeCompare(b, 'en'))
      .map(([name, schema]) => `### ${name}\n\n\`\`\`json\n${JSON.stringify(schema, null, 2)}\n\`\`\`\n`);
    return [
      pageHead('HTTP API', 'the OpenAPI document of apps/api'),
      'A running server gives the same as OpenAPI 3.1 at `/openapi.json`, and to browse at `/docs`. Errors are `application/problem+json`',
      '(RFC 9457) with a stable `code`; a body that does not fit is 422 with every problem at once. Beside what stands here there are',
      '`/livez`, `/readyz`, `/metrics` (Prometheus) and `/queues` (jobs).\n',
      '## Operations\n',
      ...operations,
      '## Schemas\n',
      ...schemas,
    ]
      .join('\n')
      .trimEnd()
      .concat('\n');
  },
};
