import { diffDiagnoses, normalisePair, parsePair } from '#libs/model';
import { diagnosisId, pairKey, type Persistence, type StoredDiagnosis } from '#libs/persistence';
import { PERSISTENCE, Problem } from '#libs/server';
import { Body, Controller, Get, Inject, Param, Post, Query, Req, Res, UseGuards } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import type { z } from 'zod';
import { answerList } from '../http/answer-list.js';
import { idempotencyKey } from '../http/idempotency-key.js';
import { notFound, requireDiagnosisId } from '../http/ids.js';
import { JsonBodyGuard } from '../http/json-body.guard.js';
import { RunsService } from '../runs/runs.service.js';
import { Diagnosis, DiagnosisDiff, DiagnosisList, PacketPath } from '../schemas/diagnosis.js';
import { DiagnosisInput, DiagnosisListQuery, DiagnosisPending, WaitQuery } from '../schemas/diagnosis-request.js';
import { formatByAccept, formatByExtension, PATH_TYPES } from './path-format.js';
import { showDiagnosis } from './show-diagnosis.js';
import { waitForDiagnosis } from './wait-for-diagnosis.js';

@ApiTags('diagnoses')
@ApiResponse({ status: '4XX', standardSchema: Problem, description: 'The request cannot be answered.' })
@Controller('v1/diagnoses')
export class DiagnosesController {
  constructor(
    private readonly runs: RunsService,
    @Inject(PERSISTENCE) private readonly persistence: Persistence,
  ) {}

  @Post()
  @UseGuards(JsonBodyGuard)
  @ApiOperation({ summary: 'Ask about one pair' })
  @ApiHeader({ name: 'Idempotency-Key', required: false, description: 'The same key gives the same diagnosis.' })
  @ApiResponse({ status: 200, standardSchema: Diagnosis, description: 'The answer came within `wait`.' })
  @ApiResponse({ status: 202, standardSchema: DiagnosisPending, description: 'It will be at Location.' })
  async ask(
    @Body({ schema: DiagnosisInput }) input: z.output<typeof DiagnosisInput>,
    @Query({ schema: WaitQuery }) { wait = 0 }: z.output<typeof WaitQuery>,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const { cluster, snapshot, maxAgeSeconds, ...question } = input;
    const pair = parsePair(question);
    const key = idempotencyKey(request);
    const run = await this.runs.submit({
      cluster,
      pairs: [pair],
      interactive: true,
      ...(snapshot === undefined ? {} : { snapshot }),
      ...(maxAgeSeconds === undefined ? {} : { maxAgeSeconds }),
      ...(key === undefined ? {} : { idempotencyKey: key }),
    });
    const id = diagnosisId(run.id, pairKey(cluster, normalisePair(pair)));
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const awaited = await waitForDiagnosis(this.persistence, id, run, wait, gone.signal);
    response.location(`/v1/diagnoses/${id}`);
    if (awaited.kind === 'answered') {
      response.status(200).json(showDiagnosis(awaited.diagnosis));
      return;
    }
    const { state, error } = awaited.run;
    response.status(202).json({ id, run: run.id, state, ...(error === null ? {} : { error }) });
  }

  @Get()
  @ApiOperation({ summary: 'List diagnoses, newest first' })
  @ApiProduces('application/json', 'application/x-ndjson')
  @ApiResponse({ status: 200, standardSchema: DiagnosisList, description: 'One page, or all as NDJSON.' })
  async list(
    @Query({ schema: DiagnosisListQuery }) query: z.output<typeof DiagnosisListQuery>,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const { pageSize, pageToken, ...filter } = query;
    const source = {
      page: (at: object) => this.persistence.diagnoses.list(filter, at),
      all: () => this.persistence.diagnoses.stream(filter),
      show: showDiagnosis,
    };
    await answerList({ request, response }, source, { pageSize, pageToken });
  }

  @Get(':id')
  @ApiOperation({ summary: 'One diagnosis' })
  @ApiResponse({ status: 200, standardSchema: Diagnosis, description: 'The diagnosis.' })
  async get(@Param('id') id: string): Promise<Omit<StoredDiagnosis, 'pair'>> {
    return showDiagnosis(await this.require(id));
  }

  @Get(':id/path')
  @ApiOperation({ summary: 'The path as JSON, Mermaid or text, by Accept' })
  @ApiProduces(...PATH_TYPES)
  @ApiResponse({ status: 200, standardSchema: PacketPath, description: 'The path.' })
  async path(@Param('id') id: string, @Req() request: Request, @Res() response: Response): Promise<void> {
    const format = formatByAccept(request);
    response.type(format.type).send(format.render(await this.require(id)));
  }

  @Get(':id/path.:format')
  @ApiOperation({ summary: 'The path as path.json, path.mermaid, path.d2, path.dot, path.svg or path.txt' })
  @ApiProduces(...PATH_TYPES)
  @ApiResponse({ status: 200, standardSchema: PacketPath, description: 'The path.' })
  async pathAs(@Param('id') id: string, @Param('format') extension: string, @Res() response: Response): Promise<void> {
    const format = formatByExtension(extension);
    response.type(format.type).send(format.render(await this.require(id)));
  }

  @Get(':id/diff/:other')
  @ApiOperation({ summary: 'What changed from this diagnosis to the other, hop by hop' })
  @ApiResponse({ status: 200, standardSchema: DiagnosisDiff, description: 'The difference.' })
  async diff(@Param('id') id: string, @Param('other') other: string) {
    const [before, after] = await Promise.all([this.require(id), this.require(other)]);
    return diffDiagnoses(before, after);
  }

  private async require(id: string): Promise<StoredDiagnosis> {
    const found = await this.persistence.diagnoses.get(requireDiagnosisId(id));
    if (found === undefined) throw notFound('DIAGNOSIS', id);
    return found;
  }
}
