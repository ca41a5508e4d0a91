-- CreateTable
CREATE TABLE "clusters" (
    "name" TEXT NOT NULL,
    "provider" TEXT NOT NULL,
    "access" JSONB NOT NULL,
    "settings" JSONB NOT NULL,
    "overrides" JSONB NOT NULL,
    "labels" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "clusters_pkey" PRIMARY KEY ("name")
);

-- CreateTable
CREATE TABLE "snapshots" (
    "id" UUID NOT NULL,
    "cluster_name" TEXT NOT NULL,
    "taken_at" TIMESTAMPTZ(3) NOT NULL,
    "collector" TEXT NOT NULL,
    "nodes" JSONB NOT NULL,
    "size_bytes" INTEGER NOT NULL,
    "sha256" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "snapshots_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "snapshot_archives" (
    "snapshot_id" UUID NOT NULL,
    "bytes" BYTEA NOT NULL,

    CONSTRAINT "snapshot_archives_pkey" PRIMARY KEY ("snapshot_id")
);

-- CreateTable
CREATE TABLE "runs" (
    "id" UUID NOT NULL,
    "cluster_name" TEXT NOT NULL,
    "snapshot_id" UUID,
    "max_age_seconds" INTEGER,
    "interactive" BOOLEAN NOT NULL DEFAULT false,
    "state" TEXT NOT NULL DEFAULT 'receiving',
    "error" JSONB,
    "total" INTEGER,
    "idempotency_key" TEXT,
    "body_hash" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "started_at" TIMESTAMPTZ(3),
    "finished_at" TIMESTAMPTZ(3),
    "touched_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "runs_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "run_batches" (
    "run_id" UUID NOT NULL,
    "position" INTEGER NOT NULL,
    "pairs" JSONB NOT NULL,

    CONSTRAINT "run_batches_pkey" PRIMARY KEY ("run_id","position")
);

-- CreateTable
CREATE TABLE "chunks" (
    "id" UUID NOT NULL,
    "run_id" UUID NOT NULL,
    "position" INTEGER NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'pending',
    "pairs" JSONB NOT NULL,
    "pair_count" INTEGER NOT NULL,
    "claim_owner" TEXT,
    "claim_expires_at" TIMESTAMPTZ(3),
    "queued_at" TIMESTAMPTZ(3),
    "failures" JSONB NOT NULL DEFAULT '{}',
    "error" JSONB,
    "reachable" INTEGER NOT NULL DEFAULT 0,
    "unreachable" INTEGER NOT NULL DEFAULT 0,
    "partial" INTEGER NOT NULL DEFAULT 0,
    "undetermined" INTEGER NOT NULL DEFAULT 0,
    "failed" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "chunks_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "diagnoses" (
    "id" TEXT NOT NULL,
    "run_id" UUID NOT NULL,
    "chunk_id" UUID NOT NULL,
    "cluster_name" TEXT NOT NULL,
    "snapshot_id" UUID,
    "pair_key" TEXT NOT NULL,
    "workload_key" TEXT NOT NULL,
    "verdict" TEXT NOT NULL,
    "symptom" TEXT NOT NULL,
    "source_kind" TEXT NOT NULL,
    "source_namespace" TEXT,
    "source_name" TEXT,
    "source_node" TEXT,
    "source_ip" TEXT,
    "destination_kind" TEXT NOT NULL,
    "destination_namespace" TEXT,
    "destination_name" TEXT,
    "destination_node" TEXT,
    "destination_ip" TEXT,
    "port" INTEGER NOT NULL,
    "protocol" TEXT NOT NULL,
    "codes" TEXT[],
    "engine_version" TEXT NOT NULL,
    "path_hash" TEXT NOT NULL,
    "rest" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "diagnoses_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "packet_paths" (
    "hash" TEXT NOT NULL,
    "body" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "packet_paths_pkey" PRIMARY KEY ("hash")
);

-- CreateTable
CREATE TABLE "suspicions" (
    "hash" TEXT NOT NULL,
    "fingerprint" TEXT NOT NULL,
    "code" TEXT NOT NULL,
    "level" TEXT NOT NULL,
    "layer" TEXT NOT NULL,
    "blocking" BOOLEAN NOT NULL,
    "body" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "suspicions_pkey" PRIMARY KEY ("hash")
);

-- CreateTable
CREATE TABLE "diagnosis_suspicions" (
    "diagnosis_id" TEXT NOT NULL,
    "list" TEXT NOT NULL,
    "position" INTEGER NOT NULL,
    "suspicion_hash" TEXT NOT NULL,

    CONSTRAINT "diagnosis_suspicions_pkey" PRIMARY KEY ("diagnosis_id","list","position")
);

-- CreateTable
CREATE TABLE "providers" (
    "name" TEXT NOT NULL,
    "title" TEXT NOT NULL,
    "settings_schema" JSONB NOT NULL,
    "seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "providers_pkey" PRIMARY KEY ("name")
);

-- CreateIndex
CREATE INDEX "clusters_created_at_name_idx" ON "clusters"("created_at", "name");

-- CreateIndex
CREATE INDEX "snapshots_cluster_name_taken_at_idx" ON "snapshots"("cluster_name", "taken_at");

-- CreateIndex
CREATE INDEX "snapshots_created_at_id_idx" ON "snapshots"("created_at", "id");

-- CreateIndex
CREATE UNIQUE INDEX "runs_idempotency_key_key" ON "runs"("idempotency_key");

-- CreateIndex
CREATE INDEX "runs_cluster_name_idx" ON "runs"("cluster_name");

-- CreateIndex
CREATE INDEX "runs_created_at_id_idx" ON "runs"("created_at", "id");

-- CreateIndex
CREATE INDEX "runs_state_touched_at_idx" ON "runs"("state", "touched_at");

-- CreateIndex
CREATE INDEX "chunks_state_queued_at_idx" ON "chunks"("state", "queued_at");

-- CreateIndex
CREATE UNIQUE INDEX "chunks_run_id_position_key" ON "chunks"("run_id", "position");

-- CreateIndex
CREATE INDEX "diagnoses_created_at_id_idx" ON "diagnoses"("created_at", "id");

-- CreateIndex
CREATE INDEX "diagnoses_cluster_name_created_at_id_idx" ON "diagnoses"("cluster_name", "created_at", "id");

-- CreateIndex
CREATE INDEX "diagnoses_run_id_created_at_id_idx" ON "diagnoses"("run_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "diagnoses_chunk_id_idx" ON "diagnoses"("chunk_id");

-- CreateIndex
CREATE INDEX "diagnoses_snapshot_id_idx" ON "diagnoses"("snapshot_id");

-- CreateIndex
CREATE INDEX "diagnoses_pair_key_created_at_idx" ON "diagnoses"("pair_key", "created_at");

-- CreateIndex
CREATE INDEX "diagnoses_workload_key_created_at_idx" ON "diagnoses"("workload_key", "created_at");

-- CreateIndex
CREATE INDEX "diagnoses_path_hash_idx" ON "diagnoses"("path_hash");

-- CreateIndex
CREATE INDEX "diagnoses_codes_idx" ON "diagnoses" USING GIN ("codes");

-- CreateIndex
CREATE UNIQUE INDEX "diagnoses_run_id_pair_key_key" ON "diagnoses"("run_id", "pair_key");

-- CreateIndex
CREATE INDEX "suspicions_fingerprint_idx" ON "suspicions"("fingerprint");

-- CreateIndex
CREATE INDEX "suspicions_code_idx" ON "suspicions"("code");

-- CreateIndex
CREATE INDEX "diagnosis_suspicions_suspicion_hash_idx" ON "diagnosis_suspicions"("suspicion_hash");

-- AddForeignKey
ALTER TABLE "snapshots" ADD CONSTRAINT "snapshots_cluster_name_fkey" FOREIGN KEY ("cluster_name") REFERENCES "clusters"("name") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "snapshot_archives" ADD CONSTRAINT "snapshot_archives_snapshot_id_fkey" FOREIGN KEY ("snapshot_id") REFERENCES "snapshots"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "runs" ADD CONSTRAINT "runs_cluster_name_fkey" FOREIGN KEY ("cluster_name") REFERENCES "clusters"("name") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "runs" ADD CONSTRAINT "runs_snapshot_id_fkey" FOREIGN KEY ("snapshot_id") REFERENCES "snapshots"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "run_batches" ADD CONSTRAINT "run_batches_run_id_fkey" FOREIGN KEY ("run_id") REFERENCES "runs"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "chunks" ADD CONSTRAINT "chunks_run_id_fkey" FOREIGN KEY ("run_id") REFERENCES "runs"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "diagnoses" ADD CONSTRAINT "diagnoses_run_id_fkey" FOREIGN KEY ("run_id") REFERENCES "runs"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "diagnoses" ADD CONSTRAINT "diagnoses_chunk_id_fkey" FOREIGN KEY ("chunk_id") REFERENCES "chunks"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "diagnoses" ADD CONSTRAINT "diagnoses_cluster_name_fkey" FOREIGN KEY ("cluster_name") REFERENCES "clusters"("name") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "diagnoses" ADD CONSTRAINT "diagnoses_snapshot_id_fkey" FOREIGN KEY ("snapshot_id") REFERENCES "snapshots"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "diagnoses" ADD CONSTRAINT "diagnoses_path_hash_fkey" FOREIGN KEY ("path_hash") REFERENCES "packet_paths"("hash") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "diagnosis_suspicions" ADD CONSTRAINT "diagnosis_suspicions_diagnosis_id_fkey" FOREIGN KEY ("diagnosis_id") REFERENCES "diagnoses"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "diagnosis_suspicions" ADD CONSTRAINT "diagnosis_suspicions_suspicion_hash_fkey" FOREIGN KEY ("suspicion_hash") REFERENCES "suspicions"("hash") ON DELETE RESTRICT ON UPDATE CASCADE;

-- The archive is a gzip: compressing it again costs time and saves nothing.
ALTER TABLE "snapshot_archives" ALTER COLUMN "bytes" SET STORAGE EXTERNAL;
