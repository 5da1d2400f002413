/** How far the application has read a stream. */
export interface Position {
  readonly epoch: string;
  readonly seq: number;
}

/** Keeps positions, if it can in a place that survives the end of the application. */
export interface PositionStore {
  load(stream: string): Promise<Position | undefined>;
  save(stream: string, position: Position): Promise<void>;
}

export function memoryPositions(): PositionStore {
  const positions = new Map<string, Position>();
  return {
    load: async (stream) => positions.get(stream),
    async save(stream, position) {
      positions.set(stream, position);
    },
  };
}
