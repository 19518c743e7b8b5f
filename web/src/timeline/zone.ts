// Wall time in an IANA zone. Instants are milliseconds since the epoch; wall times are the milliseconds that a UTC clock
// would need to show the same figures.

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
const QUARTER = 15 * MINUTE;

export class Zone {
  private readonly format: Intl.DateTimeFormat;
  private readonly offsets = new Map<number, number>();

  constructor(readonly name: string) {
    this.format = new Intl.DateTimeFormat("en-GB", {
      timeZone: name, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric",
    });
  }

  /** Offset from UTC in milliseconds; zones change on quarter hours, so one answer serves a quarter. */
  offset(at: number): number {
    const key = Math.floor(at / QUARTER);
    let found = this.offsets.get(key);
    if (found === undefined) {
      const instant = key * QUARTER;
      const part: Record<string, number> = {};
      for (const { type, value } of this.format.formatToParts(instant)) if (type !== "literal") part[type] = Number(value);
      const wall = Date.UTC(part.year ?? 0, (part.month ?? 1) - 1, part.day, part.hour, part.minute, part.second);
      found = wall - instant;
      if (this.offsets.size > 20_000) this.offsets.clear();
      this.offsets.set(key, found);
    }
    return found;
  }

  wall(at: number): number {
    return at + this.offset(at);
  }

  /** The instant of a wall time: the first of two, and for one that is skipped the same distance after the gap. */
  instant(wall: number): number {
    const before = this.offset(wall - DAY);
    const after = this.offset(wall + DAY);
    for (const offset of before === after ? [before] : [Math.max(before, after), Math.min(before, after)]) {
      if (this.offset(wall - offset) === offset) return wall - offset;
    }
    return wall - before;
  }

  startOfDay(at: number): number {
    return this.instant(Math.floor(this.wall(at) / DAY) * DAY);
  }
}
