const MiB = 1024 * 1024;

/** How much an input may ask of this process before it is refused. */
export interface SnapshotLimits {
  readonly compressedBytes: number;
  /** All files together, tar headers included. */
  readonly unpackedBytes: number;
  readonly fileBytes: number;
  readonly entries: number;
  /** Folders and file name of one path. */
  readonly pathSegments: number;
  readonly pathLength: number;
  /** Unpacked to compressed; text dumps reach 30, a bomb 1,000. Looked at once `ratioAfterBytes` are unpacked. */
  readonly ratio: number;
  readonly ratioAfterBytes: number;
}

/** Room for the dumps of 10,000 services on dozens of nodes. */
export const DEFAULT_LIMITS: SnapshotLimits = {
  compressedBytes: 256 * MiB,
  unpackedBytes: 1024 * MiB,
  fileBytes: 64 * MiB,
  entries: 200_000,
  pathSegments: 8,
  pathLength: 600,
  ratio: 250,
  ratioAfterBytes: 8 * MiB,
};
