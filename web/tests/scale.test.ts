import { describe, expect, it } from "vitest";
import { days, hours, scale, weekday, weekends } from "../src/timeline/scale";
import { DAY, HOUR, MINUTE, Zone } from "../src/timeline/zone";

const at = (text: string): number => Date.parse(text);
const iso = (instants: number[]): string[] => instants.map((one) => new Date(one).toISOString().slice(0, 16));
const WEEK = { first: 1, weekend: [6, 7] };

describe("wall time", () => {
  it.each([
    ["Europe/London", "2026-03-29T00:59:59Z", 0],
    ["Europe/London", "2026-03-29T01:00:00Z", 60],
    ["America/New_York", "2026-11-01T05:59:59Z", -240],
    ["America/New_York", "2026-11-01T06:00:00Z", -300],
    ["Asia/Kathmandu", "2026-11-01T00:00:00Z", 345],
    ["Australia/Lord_Howe", "2026-10-03T15:29:59Z", 630],
    ["Australia/Lord_Howe", "2026-10-03T15:30:00Z", 660],
  ])("%s at %s is %i minutes from UTC", (zone, instant, minutes) => {
    expect(new Zone(zone).offset(at(instant))).toBe(minutes * MINUTE);
  });

  it("takes the first of two equal wall times", () => {
    expect(iso([new Zone("Europe/London").instant(Date.UTC(2026, 9, 25, 1, 30))])).toEqual(["2026-10-25T00:30"]);
  });

  it("moves a skipped wall time past the gap", () => {
    expect(iso([new Zone("Europe/London").instant(Date.UTC(2026, 2, 29, 1, 30))])).toEqual(["2026-03-29T01:30"]);
  });

  it("goes there and back in every zone for every quarter hour around the changes", () => {
    for (const name of ["Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/St_Johns"]) {
      const zone = new Zone(name);
      for (const around of ["2026-03-08", "2026-03-29", "2026-04-04", "2026-10-03", "2026-10-25", "2026-11-01"]) {
        for (let instant = at(`${around}T00:00Z`) - DAY; instant < at(`${around}T00:00Z`) + 2 * DAY; instant += 15 * MINUTE) {
          const back = zone.instant(zone.wall(instant));
          // of a repeated wall time the first is meant
          expect(back <= instant && zone.wall(back) === zone.wall(instant)).toBe(true);
        }
      }
    }
  });
});

describe("days", () => {
  it("stand at local midnight when clocks go forward: one day of 23 hours", () => {
    const found = days(new Zone("Europe/London"), at("2026-03-28T00:00Z"), at("2026-03-31T00:00Z"));
    expect(iso(found)).toEqual(["2026-03-28T00:00", "2026-03-29T00:00", "2026-03-29T23:00", "2026-03-30T23:00"]);
  });

  it("stand at local midnight when clocks go back: one day of 25 hours", () => {
    const found = days(new Zone("America/New_York"), at("2026-10-31T04:00Z"), at("2026-11-03T00:00Z"));
    expect(found.slice(1).map((one, index) => (one - (found[index] as number)) / HOUR)).toEqual([24, 25]);
  });

  it("begin at one o'clock where midnight is skipped", () => {
    // Beirut goes forward at midnight
    const found = days(new Zone("Asia/Beirut"), at("2026-03-28T12:00Z"), at("2026-03-29T12:00Z"));
    expect(iso(found)).toEqual(["2026-03-27T22:00", "2026-03-28T22:00"]);
  });

  it("start with the one that holds the beginning", () => {
    expect(iso(days(new Zone("UTC"), at("2026-11-23T14:30Z"), at("2026-11-24T00:00Z")))).toEqual(["2026-11-23T00:00"]);
  });
});

describe("hours", () => {
  it("leave out the skipped one and write a repeated one once", () => {
    const zone = new Zone("Europe/London");
    expect(iso(hours(zone, at("2026-03-29T00:00Z"), at("2026-03-29T04:00Z"), 1))).toEqual(["2026-03-29T00:00", "2026-03-29T01:00", "2026-03-29T02:00", "2026-03-29T03:00"]);
    expect(iso(hours(zone, at("2026-10-24T23:00Z"), at("2026-10-25T03:00Z"), 1))).toEqual(["2026-10-24T23:00", "2026-10-25T00:00", "2026-10-25T02:00"]);
  });

  it("count from local midnight", () => {
    const found = hours(new Zone("Asia/Kolkata"), at("2026-11-22T18:30Z"), at("2026-11-23T18:30Z"), 6);
    expect(iso(found)).toEqual(["2026-11-22T18:30", "2026-11-23T00:30", "2026-11-23T06:30", "2026-11-23T12:30"]);
  });
});

describe("weekends", () => {
  it("join Saturday and Sunday, 23 hours of which may be missing one", () => {
    const found = weekends(new Zone("Europe/London"), at("2026-03-27T00:00Z"), at("2026-03-31T00:00Z"), WEEK);
    expect(found.map((pair) => iso(pair))).toEqual([["2026-03-28T00:00", "2026-03-29T23:00"]]);
  });

  it("follow the calendar of the place", () => {
    const found = weekends(new Zone("UTC"), at("2026-11-23T00:00Z"), at("2026-11-30T00:00Z"), { first: 7, weekend: [5, 6] });
    expect(found.map((pair) => iso(pair))).toEqual([["2026-11-27T00:00", "2026-11-29T00:00"]]);
  });

  it.each([["2026-11-23", 1], ["2026-11-29", 7], ["1969-12-31", 3], ["1970-01-01", 4]])("%s is weekday %i", (day, number) => {
    expect(weekday(at(`${day}T12:00Z`))).toBe(number);
  });
});

describe("scale", () => {
  const zone = new Zone("Europe/London");
  const words = (from: string, to: string, day: number): [string[], string[]] => {
    const { major, minor } = scale(zone, "en-GB", at(from), at(to), day, WEEK);
    return [major.map((one) => one.label), minor.map((one) => one.label)];
  };

  it("shows hours under days", () => {
    expect(words("2026-11-23T00:00Z", "2026-11-23T12:00Z", 300)).toEqual([["Mon 23 Nov"], ["00:00", "06:00"]]);
  });
  it("shows days under months", () => {
    expect(words("2026-11-29T00:00Z", "2026-12-02T00:00Z", 70)).toEqual([["November 2026", "December 2026"], ["Sun 29", "Mon 30", "Tue 1"]]);
  });
  it("shows weeks under months", () => {
    expect(words("2026-11-16T00:00Z", "2026-12-08T00:00Z", 12)[1]).toEqual(["16", "23", "30", "7"]);
  });
  it("shows months under years", () => {
    expect(words("2026-11-16T00:00Z", "2027-02-08T00:00Z", 2)).toEqual([["2026", "2027"], ["Nov", "Dec", "Jan", "Feb"]]);
  });
  it("keeps every tick in order and apart", () => {
    for (const day of [1, 3, 6, 12, 25, 45, 90, 200, 300, 900, 2000]) {
      const { minor } = scale(zone, "en-GB", at("2026-10-20T00:00Z"), at("2026-11-10T00:00Z"), day, WEEK);
      for (let index = 1; index < minor.length; index += 1) expect((minor[index]?.at ?? 0) - (minor[index - 1]?.at ?? 0)).toBeGreaterThan(0);
    }
  });
});
