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
  return document;
}

/** Schemas with an id become components; zod's JSON schema is 2020-12, which is what OpenAPI 3.1 speaks. */
function convert(schema: unknown, io: SchemaDirection) {
  if (!(schema instanceof z.ZodType)) return undefined;
  const { $schema: _, $defs, ...json } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  const components: Record<string, unknown> = { ...$defs };
  const id = schema.meta()?.id;
  if (id === undefined) return { schema: withoutIds(json), components: withoutIds(components) };
  components[id] = json;
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
