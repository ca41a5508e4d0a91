import type { Persistence, SnapshotRecord } from '#libs/persistence';
import { PERSISTENCE, Problem, readBody } from '#libs/server';
import { Controller, Get, HttpCode, Inject, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import type { z } from 'zod';
import { API_LIMITS, type ApiLimits } from '../api-limits.js';
import { answerList } from '../http/answer-list.js';
import { notFound, requireSnapshotId } from '../http/ids.js';
import { requireMediaType } from '../http/json-body.guard.js';
import { Snapshot, SnapshotList, SnapshotListQuery, UploadQuery } from '../schemas/snapshot.js';
import { storeSnapshot } from './store-snapshot.js';

const GZIP = ['application/gzip', 'application/x-gzip', 'application/octet-stream'];

@ApiTags('snapshots')
@ApiResponse({ status: '4XX', standardSchema: Problem, description: 'The request cannot be answered.' })
@Controller('v1/snapshots')
export class SnapshotsController {
  constructor(
    @Inject(PERSISTENCE) private readonly persistence: Persistence,
    @Inject(API_LIMITS) private readonly limits: ApiLimits,
  ) {}

  @Post()
  @HttpCode(201)
  @ApiOperation({ summary: 'Upload a snapshot: the .tar.gz of its directory' })
  @ApiResponse({ status: 201, standardSchema: Snapshot, description: 'The snapshot.' })
  async upload(
    @Query({ schema: UploadQuery }) query: z.output<typeof UploadQuery>,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<SnapshotRecord> {
    requireMediaType(request, GZIP);
    if (query.cluster !== undefined && (await this.persistence.clusters.get(query.cluster)) === undefined)
      throw notFound('CLUSTER', query.cluster);
    const archive = await readBody(request, this.limits.uploadBytes, 'SNAPSHOT_TOO_LARGE');
    const snapshot = await storeSnapshot(this.persistence, archive, this.limits, query.cluster);
    response.location(`/v1/snapshots/${snapshot.id}`);
    return snapshot;
  }

  @Get()
  @ApiOperation({ summary: 'List snapshots, newest first' })
  @ApiResponse({ status: 200, standardSchema: SnapshotList, description: 'One page.' })
  async list(
    @Query({ schema: SnapshotListQuery }) query: z.output<typeof SnapshotListQuery>,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const { cluster, ...page } = query;
    const source = {
      page: (at: object) => this.persistence.snapshots.list({ ...at, ...(cluster === undefined ? {} : { cluster }) }),
      show: (item: SnapshotRecord) => item,
    };
    await answerList({ request, response }, source, page);
  }

  @Get(':id')
  @ApiOperation({ summary: 'One snapshot' })
  @ApiResponse({ status: 200, standardSchema: Snapshot, description: 'The snapshot.' })
  async get(@Param('id') id: string): Promise<SnapshotRecord> {
    const snapshot = await this.persistence.snapshots.get(requireSnapshotId(id));
    if (snapshot === undefined) throw notFound('SNAPSHOT', id);
    return snapshot;
  }

  @Get(':id/archive')
  @ApiOperation({ summary: 'The archive as it was uploaded' })
  @ApiProduces('application/gzip')
  @ApiResponse({ status: 200, description: 'The .tar.gz.', schema: { type: 'string', format: 'binary' } })
  async archive(@Param('id') id: string, @Res() response: Response): Promise<void> {
    const bytes = await this.persistence.snapshots.archive(requireSnapshotId(id));
    if (bytes === undefined) throw notFound('SNAPSHOT', id);
    response.type('application/gzip').attachment(`${id}.tar.gz`).send(Buffer.from(bytes));
  }
}
