import type { Persistence } from '#libs/persistence';
import { PERSISTENCE, Problem } from '#libs/server';
import { Controller, Get, Inject } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { ProviderList } from '../schemas/cluster.js';

@ApiTags('providers')
@ApiResponse({ status: '4XX', standardSchema: Problem, description: 'The request cannot be answered.' })
@Controller('v1/providers')
export class ProvidersController {
  constructor(@Inject(PERSISTENCE) private readonly persistence: Persistence) {}

  @Get()
  @ApiOperation({ summary: 'Providers that workers host, with the JSON schema of their settings' })
  @ApiResponse({ status: 200, standardSchema: ProviderList, description: 'All of them.' })
  async list(): Promise<z.output<typeof ProviderList>> {
    const providers = await this.persistence.providers.list();
    const items = providers.map(({ name, title, settingsSchema, seenAt }) => ({
      name,
      title,
      settingsSchema: { ...settingsSchema },
      seenAt,
    }));
    return { items, nextPageToken: null };
  }
}
