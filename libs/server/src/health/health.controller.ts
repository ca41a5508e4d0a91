import { HopscopeError } from '#libs/model';
import type { Persistence } from '#libs/persistence';
import { Controller, Get, Inject } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { PERSISTENCE, QUEUES } from '../infrastructure/infrastructure.module.js';
import { Problem } from '../problem/problem.js';
import type { QueueRegistry } from '../queue/queue-registry.js';

const PING_TIMEOUT_MS = 3_000;
const Health = z.object({ status: z.literal('ok') }).meta({ id: 'Health' });

@ApiTags('process')
@Controller()
export class HealthController {
  constructor(
    @Inject(PERSISTENCE) private readonly persistence: Persistence,
    @Inject(QUEUES) private readonly queues: QueueRegistry,
  ) {}

  @Get('livez')
  @ApiOperation({ summary: 'Whether the process runs' })
  @ApiResponse({ status: 200, standardSchema: Health, description: 'It does.' })
  live(): z.output<typeof Health> {
    return { status: 'ok' };
  }

  @Get('readyz')
  @ApiOperation({ summary: 'Whether requests are taken: database and queue answer' })
  @ApiResponse({ status: 200, standardSchema: Health, description: 'They are.' })
  @ApiResponse({ status: 503, standardSchema: Problem, description: 'Something does not answer.' })
  async ready(): Promise<z.output<typeof Health>> {
    const [database, queue] = await Promise.allSettled([this.persistence.ping(), this.queues.ping(PING_TIMEOUT_MS)]);
    const down = [
      ...(database.status === 'rejected' ? ['the database'] : []),
      ...(queue.status === 'rejected' ? [`the queue (${this.queues.backend.kind})`] : []),
    ];
    if (down.length > 0)
      throw new HopscopeError('NOT_READY', `not answering: ${down.join(' and ')}`, { retryable: true });
    return { status: 'ok' };
  }
}
