export const WORKER_CONFIG = Symbol('WorkerConfig');
export const ANSWER_CHUNK = Symbol('AnswerChunk');
