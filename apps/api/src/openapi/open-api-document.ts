import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { z } from 'zod';
import { RunInput } from '../schemas/run.js';

type Schemas = NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>;
// zod's own output, under the name that swagger has for it.
const Components = z.record(
  z.string(),
  z.custom<Schemas[string]>((value) => typeof value === 'object'),
);

type SchemaDirection = 'input' | 'output';

/** OpenAPI 3.1 from the schemas that validate. */
export function openApiDocument(app: INestApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setTitle('Hopscope')
    .setDescription('Why A cannot reach B in Kubernetes.')
    .setVersion('1')
    .setOpenAPIVersion('3.1.0')
    .build();
  const document = SwaggerModule.createDocument(app, config, {
    standardSchemaConverter: (schema, { schemaType }) => convert(schema, schemaType),
  });
  describeOtherBodies(document);
  for (const path of Object.values(document.paths))
    for (const operation of [path.get, path.post, path.patch, path.delete])
      for (const [status, response] of Object.entries(operation?.responses ?? {}))
        if (response !== undefined && 'content' in response && response.content !== undefined)
          response.content = contentOf(response.content, status);
  return document;
}

/** Schemas with an id become components; zod's JSON schema is 2020-12, which is what OpenAPI 3.1 speaks. */
function convert(schema: unknown, io: SchemaDirection) {
  if (!(schema instanceof z.ZodType)) return undefined;
  const { $schema: _, $defs, ...json } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  const components: Record<string, unknown> = { ...$defs };
  const id = schema.meta()?.id;
  if (id === undefined) return { schema: withoutIds(json), components: withoutIds(components) };
  // zod puts a schema that has an id among its own definitions, or gives it as it is; both end as one component.
  components[id] ??= json;
  return { schema: { $ref: `#/components/schemas/${id}` }, components: withoutIds(components) };
}

/** The `id` keyword that zod leaves beside what it names means something else in JSON schema. */
function withoutIds(components: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(components).map(([name, value]) => {
      if (typeof value !== 'object' || value === null || !('id' in value) || typeof value.id !== 'string')
        return [name, value];
      const { id: _, ...rest } = value;
      return [name, rest];
    }),
  );
}

type Content = NonNullable<Extract<NonNullable<OperationResponse>, { content?: unknown }>['content']>;
type OperationResponse = NonNullable<NonNullable<OpenAPIObject['paths'][string]['get']>['responses']>[string];

/** Decorators give one schema for all types of an answer: it is that of the JSON, other types are text. Problems have their own type. */
function contentOf(content: Content, status: string): Content {
  return Object.fromEntries(
    Object.entries(content).flatMap(([type, body]) => {
      if (type === 'application/json') return [[/^[45]/.test(status) ? 'application/problem+json' : type, body]];
      if (/^[45]/.test(status))
        return content['application/json'] === undefined ? [['application/problem+json', body]] : [];
      return [
        [type, type.startsWith('text/') || type.endsWith('ndjson') ? { schema: { type: 'string' as const } } : body],
      ];
    }),
  );
}

/** The bodies that a decorator cannot describe: two kinds on one route, and bytes. */
function describeOtherBodies(document: OpenAPIObject): void {
  const run = Components.parse(convert(RunInput, 'input')?.components);
  document.components = { ...document.components, schemas: { ...document.components?.schemas, ...run } };
  const runs = document.paths['/v1/runs']?.post;
  if (runs !== undefined)
    runs.requestBody = {
      required: true,
      content: {
        'application/json': { schema: { $ref: '#/components/schemas/RunInput' } },
        'application/x-ndjson': { schema: { type: 'string', description: 'One pair a line.' } },
      },
    };
  const snapshots = document.paths['/v1/snapshots']?.post;
  if (snapshots !== undefined)
    snapshots.requestBody = {
      required: true,
      content: { 'application/gzip': { schema: { type: 'string', format: 'binary' } } },
    };
}
