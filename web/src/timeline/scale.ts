// The two-level time scale: which ticks stand where, by how wide a day is on the screen.
import { DAY, HOUR, type Zone } from "./zone";

export interface Tick {
  at: number;
  label: string;
  strong?: boolean;
}

export interface Scale {
  major: Tick[];
  minor: Tick[];
  /** Lines between the minor ticks, without words. */
  fine: number[];
}

export interface Week {
  /** 1 is Monday, 7 is Sunday. */
  first: number;
  weekend: number[];
}

export function weekOf(lang: string): Week {
  const locale = new Intl.Locale(lang) as Intl.Locale & { getWeekInfo?: () => { firstDay: number; weekend: number[] }; weekInfo?: { firstDay: number; weekend: number[] } };
  const info = locale.getWeekInfo?.() ?? locale.weekInfo;
  return info ? { first: info.firstDay, weekend: [...info.weekend] } : { first: 1, weekend: [6, 7] };
}

/** Day of the week of a wall time, 1 for Monday to 7 for Sunday. */
export function weekday(wall: number): number {
  return ((Math.floor(wall / DAY) + 3) % 7 + 7) % 7 + 1;
}

/** Midnights in the zone within [from, to), and the one before, so that the first day is whole. */
export function days(zone: Zone, from: number, to: number): number[] {
  const found: number[] = [];
  for (let wall = Math.floor(zone.wall(from) / DAY) * DAY; ; wall += DAY) {
    const at = zone.instant(wall);
    if (at >= to) return found;
    found.push(at);
  }
}

/** Full hours of the wall clock that exist, each `step` hours counted from midnight. */
export function hours(zone: Zone, from: number, to: number, step: number): number[] {
  const found: number[] = [];
  for (const day of days(zone, from, to)) {
    const midnight = Math.floor(zone.wall(day) / DAY) * DAY;
    for (let wall = midnight; wall < midnight + DAY; wall += step * HOUR) {
      const at = zone.instant(wall);
      if (at < to && zone.wall(at) === wall) found.push(at);
    }
  }
  return found;
}

export function weekends(zone: Zone, from: number, to: number, week: Week): [number, number][] {
  const found: [number, number][] = [];
  for (const start of days(zone, from, to)) {
    if (!week.weekend.includes(weekday(zone.wall(start)))) continue;
    const end = zone.instant(Math.floor(zone.wall(start) / DAY) * DAY + DAY);
    const last = found.at(-1);
    if (last && last[1] === start) last[1] = end;
    else found.push([start, end]);
  }
  return found;
}

function months(zone: Zone, from: number, to: number): number[] {
  const first = new Date(zone.wall(from));
  const found: number[] = [];
  for (let month = 0; ; month += 1) {
    const at = zone.instant(Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + month, 1));
    if (at >= to) return found;
    found.push(at);
  }
}

const formats = new Map<string, Intl.DateTimeFormat>();
export function written(lang: string, zone: string, at: number, options: Intl.DateTimeFormatOptions): string {
  const key = `${lang} ${zone} ${Object.entries(options).join()}`;
  let format = formats.get(key);
  if (!format) formats.set(key, (format = new Intl.DateTimeFormat(lang, { timeZone: zone, ...options })));
  return format.format(at);
}

/** Ticks over [from, to); `day` is the width of a day in pixels. */
export function scale(zone: Zone, lang: string, from: number, to: number, day: number, week: Week): Scale {
  const say = (at: number, options: Intl.DateTimeFormatOptions): string => written(lang, zone.name, at, options);
  const clock = (at: number): string => say(at, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const dayMajor = (): Tick[] => days(zone, from, to).map((at) => ({ at, label: say(at, day > 420 ? { weekday: "long", day: "numeric", month: "long", year: "numeric" } : { weekday: "short", day: "numeric", month: "short" }) }));
  const monthMajor = (): Tick[] => months(zone, from, to).map((at) => ({ at, label: say(at, { month: "long", year: "numeric" }) }));
  if (day >= 240) {
    const step = [1, 2, 3, 6].find((hour) => (hour * day) / 24 >= 46) ?? 6;
    return { major: dayMajor(), minor: hours(zone, from, to, step).map((at) => ({ at, label: clock(at) })), fine: [] };
  }
  if (day >= 22) {
    const minor = days(zone, from, to).map((at) => {
      const number = say(at, { day: "numeric" });
      const name = say(at, { weekday: day >= 62 ? "short" : "narrow" });
      return { at, label: day >= 40 ? `${name} ${number}` : number, strong: week.weekend.includes(weekday(zone.wall(at))) };
    });
    return { major: monthMajor(), minor, fine: day >= 120 ? hours(zone, from, to, 6) : [] };
  }
  if (day >= 4) {
    const starts = days(zone, from, to).filter((at) => weekday(zone.wall(at)) === week.first);
    return { major: monthMajor(), minor: starts.map((at) => ({ at, label: say(at, { day: "numeric" }) })), fine: [] };
  }
  const all = months(zone, from, to);
  const years = all.filter((at, index) => index === 0 || new Date(zone.wall(at)).getUTCMonth() === 0);
  return {
    major: years.map((at) => ({ at, label: say(at, { year: "numeric" }) })),
    minor: all.map((at) => ({ at, label: say(at, { month: day >= 1.3 ? "short" : "narrow" }) })),
    fine: [],
  };
}
