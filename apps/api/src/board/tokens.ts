export const BOARD_READ_ONLY = Symbol('BoardReadOnly');
