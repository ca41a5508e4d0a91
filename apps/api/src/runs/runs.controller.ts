import { HopscopeError, parsePair } from '#libs/model';
import type { Persistence } from '#libs/persistence';
import { parseInput, PERSISTENCE, Problem, validationFailed } from '#libs/server';
import { Controller, Get, HttpCode, Inject, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import type { z } from 'zod';
import { API_LIMITS, type ApiLimits } from '../api-limits.js';
import { showDiagnosis } from '../diagnoses/show-diagnosis.js';
import { answerList } from '../http/answer-list.js';
import { idempotencyKey } from '../http/idempotency-key.js';
import { requireMediaType } from '../http/json-body.guard.js';
import { DiagnosisList } from '../schemas/diagnosis.js';
import { RunDiagnosesQuery } from '../schemas/diagnosis-request.js';
import { Run, RunEstimate, RunInput, RunList, RunListQuery, RunQuery } from '../schemas/run.js';
import { readPairs } from './read-pairs.js';
import { RunsService, type AskedRun } from './runs.service.js';
import { showRun } from './show-run.js';

const NDJSON = 'application/x-ndjson';

@ApiTags('runs')
@ApiResponse({ status: '4XX', standardSchema: Problem, description: 'The request cannot be answered.' })
@Controller('v1/runs')
export class RunsController {
  constructor(
    private readonly runs: RunsService,
    @Inject(PERSISTENCE) private readonly persistence: Persistence,
    @Inject(API_LIMITS) private readonly limits: ApiLimits,
  ) {}

  @Post()
  @ApiOperation({ summary: 'Submit many pairs, as JSON or as one pair a line' })
  @ApiHeader({ name: 'Idempotency-Key', required: false, description: 'The same key gives the same run.' })
  @ApiResponse({ status: 202, standardSchema: Run, description: 'The run; Location is its URL.' })
  @ApiResponse({ status: 200, standardSchema: RunEstimate, description: 'With dryRun=true: the counts.' })
  async submit(
    @Query({ schema: RunQuery }) query: z.output<typeof RunQuery>,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const asked = this.askedRun(query, request);
    if (query.dryRun === true) {
      response.status(200).json(await this.runs.estimate(asked));
      return;
    }
    const key = idempotencyKey(request);
    const run = await this.runs.submit({ ...asked, ...(key === undefined ? {} : { idempotencyKey: key }) });
    response.status(202).location(`/v1/runs/${run.id}`).json(showRun(run));
  }

  @Get()
  @ApiOperation({ summary: 'List runs, newest first' })
  @ApiResponse({ status: 200, standardSchema: RunList, description: 'One page.' })
  async list(
    @Query({ schema: RunListQuery }) query: z.output<typeof RunListQuery>,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const { pageSize, pageToken, ...filter } = query;
    const source = { page: (at: object) => this.persistence.runs.list({ ...filter, ...at }), show: showRun };
    await answerList({ request, response }, source, { pageSize, pageToken });
  }

  @Get(':id')
  @ApiOperation({ summary: 'One run with its progress' })
  @ApiResponse({ status: 200, standardSchema: Run, description: 'The run.' })
  async get(@Param('id') id: string): Promise<Run> {
    return showRun(await this.runs.get(id));
  }

  @Get(':id/diagnoses')
  @ApiOperation({ summary: 'The answers of a run so far' })
  @ApiProduces('application/json', NDJSON)
  @ApiResponse({ status: 200, standardSchema: DiagnosisList, description: 'One page, or all as NDJSON.' })
  async diagnoses(
    @Param('id') id: string,
    @Query({ schema: RunDiagnosesQuery }) query: z.output<typeof RunDiagnosesQuery>,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const { pageSize, pageToken, ...rest } = query;
    const filter = { ...rest, run: (await this.runs.get(id)).id };
    const source = {
      page: (at: object) => this.persistence.diagnoses.list(filter, at),
      all: () => this.persistence.diagnoses.stream(filter),
      show: showDiagnosis,
    };
    await answerList({ request, response }, source, { pageSize, pageToken });
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @ApiOperation({ summary: 'Stop a run; what is answered stays' })
  @ApiResponse({ status: 200, standardSchema: Run, description: 'The run as it is now.' })
  async cancel(@Param('id') id: string): Promise<Run> {
    return showRun(await this.runs.cancel(id));
  }

  private askedRun(query: z.output<typeof RunQuery>, request: Request): AskedRun {
    const { dryRun: _, ...target } = query;
    const type = requireMediaType(request, ['application/json', NDJSON]);
    if (type === NDJSON) {
      if (target.cluster === undefined)
        throw validationFailed([{ path: '/cluster', code: 'REQUIRED', message: 'name the cluster: ?cluster=NAME' }]);
      return { ...target, cluster: target.cluster, pairs: readPairs(request, this.limits.pairsBytes) };
    }
    const misplaced = Object.keys(target);
    if (misplaced.length > 0)
      throw new HopscopeError('VALIDATION_FAILED', `with a JSON body, ${misplaced.join(', ')} belong into the body`, {
        problems: misplaced.map((key) => ({ path: `/${key}`, code: 'MISPLACED', message: 'belongs into the body' })),
      });
    const { pairs, ...rest } = parseInput(RunInput, request.body);
    return { ...rest, pairs: pairs.map((pair, index) => parsePair(pair, `/pairs/${index}`)) };
  }
}
