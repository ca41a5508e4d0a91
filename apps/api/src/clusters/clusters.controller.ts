import { Problem } from '#libs/server';
import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Param,
  Patch,
  Post,
  Query,
  Req,
  Res,
  UseGuards,
} from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import type { z } from 'zod';
import { answerList } from '../http/answer-list.js';
import { Cluster, ClusterChange, ClusterInput, ClusterList } from '../schemas/cluster.js';
import { PageQuery } from '../schemas/list.js';
import { ClusterBodyGuard } from './cluster-body.guard.js';
import { ClustersService } from './clusters.service.js';

@ApiTags('clusters')
@ApiResponse({ status: '4XX', standardSchema: Problem, description: 'The request cannot be answered.' })
@Controller('v1/clusters')
export class ClustersController {
  constructor(private readonly clusters: ClustersService) {}

  @Post()
  @UseGuards(ClusterBodyGuard)
  @ApiOperation({ summary: 'Register a cluster' })
  @ApiResponse({ status: 201, standardSchema: Cluster, description: 'The cluster.' })
  async create(
    @Body({ schema: ClusterInput }) input: z.output<typeof ClusterInput>,
    @Res({ passthrough: true }) response: Response,
  ): Promise<Cluster> {
    const cluster = await this.clusters.create(input);
    response.location(`/v1/clusters/${cluster.name}`);
    return cluster;
  }

  @Get()
  @ApiOperation({ summary: 'List clusters' })
  @ApiResponse({ status: 200, standardSchema: ClusterList, description: 'One page.' })
  async list(
    @Query({ schema: PageQuery }) page: z.output<typeof PageQuery>,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const source = { page: this.clusters.list.bind(this.clusters), show: (item: Cluster) => item };
    await answerList({ request, response }, source, page);
  }

  @Get(':name')
  @ApiOperation({ summary: 'One cluster' })
  @ApiResponse({ status: 200, standardSchema: Cluster, description: 'The cluster.' })
  get(@Param('name') name: string): Promise<Cluster> {
    return this.clusters.get(name);
  }

  @Patch(':name')
  @UseGuards(ClusterBodyGuard)
  @ApiOperation({ summary: 'Change a cluster' })
  @ApiResponse({ status: 200, standardSchema: Cluster, description: 'The cluster as it is now.' })
  change(
    @Param('name') name: string,
    @Body({ schema: ClusterChange }) change: z.output<typeof ClusterChange>,
  ): Promise<Cluster> {
    return this.clusters.change(name, change);
  }

  @Delete(':name')
  @HttpCode(204)
  @ApiOperation({ summary: 'Remove a cluster with its snapshots, runs and diagnoses' })
  @ApiResponse({ status: 204, description: 'It is gone.' })
  delete(@Param('name') name: string): Promise<void> {
    return this.clusters.delete(name);
  }
}
