// Where bars stand in a lane.

export interface Span {
  start: number;
  end: number;
}

/**
 * Give each span a row such that no two in a row overlap; as few rows as can be. Spans must be sorted by start.
 * A span shorter than `least` counts as that long, since it is drawn that wide. Half-open: one may start as another ends.
 */
export function pack(spans: readonly Span[], least: number): { rows: number[]; height: number } {
  const ends: number[] = [];
  const rows = spans.map(({ start, end }) => {
    let row = ends.findIndex((taken) => taken <= start);
    if (row < 0) row = ends.length;
    ends[row] = Math.max(end, start + least);
    return row;
  });
  return { rows, height: Math.max(1, ends.length) };
}

export interface Band extends Span {
  /** Indexes into the spans given. */
  members: number[];
}

/** Merge spans that lie closer than `gap`; spans must be sorted by start. */
export function bands(spans: readonly Span[], gap: number): Band[] {
  const found: Band[] = [];
  spans.forEach(({ start, end }, index) => {
    const last = found.at(-1);
    if (last && start <= last.end + gap) {
      last.end = Math.max(last.end, end);
      last.members.push(index);
    } else found.push({ start, end, members: [index] });
  });
  return found;
}

/** The part of one span that lies in another, or null. */
export function overlap(one: Span, other: Span): Span | null {
  const start = Math.max(one.start, other.start);
  const end = Math.min(one.end, other.end);
  return start < end ? { start, end } : null;
}
